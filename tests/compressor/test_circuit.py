from compressor.circuit import Circuit
from tests.compressor.fake_engine import Clock


def circuit(clock: Clock) -> Circuit:
    return Circuit(clock, limit=3, first_rest=1.0, longest_rest=4.0)


def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        circuit.failed("refused")


def test_it_opens_only_after_failures_in_a_row() -> None:
    tried = circuit(Clock())
    fail(tried, 2)
    tried.succeeded()
    fail(tried, 2)
    assert tried.allows()
    assert tried.trouble == "refused"
    fail(tried, 1)
    assert not tried.allows()


def test_one_call_is_let_through_after_the_rest() -> None:
    clock = Clock()
    tried = circuit(clock)
    fail(tried, 3)
    clock.now += 0.9
    assert not tried.allows()
    clock.now += 0.2
    assert tried.allows()
    assert not tried.allows()


def test_success_closes_it() -> None:
    clock = Clock()
    tried = circuit(clock)
    fail(tried, 3)
    clock.now += 1
    assert tried.allows()
    tried.succeeded()
    assert all(tried.allows() for _ in range(5))
    assert tried.trouble is None
    fail(tried, 2)
    assert tried.allows()


def test_rests_grow_to_a_limit_and_start_small_again() -> None:
    clock = Clock()
    tried = circuit(clock)
    fail(tried, 3)
    for rest in (1, 2, 4, 4):
        clock.now += rest - 0.01
        assert not tried.allows()
        clock.now += 0.02
        assert tried.allows()
        fail(tried, 1)
    clock.now += 5
    assert tried.allows()
    tried.succeeded()
    fail(tried, 3)
    clock.now += 1.01
    assert tried.allows()


def test_a_trial_that_nobody_reports_on_is_not_the_last() -> None:
    clock = Clock()
    tried = circuit(clock)
    fail(tried, 3)
    clock.now += 1
    assert tried.allows()
    clock.now += 1
    assert tried.allows()
