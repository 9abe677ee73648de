import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from compressor.cache import MemoryCache, PartKey
from compressor.deadline import DeadlineCompressor
from compressor.pool import Overloaded
from compressor.shared_cache import SharedCache
from compressor.types import CacheState, Failure, Outcome, PartCompressor, Settings
from tests.compressor.fake_engine import Clock, FakeEngine

TEXT = "one two three four five"
SHORT = "one three five"
HALF = Settings(rate=0.5)
# Far more than any test takes; a test of the deadline holds the classifier and gives it none.
LONG_MS = 60_000
HOUR = 3600


class Copy:
    """One proxy copy's compressor, on a fake engine and a clock that stands still."""

    def __init__(
        self, engine: FakeEngine, clock: Clock, shared: SharedCache | None, close_seconds: float
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.loads: list[BaseException | None] = []
        self.load_error: BaseException | None = None
        self.load_gate = threading.Event()
        self.load_gate.set()
        self.memory = MemoryCache(10**6)
        self.parts = DeadlineCompressor(
            self._load,
            memory=self.memory,
            shared=shared,
            clock=clock,
            sticky_seconds=HOUR,
            retry_seconds=0.001,
            close_seconds=close_seconds,
        )

    def _load(self) -> FakeEngine:
        assert self.load_gate.wait(5)
        self.loads.append(self.load_error)
        if self.load_error is not None:
            raise self.load_error
        return self.engine

    async def ask(
        self,
        text: str = TEXT,
        *,
        tenant: str = "t",
        deadline_ms: float = LONG_MS,
        settings: Settings = HALF,
    ) -> Outcome:
        return await self.parts.compress(text, settings, tenant=tenant, deadline_ms=deadline_ms)

    async def cached(self, count: int = 1) -> None:
        """Wait until late work has reached the cache."""
        await until(lambda: len(self.memory) >= count)


@asynccontextmanager
async def copy(
    engine: FakeEngine | None = None,
    *,
    clock: Clock | None = None,
    shared: SharedCache | None = None,
    close_seconds: float = 5,
) -> AsyncIterator[Copy]:
    made = Copy(engine or FakeEngine(), clock or Clock(), shared, close_seconds)
    try:
        yield made
    finally:
        made.engine.release()
        await made.parts.close()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = {t for t in threading.enumerate() if t.name.startswith("tersely")} - before
    assert not left


async def test_a_part_is_compressed_once_and_then_comes_from_memory() -> None:
    async with copy() as one:
        await one.parts.start()
        first, second = await one.ask(), await one.ask()
        assert (first.text, first.cache, first.failure) == (SHORT, CacheState.MISS, None)
        assert (second.text, second.cache, second.failure) == (SHORT, CacheState.MEMORY, None)
        assert first.result is not None
        assert second.result is not None
        assert second.result.tokens_after == first.result.tokens_after == 3
        assert one.engine.texts == [TEXT]
        assert one.parts.degraded() == {}


async def test_it_is_a_part_compressor() -> None:
    async with copy() as one:
        protocol: PartCompressor = one.parts
        assert (await protocol.compress(TEXT, HALF, tenant="t", deadline_ms=LONG_MS)).text == SHORT


async def test_tenants_settings_and_revisions_do_not_share_entries() -> None:
    async with copy() as one:
        await one.ask()
        assert (await one.ask(tenant="other")).cache is CacheState.MISS
        assert (await one.ask(settings=Settings(rate=0.4))).cache is CacheState.MISS
        one.engine.revision = "fake/2"
        assert (await one.ask()).cache is CacheState.MISS


async def test_a_question_and_who_judges_it_are_in_the_key_where_there_is_one() -> None:
    async with copy() as one:
        asked = Settings(rate=0.5, question="Who?")
        await one.ask()
        assert (await one.ask(settings=asked)).cache is CacheState.MISS
        assert (await one.ask(settings=asked)).cache is CacheState.MEMORY
        another = Settings(rate=0.5, question="When?")
        assert (await one.ask(settings=another)).cache is CacheState.MISS
        one.engine.relevance = "fake-relevance/2"
        assert (await one.ask(settings=asked)).cache is CacheState.MISS
        assert (await one.ask()).cache is CacheState.MEMORY  # the blind one is as it was


async def test_past_the_deadline_the_original_goes_and_stays_for_an_hour() -> None:
    async with copy() as one:
        await one.parts.start()
        one.engine.hold = True
        late = await one.ask(deadline_ms=0)
        assert (late.text, late.failure, late.result) == (TEXT, Failure.DEADLINE, None)
        await until(one.engine.begun.is_set)
        one.engine.release()
        await one.cached()  # the work was finished in the background

        for moved in (0, HOUR - 1):
            one.clock.now += moved
            again = await one.ask()
            assert (again.text, again.failure) == (TEXT, Failure.EARLIER_FAILURE)
        assert (await one.ask(tenant="other")).text == SHORT

        one.clock.now += 1
        after = await one.ask()
        assert (after.text, after.cache, after.failure) == (SHORT, CacheState.MEMORY, None)
        assert one.engine.texts == [TEXT, TEXT]  # once for each tenant


async def test_no_tenant_joins_anothers_computation() -> None:
    async with copy() as one:
        one.engine.hold = True
        asked = [asyncio.create_task(one.ask(tenant=tenant)) for tenant in ("a", "b")]
        await until(one.engine.begun.is_set)
        one.engine.release()
        outcomes = await asyncio.gather(*asked)
        assert [outcome.cache for outcome in outcomes] == [CacheState.MISS] * 2
        assert one.engine.texts == [TEXT, TEXT]


async def test_everybody_who_asks_meanwhile_shares_one_computation() -> None:
    async with copy() as one:
        one.engine.hold = True
        asked = [asyncio.create_task(one.ask()) for _ in range(10)]
        await until(one.engine.begun.is_set)
        one.engine.release()
        outcomes = await asyncio.gather(*asked)
        assert {outcome.text for outcome in outcomes} == {SHORT}
        states = [outcome.cache for outcome in outcomes]
        assert states == [CacheState.MISS] + [CacheState.JOINED] * 9
        assert one.engine.texts == [TEXT]


async def test_one_callers_deadline_is_everybodys_verdict() -> None:
    async with copy() as one:
        one.engine.hold = True
        patient = asyncio.create_task(one.ask())
        await until(one.engine.begun.is_set)
        assert (await one.ask(deadline_ms=0)).failure is Failure.DEADLINE
        one.engine.release()
        outcome = await patient
        assert (outcome.text, outcome.failure) == (TEXT, Failure.EARLIER_FAILURE)


async def test_a_caller_who_leaves_does_not_stop_the_others() -> None:
    async with copy() as one:
        one.engine.hold = True
        first = asyncio.create_task(one.ask())
        await until(one.engine.begun.is_set)
        second = asyncio.create_task(one.ask())
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        one.engine.release()
        outcome = await second
        assert (outcome.text, outcome.cache) == (SHORT, CacheState.JOINED)
        assert one.engine.texts == [TEXT]


async def test_an_overloaded_pool_sends_the_original_and_stays_with_it() -> None:
    async with copy() as one:
        one.engine.error = Overloaded("full")
        refused = await one.ask()
        assert (refused.text, refused.failure) == (TEXT, Failure.OVERLOADED)
        one.engine.error = None
        assert (await one.ask()).failure is Failure.EARLIER_FAILURE
        assert (await one.ask(tenant="other")).text == SHORT
        one.clock.now += HOUR
        assert (await one.ask()).text == SHORT


async def test_a_bug_sends_the_original_and_is_logged_without_the_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with copy() as one:
        one.engine.error = LookupError(f"cannot read {TEXT}")
        with caplog.at_level(logging.ERROR, "tersely.compressor"):
            outcome = await one.ask()
        assert (outcome.text, outcome.failure) == (TEXT, Failure.ERROR)
        assert (await one.ask()).failure is Failure.EARLIER_FAILURE
        (record,) = caplog.records
        assert "LookupError" in record.getMessage()
        assert "fake_engine.py" in record.getMessage()
        assert TEXT not in caplog.text


async def test_a_bug_outside_the_engine_is_caught_too() -> None:
    async with copy() as one:
        odd = Settings(rate=0.5)
        object.__setattr__(odd, "force_tokens", (object(),))  # what no key can be made of
        outcome = await one.ask(settings=odd)
        assert (outcome.text, outcome.failure) == (TEXT, Failure.ERROR)


async def test_a_late_bug_is_no_unhandled_error(caplog: pytest.LogCaptureFixture) -> None:
    async with copy() as one:
        await one.parts.start()
        one.engine.error = LookupError()
        assert (await one.ask(deadline_ms=0)).failure is Failure.DEADLINE
        await until(lambda: caplog.records)
        assert [record.name for record in caplog.records] == ["tersely.compressor"]


async def test_a_missing_classifier_sends_originals_until_it_loads() -> None:
    async with copy() as one:
        one.load_error = OSError("model.onnx is not there")
        await one.parts.start()
        assert "model.onnx is not there" in one.parts.degraded()["classifier"]
        missing = await one.ask()
        assert (missing.text, missing.failure) == (TEXT, Failure.CLASSIFIER_UNAVAILABLE)
        one.load_error = None
        await until(lambda: not one.parts.degraded())
        assert (await one.ask()).failure is Failure.EARLIER_FAILURE
        assert (await one.ask("another text here")).text == "another here"
        one.clock.now += HOUR
        assert (await one.ask()).text == SHORT


async def test_a_request_before_the_start_waits_for_the_load() -> None:
    async with copy() as one:
        assert one.parts.degraded() == {"classifier": "not loaded yet"}
        one.load_gate.clear()
        assert (await one.ask(deadline_ms=0)).failure is Failure.CLASSIFIER_UNAVAILABLE
        one.load_gate.set()
        assert (await one.ask()).text == SHORT
        assert len(one.loads) == 1


async def test_work_that_is_running_at_close_may_end() -> None:
    async with copy() as one:
        one.engine.hold = True
        waiting = asyncio.create_task(one.ask())
        await until(one.engine.begun.is_set)
        closing = asyncio.create_task(one.parts.close())
        await asyncio.sleep(0)
        assert (await one.ask("asked too late")).failure is Failure.ERROR
        one.engine.release()
        assert (await waiting).text == SHORT
        await closing
        assert one.engine.closed


async def test_work_that_does_not_end_is_given_up_at_close() -> None:
    async with copy(close_seconds=0) as one:
        one.engine.hold = True
        waiting = asyncio.create_task(one.ask())
        await until(one.engine.begun.is_set)
        await one.parts.close()
        outcome = await waiting
        assert (outcome.text, outcome.failure) == (TEXT, Failure.ERROR)
        assert one.engine.closed


async def test_close_without_start_is_quiet() -> None:
    async with copy() as one:
        await one.parts.close()
        assert not one.engine.closed


@pytest.mark.parametrize("text", ["", " ", "\ud800 lone \udfff", "<|endoftext|> </s>", "a" * 10**6])
async def test_odd_texts_are_just_texts(text: str) -> None:
    async with copy() as one:
        first, second = await one.ask(text), await one.ask(text)
        assert first.failure is None
        assert first.text == second.text


def shared(url: str) -> SharedCache:
    # Patient, so that a busy machine does not fail these tests.
    return SharedCache(url, call_budget_ms=5_000)


@asynccontextmanager
async def two_copies(url: str) -> AsyncIterator[tuple[Copy, Copy]]:
    async with copy(shared=shared(url)) as one, copy(shared=shared(url)) as other:
        one.engine.revision = other.engine.revision = f"fake/{id(one)}"
        yield one, other


async def test_another_copys_work_is_found(valkey_url: str) -> None:
    async with two_copies(valkey_url) as (one, other):
        await one.parts.start()
        text = f"{TEXT} {id(one)}"
        mine, theirs = await one.ask(text), await other.ask(text)
        assert (mine.cache, theirs.cache) == (CacheState.MISS, CacheState.SHARED)
        assert mine.text == theirs.text
        assert (await other.ask(text)).cache is CacheState.MEMORY
        assert other.engine.texts == []


async def test_another_copys_verdict_holds_here(valkey_url: str) -> None:
    async with two_copies(valkey_url) as (one, other):
        text = f"{TEXT} {id(one)}"
        await one.parts.start()
        one.engine.hold = True
        assert (await one.ask(text, deadline_ms=0)).failure is Failure.DEADLINE
        one.engine.release()
        await one.cached()
        await one.parts.close()  # the verdict is written by now
        for _ in range(2):
            outcome = await other.ask(text)
            assert (outcome.text, outcome.failure) == (text, Failure.EARLIER_FAILURE)
        assert (await other.ask(text, tenant="other")).failure is None
        assert other.engine.texts == [text]


async def test_work_that_finds_its_own_verdict_goes_on(valkey_url: str) -> None:
    async with copy(shared=shared(valkey_url)) as one:
        text = f"{TEXT} {id(one)}"
        await one.parts.start()
        one.engine.hold = True
        assert (await one.ask(text, deadline_ms=0)).failure is Failure.DEADLINE
        part = PartKey.of(text, HALF, "t")
        reader = shared(valkey_url)
        async with asyncio.timeout(5):
            while not (await reader.find(part, b"")).original_seconds:
                await asyncio.sleep(0)
        await reader.close()
        one.engine.release()
        await one.cached()
        one.clock.now += HOUR
        assert (await one.ask(text)).cache is CacheState.MEMORY


async def test_copies_that_compute_at_once_agree_on_the_first(valkey_url: str) -> None:
    async with two_copies(valkey_url) as (one, other):
        other.engine.mark = " rounded differently"
        other.engine.hold = True
        text = f"{TEXT} {id(one)}"
        late = asyncio.create_task(other.ask(text))
        await until(other.engine.begun.is_set)
        first = await one.ask(text)
        other.engine.release()
        assert (await late).text == first.text
        assert (await other.ask(text)).text == first.text


async def test_without_a_server_everything_else_goes_on(unused_tcp_port: int) -> None:
    url = f"redis://127.0.0.1:{unused_tcp_port}"
    async with copy(shared=shared(url)) as one:
        await one.parts.start()
        assert (await one.ask()).text == SHORT
        assert (await one.ask()).cache is CacheState.MEMORY
        assert "Connect" in one.parts.degraded()["shared cache"]
