"""Loads the compressor off the event loop, and again later when that fails."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Generic, TypeVar

_Loaded = TypeVar("_Loaded")


class NotLoaded(Exception):
    """What was to be loaded could not be; the cause says why."""


class EarlyLoad(Generic[_Loaded]):
    """Begins `load` in a thread now, before there is an event loop; a call returns its result.

    It is called from one thread at a time. After a failure, which the call raises, the next call
    loads again, and so does the first one in a forked process, which has no such thread.
    """

    def __init__(self, load: Callable[[], _Loaded]) -> None:
        self._load = load
        self._process = os.getpid()
        executor = ThreadPoolExecutor(1, thread_name_prefix="tersely-load")
        self._running: Future[_Loaded] | None = executor.submit(load)
        executor.shutdown(wait=False)

    def __call__(self) -> _Loaded:
        """Wait for what was begun, or load; raises what `load` does."""
        running, self._running = self._running, None
        if running is None or os.getpid() != self._process:
            return self._load()
        return running.result()


class BackgroundLoader(Generic[_Loaded]):
    """Calls `load` in a thread of `executor` until it succeeds once.

    After a failure it rests, `first_rest` seconds and then twice as long each time up to
    `longest_rest`, and tries again by itself.
    """

    def __init__(
        self,
        load: Callable[[], _Loaded],
        executor: Executor,
        *,
        first_rest: float = 5.0,
        longest_rest: float = 300.0,
    ) -> None:
        self.loaded: _Loaded | None = None
        self.trouble: str | None = "not loaded yet"
        self._load = load
        self._executor = executor
        self._rest = first_rest
        self._longest_rest = longest_rest
        self._error: BaseException | None = None
        self._running: asyncio.Task[_Loaded] | None = None
        self._retry: asyncio.TimerHandle | None = None

    @property
    def beginning(self) -> bool:
        """Whether nothing is known yet: the first load has not ended."""
        return self.loaded is None and self._error is None

    async def attempt(self) -> None:
        """Wait for the load that runs, beginning the first; raises nothing (see `trouble`)."""
        if self._running is None and self._error is None and self.loaded is None:
            self._begin()
        if self._running is not None:
            await asyncio.wait({self._running})

    async def get(self) -> _Loaded:
        """Return what was loaded; raises NotLoaded after a failure, until a later try succeeds."""
        await self.attempt()
        if self.loaded is not None:
            return self.loaded
        raise NotLoaded(self.trouble) from self._error

    async def close(self) -> None:
        """Stop trying."""
        if self._retry is not None:
            self._retry.cancel()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    def _begin(self) -> None:
        self._running = asyncio.create_task(self._load_in_thread())
        self._running.add_done_callback(self._ended)

    async def _load_in_thread(self) -> _Loaded:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._load)

    def _ended(self, task: asyncio.Task[_Loaded]) -> None:
        self._running = None
        if task.cancelled():
            return
        self._error = task.exception()
        if self._error is None:
            self.loaded, self.trouble = task.result(), None
            return
        reason = str(self._error) or type(self._error).__name__
        self.trouble = f"{reason} (next try in {self._rest:.0f} s)"
        self._retry = asyncio.get_running_loop().call_later(self._rest, self._begin)
        self._rest = min(self._rest * 2, self._longest_rest)
