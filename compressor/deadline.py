"""Compression within a deadline: whatever goes wrong, the original goes out and says why."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from compressor.cache import MemoryCache, PartKey, compact, expand
from compressor.loading import BackgroundLoader, NotLoaded
from compressor.originals import StickyOriginals
from compressor.pool import Overloaded, PoolClosed, usable_cores
from compressor.shared_cache import SharedCache
from compressor.types import CacheState, CompressionResult, Failure, Outcome, Settings

_log = logging.getLogger("tersely.compressor")

_EXPECTED = (Overloaded, NotLoaded, PoolClosed)


class Draft(Protocol):
    """A text whose windows are with the classifier, or that needs none."""

    @property
    def pending(self) -> Future[Any] | None:
        """What `finish` waits for."""
        ...

    def finish(self) -> CompressionResult:
        """Make the result. Runs in a thread."""
        ...


class Engine(Protocol):
    """What this module asks of `engine.Compressor`."""

    def revision_for(self, settings: Settings) -> str:
        """Return what is part of the cache key of every text with these settings."""
        ...

    def begin(self, text: str, settings: Settings) -> Draft:
        """Queue a text's windows. Runs in a thread."""
        ...

    def close(self) -> None:
        """End the classifier threads."""
        ...


@dataclass(frozen=True, slots=True)
class _Answer:
    cache: CacheState
    result: CompressionResult | None = None
    failure: Failure | None = None


_EARLIER = _Answer(CacheState.MISS, failure=Failure.EARLIER_FAILURE)


class DeadlineCompressor:
    """The PartCompressor of a running proxy: caches, single flight, deadline, fail-open boundary.

    `load` returns a loaded compressor and is called in a thread. For one event loop. A part that
    fails once goes out as the original for `sticky_seconds` for its tenant, here and, through the
    shared cache, in every copy, unless all it waited for was the first load; work that is late goes
    on and is cached for afterwards.
    """

    def __init__(
        self,
        load: Callable[[], Engine],
        *,
        memory: MemoryCache,
        shared: SharedCache | None = None,
        clock: Callable[[], float] = time.monotonic,
        sticky_seconds: float = 3600,
        retry_seconds: float = 5.0,
        close_seconds: float = 2.0,
    ) -> None:
        self._memory = memory
        self._shared = shared
        self._originals = StickyOriginals(clock, sticky_seconds)
        # More than the cores, so that a few huge texts do not keep the short ones from being read.
        self._threads = ThreadPoolExecutor(4 + usable_cores(), thread_name_prefix="tersely-text")
        self._engine = BackgroundLoader(load, self._threads, first_rest=retry_seconds)
        self._flights: dict[PartKey, asyncio.Task[_Answer]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._close_seconds = close_seconds
        self._closed = False

    async def start(self) -> None:
        """Load the classifier and begin to connect the shared cache."""
        if self._shared is not None:
            self._shared.start()
        await self._engine.attempt()

    def degraded(self) -> Mapping[str, str]:
        """What does not work now and why, by component."""
        troubles = {
            "classifier": self._engine.trouble,
            "shared cache": self._shared.degraded() if self._shared is not None else None,
        }
        return {component: trouble for component, trouble in troubles.items() if trouble}

    async def compress(
        self, text: str, settings: Settings, *, tenant: str, deadline_ms: float
    ) -> Outcome:
        """Return the compressed part, or the original with the reason; raises nothing."""
        started = time.perf_counter()
        try:
            part = PartKey.of(text, settings, tenant)
            answer = self._known(part, text, settings)
            if answer is None:
                spent = time.perf_counter() - started
                answer = await self._computed(part, text, settings, deadline_ms / 1000 - spent)
        except Exception as error:  # noqa: BLE001 - the fail-open boundary
            _report(error)
            answer = _Answer(CacheState.MISS, failure=Failure.ERROR)
        elapsed_ms = (time.perf_counter() - started) * 1000
        out = text if answer.result is None else answer.result.text
        return Outcome(out, answer.cache, answer.result, answer.failure, elapsed_ms)

    async def close(self) -> None:
        """Give late work `close_seconds` to reach the caches, then release everything."""
        self._closed = True
        running = {*self._flights.values(), *self._background}
        if running:
            await asyncio.wait(running, timeout=self._close_seconds)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        await self._engine.close()
        await asyncio.to_thread(self._release_threads)
        if self._shared is not None:
            await self._shared.close()

    def _release_threads(self) -> None:
        if self._engine.loaded is not None:
            self._engine.loaded.close()
        self._threads.shutdown(cancel_futures=True)

    def _known(self, part: PartKey, text: str, settings: Settings) -> _Answer | None:
        """Answer from memory, without a task; None when it takes more."""
        if part in self._originals:
            return _EARLIER
        engine = self._engine.loaded
        if engine is None:
            return None
        entry = self._memory.get(part.entry(engine.revision_for(settings)))
        return None if entry is None else _Answer(CacheState.MEMORY, expand(entry, text))

    async def _computed(
        self, part: PartKey, text: str, settings: Settings, seconds: float
    ) -> _Answer:
        """Answer by computing, together with everybody who waits for the same part."""
        flight = self._flights.get(part)
        joined = flight is not None
        if flight is None:
            flight = self._launch(part, text, settings)
        # `wait` leaves the flight alone when this caller is cancelled or out of time.
        await asyncio.wait({flight}, timeout=max(0.0, seconds))
        if not flight.done():
            if self._engine.beginning:
                # No verdict: that the classifier is not there yet says nothing about the part.
                return _Answer(CacheState.MISS, failure=Failure.CLASSIFIER_UNAVAILABLE)
            return self._failed(part, Failure.DEADLINE)
        if part in self._originals:  # it was too slow for somebody else: the same for all
            return _EARLIER
        if flight.cancelled():
            return _Answer(CacheState.MISS, failure=Failure.ERROR)
        error = flight.exception()
        if error is not None:
            return self._failed(part, _reason(error))
        answer = flight.result()
        if joined and answer.failure is None:
            return _Answer(CacheState.JOINED, answer.result)
        return answer

    def _launch(self, part: PartKey, text: str, settings: Settings) -> asyncio.Task[_Answer]:
        if self._closed:
            raise PoolClosed("the compressor is closed")
        flight = asyncio.create_task(self._fly(part, text, settings))
        self._flights[part] = flight
        flight.add_done_callback(lambda ended: self._landed(part, ended))
        return flight

    def _landed(self, part: PartKey, flight: asyncio.Task[_Answer]) -> None:
        del self._flights[part]
        error = None if flight.cancelled() else flight.exception()
        if error is not None:
            _report(error)

    async def _fly(self, part: PartKey, text: str, settings: Settings) -> _Answer:
        engine = await self._engine.get()
        key = part.entry(engine.revision_for(settings))
        if self._shared is not None:
            found = await self._shared.find(part, key)
            # A verdict of this copy's own, on this very flight, is no reason to give the work up.
            if found.original_seconds and part not in self._originals:
                self._originals.add(part, found.original_seconds)
                return _EARLIER
            if found.result is not None:
                self._memory.put(key, found.result)
                return _Answer(CacheState.SHARED, expand(found.result, text))
        result = await self._run(engine, text, settings)
        if self._shared is not None:
            mine = compact(result)
            agreed = await self._shared.store(part, key, mine)
            if agreed != mine:
                result = expand(agreed, text)
        self._memory.put(key, result)
        return _Answer(CacheState.MISS, result)

    async def _run(self, engine: Engine, text: str, settings: Settings) -> CompressionResult:
        # No thread is held while the windows wait their turn.
        loop = asyncio.get_running_loop()
        draft = await loop.run_in_executor(self._threads, engine.begin, text, settings)
        if draft.pending is not None:
            await asyncio.wrap_future(draft.pending)
        return await loop.run_in_executor(self._threads, draft.finish)

    def _failed(self, part: PartKey, failure: Failure) -> _Answer:
        if not self._closed:  # else it is this process's end, and no verdict on the part
            self._originals.add(part)
            if self._shared is not None:
                self._in_background(self._shared.keep_original(part, self._originals.seconds))
        return _Answer(CacheState.MISS, failure=failure)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _reason(error: BaseException) -> Failure:
    if isinstance(error, Overloaded):
        return Failure.OVERLOADED
    if isinstance(error, NotLoaded):
        return Failure.CLASSIFIER_UNAVAILABLE
    return Failure.ERROR


def _report(error: BaseException) -> None:
    """Log a bug by its type and place; its message could quote the prompt."""
    if not isinstance(error, _EXPECTED):
        where = "".join(traceback.format_tb(error.__traceback__))
        _log.error("compression failed with %s\n%s", type(error).__name__, where)
