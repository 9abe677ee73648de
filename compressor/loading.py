"""Loads the compressor off the event loop, and again later when that fails."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

_Loaded = TypeVar("_Loaded")


class NotLoaded(Exception):
    """What was to be loaded could not be; the cause says why."""


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
