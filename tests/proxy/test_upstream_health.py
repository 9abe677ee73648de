import math
from email.utils import formatdate

import pytest
from pydantic import SecretStr

from proxy.config_upstream import UpstreamConfig
from proxy.upstream_health import _MOST_TENANTS, Health, retry_after

NOW = 1_790_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def health(clock: Clock, *, own_key: bool = False, **options: float) -> Health:
    config = UpstreamConfig(
        base_url="http://x/v1",
        api_key=SecretStr("k") if own_key else None,
        **{"circuit_failures": 3, "circuit_seconds": 5, "aside_max_seconds": 60} | options,
    )
    return Health(config, clock, lambda: NOW)


def wait(seconds: object) -> list[tuple[bytes, bytes]]:
    return [(b"Retry-After", str(seconds).encode())]


def test_failures_in_a_row_open_the_circuit(clock: Clock) -> None:
    one = health(clock)
    for _ in range(2):
        one.failed("no connection")
        one.answered(200, [], "t")
    for _ in range(2):
        one.failed("no connection")
    assert one.allows("t")
    assert one.trouble() is None
    one.answered(502, [], "t")
    assert not one.allows("t")
    assert one.trouble() == "it failed several times in a row; the last time: it answered 502"


def test_one_trial_after_the_rest_and_a_longer_rest_after_it_failed(clock: Clock) -> None:
    one = health(clock)
    for _ in range(3):
        one.failed("down")
    clock.now += 5
    assert one.allows("t")
    assert not one.allows("t")
    one.failed("still down")
    clock.now += 9
    assert not one.allows("t")
    clock.now += 1
    assert one.allows("t")
    one.answered(404, [], "t")
    assert one.allows("t")
    assert one.trouble() is None


def test_the_rest_is_bounded(clock: Clock) -> None:
    one = health(clock, aside_max_seconds=20)
    for _ in range(3):
        one.failed("down")
    for _ in range(6):
        clock.now += 20
        assert one.allows("t")
        one.failed("down")


@pytest.mark.parametrize("status", [400, 401, 404, 429])
def test_answers_that_are_about_the_request_are_no_failures(clock: Clock, status: int) -> None:
    one = health(clock)
    for _ in range(10):
        one.answered(status, [], "t")
    assert one.allows("t")


@pytest.mark.parametrize("status", [503, 529])
def test_retry_after_sets_it_aside_for_all(clock: Clock, status: int) -> None:
    one = health(clock)
    one.answered(status, wait(7), "a")
    assert not one.allows("b")
    assert one.trouble() == f"it answered {status} and asked to be left alone, 7 s more"
    clock.now += 7
    assert one.allows("b")
    assert one.trouble() is None


def test_a_429_to_a_clients_own_key_is_that_clients(clock: Clock) -> None:
    one = health(clock)
    one.answered(429, wait(7), "a")
    assert not one.allows("a")
    assert one.allows("b")
    assert one.trouble() is None
    clock.now += 7
    assert one.allows("a")


def test_a_429_to_our_key_is_everybodys(clock: Clock) -> None:
    one = health(clock, own_key=True)
    one.answered(429, wait(7), "a")
    assert not one.allows("b")


def test_waits_are_bounded_in_time_and_in_number(clock: Clock) -> None:
    one = health(clock)
    one.answered(503, wait(86_400), "a")
    clock.now += 60
    assert one.allows("a")
    for number in range(_MOST_TENANTS + 5):
        one.answered(429, wait(7), f"t{number}")
    assert len(one._tenants) == _MOST_TENANTS
    clock.now += 8
    one.answered(429, wait(7), "late")
    assert list(one._tenants) == ["late"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (wait("2"), 2.0),
        (wait("1.5"), 1.5),
        (wait("0"), 0.0),
        (wait("-3"), None),
        (wait("soon"), None),
        (wait("9" * 30), None),
        (wait("1e3"), None),
        (wait(formatdate(NOW + 30, usegmt=True)), 30.0),
        (wait(formatdate(NOW - 30, usegmt=True)), 0.0),
        ([(b"retry-after-ms", b"250"), (b"retry-after", b"9")], 0.25),
        ([(b"retry-after-ms", b"?"), (b"retry-after", b"9")], 9.0),
    ],
)
def test_retry_after(headers: list[tuple[bytes, bytes]], seconds: float | None) -> None:
    found = retry_after(headers, NOW)
    assert found is None if seconds is None else found is not None and math.isclose(found, seconds)
