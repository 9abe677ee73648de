from hypothesis import given
from hypothesis import strategies as st

from proxy.config_access import Limits
from proxy.tally import LocalTallies, Moment, Tally

START = 1_790_000_040.0  # at the beginning of a minute
UNLIMITED = Limits()


def at(seconds: float) -> Moment:
    return Moment.of(START + seconds)


@given(
    st.integers(1, 20),
    st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=200),
)
def test_no_minute_has_much_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    """A sliding count assumes that a minute was used evenly, so it can be off, but by less than 2x.

    Within the minutes of the clock it is exact.
    """
    tallies, now, admitted = LocalTallies(), 0.0, []
    for gap in gaps:
        now += gap
        if tallies.take("t", Limits(requests_per_minute=limit), at(now), 1, 0)[0]:
            admitted.append(now)
    for first in admitted:
        assert sum(first <= time < first + 60 for time in admitted) < 2 * limit or limit == 1
        assert sum(time // 60 == first // 60 for time in admitted) <= limit


def test_the_minute_before_counts_by_its_share() -> None:
    tallies, limits = LocalTallies(), Limits(requests_per_minute=10)
    for _ in range(10):
        assert tallies.take("t", limits, at(0), 1, 0)[0]
    assert not tallies.take("t", limits, at(59), 1, 0)[0]
    assert not tallies.take("t", limits, at(60), 1, 0)[0]
    assert tallies.take("t", limits, at(66), 1, 0)[0]  # a tenth of ten has gone
    assert not tallies.take("t", limits, at(66), 1, 0)[0]
    assert tallies.take("t", limits, at(180), 1, 0) == (True, Tally(0, 1, 0, 0, 0))


def test_a_day_is_a_fixed_window() -> None:
    tallies, limits = LocalTallies(), Limits(tokens_per_day=100)
    midnight = 1_790_000_000 // 86_400 * 86_400
    before, after = Moment.of(midnight - 1), Moment.of(midnight)
    assert tallies.take("t", limits, before, 0, 100)[0]
    assert not tallies.take("t", limits, before, 1, 0)[0]
    assert tallies.take("t", limits, after, 0, 100)[0]


def test_tenants_are_counted_apart() -> None:
    tallies, limits = LocalTallies(), Limits(requests_per_minute=1)
    assert tallies.take("a", limits, at(0), 1, 0)[0]
    assert tallies.take("b", limits, at(0), 1, 0)[0]
    assert not tallies.take("a", limits, at(0), 1, 0)[0]


def test_tokens_come_back_into_the_window_they_were_counted_in() -> None:
    tallies = LocalTallies()
    tallies.take("t", UNLIMITED, at(0), 1, 100)
    tallies.take("t", UNLIMITED, at(61), 1, 10)
    tallies.add("t", at(0), 0, -60)
    assert tallies.take("t", UNLIMITED, at(61), 0, 0)[1] == Tally(1, 1, 40, 10, 50)
    tallies.add("t", at(0), 0, -1000)
    assert tallies.take("t", UNLIMITED, at(61), 0, 0)[1] == Tally(1, 1, 0, 10, 0)
    # from long ago: only the day remembers
    tallies.add("t", at(400), 0, 30)
    tallies.add("t", at(0), 0, -10)
    assert tallies.take("t", UNLIMITED, at(400), 0, 0)[1] == Tally(0, 0, 0, 30, 20)


def test_a_clock_that_is_set_back_opens_nothing() -> None:
    tallies, limits = LocalTallies(), Limits(requests_per_minute=1)
    assert tallies.take("t", limits, at(300), 1, 0)[0]
    assert not tallies.take("t", limits, at(0), 1, 0)[0]


def test_the_longest_unused_tenants_are_forgotten() -> None:
    tallies, limits = LocalTallies(most_tenants=2), Limits(requests_per_minute=1)
    for tenant in ("a", "b", "a", "c"):
        tallies.take(tenant, limits, at(0), 1, 0)
    assert not tallies.take("a", limits, at(0), 1, 0)[0]
    assert tallies.take("b", limits, at(0), 1, 0)[0]
