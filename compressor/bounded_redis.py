"""Redis calls that are quick or done without: a time for each, a bound on how many wait."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from compressor.circuit import Circuit

_Answer = TypeVar("_Answer")

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 1.0


class BoundedRedis:
    """A client whose calls take `call_budget_ms` of the caller's time at most.

    A call that takes longer goes on by itself (so that a slow connection is there for the next) and
    the caller goes on without it. The URL is redis://, rediss:// or unix://, with user, password
    and database as redis-py reads them; raises ValueError for any other. Nothing is connected
    before the first call.
    """

    def __init__(self, url: str, *, call_budget_ms: int, max_calls: int) -> None:
        self.client = Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            # One more try at once: a pooled connection may have been closed by the server.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._budget_seconds = call_budget_ms / 1000
        self._max_calls = max_calls
        self._calls: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def call(
        self,
        circuit: Circuit,
        command: Callable[[], Awaitable[_Answer]],
        failed: Callable[[Circuit, str | BaseException], None],
    ) -> _Answer | None:
        """Return the command's answer, or None where it is not to be had in time.

        `failed` is told of a call that took too long or found too many waiting, in words, and of
        the error of one that failed; it may raise that.
        """
        if self._closed or not circuit.allows():
            return None
        if len(self._calls) >= self._max_calls:
            failed(circuit, f"{self._max_calls} calls are waiting for an answer")
            return None
        call = self.launch(_run(command))
        done, _ = await asyncio.wait({call}, timeout=self._budget_seconds)
        if not done:
            failed(circuit, f"no answer within {self._budget_seconds * 1000:.0f} ms")
            return None
        if call.cancelled():  # by `close`
            return None
        error = call.exception()
        if error is not None:
            failed(circuit, error)
            return None
        circuit.succeeded()
        return call.result()

    def launch(self, call: Coroutine[Any, Any, _Answer]) -> asyncio.Task[_Answer]:
        """Run something in the background until it ends or `close` ends it."""
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Drop running calls and close the connections."""
        self._closed = True
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(set(self._calls))
        await self.client.aclose()

    def _ended(self, call: asyncio.Task[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # seen, so that asyncio does not report a late call as forgotten


async def _run(command: Callable[[], Awaitable[_Answer]]) -> _Answer:
    return await command()
