"""The counts of all copies together, in Redis or Valkey: quick, or done without."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from compressor.circuit import Circuit
from proxy.config_access import Limits
from proxy.tally import DAY, MINUTE, Moment, Tally

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 1.0
_MAX_CALLS = 256
_NO_LIMIT = -1

# One script, so that between the look at a count and its increase no other copy comes in. The same
# arithmetic as Tally.allows.
_TAKE = """
local function count(key) return tonumber(redis.call('GET', key) or '0') end
local requests, tokens, share = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local limit_requests, limit_tokens = tonumber(ARGV[4]), tonumber(ARGV[5])
local limit_day = tonumber(ARGV[6])
local rb, rn = count(KEYS[1]), count(KEYS[2])
local tb, tn, td = count(KEYS[3]), count(KEYS[4]), count(KEYS[5])
local least = math.max(tokens, 1)
if (limit_requests >= 0 and requests > 0 and rb * share + rn + requests > limit_requests)
  or (limit_tokens >= 0 and tb * share + tn + least > limit_tokens)
  or (limit_day >= 0 and td + least > limit_day) then
  return {0, rb, rn, tb, tn, td}
end
if requests > 0 then
  redis.call('INCRBY', KEYS[2], requests)
  redis.call('EXPIRE', KEYS[2], ARGV[7])
end
if tokens > 0 then
  redis.call('INCRBY', KEYS[4], tokens)
  redis.call('EXPIRE', KEYS[4], ARGV[7])
  redis.call('INCRBY', KEYS[5], tokens)
  redis.call('EXPIRE', KEYS[5], ARGV[8])
end
return {1, rb, rn + requests, tb, tn + tokens, td + tokens}
"""
# A count is still asked for in the window after its own; the rest is for clocks that differ.
_KEEP_MINUTE = 3 * MINUTE
_KEEP_DAY = DAY + 3600


class RedisTallies:
    """Counts in Redis, each call within `call_budget_ms`, never raising.

    After repeated failures the server is left alone for a while, as by the shared cache. The URL
    is the cache's; raises ValueError for one that cannot be used.
    """

    def __init__(
        self, url: str, *, call_budget_ms: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._take = self._redis.register_script(_TAKE)
        self._budget_seconds = call_budget_ms / 1000
        self._circuit = Circuit(clock)
        self._calls: set[asyncio.Task[Any]] = set()

    async def take(
        self, tenant: str, limits: Limits, moment: Moment, *, requests: int, tokens: int
    ) -> tuple[bool, Tally] | None:
        """Add where the limits allow it; None where Redis does not say in time."""
        bounds = (limits.requests_per_minute, limits.tokens_per_minute, limits.tokens_per_day)
        arguments: list[int | str] = [
            requests,
            tokens,
            repr(moment.share_before),
            *(_NO_LIMIT if bound is None else bound for bound in bounds),
            _KEEP_MINUTE,
            _KEEP_DAY,
        ]
        found = await self._call(lambda: self._take(keys=_names(tenant, moment), args=arguments))
        if found is None:
            return None
        allowed, *counts = (max(0, int(count)) for count in found)
        return bool(allowed), Tally(*counts)

    async def add(self, tenant: str, moment: Moment, tokens: int) -> None:
        """Add tokens to a moment's windows, or take some back."""
        _, _, _, this_minute, today = _names(tenant, moment)

        async def add() -> bool:
            async with self._redis.pipeline(transaction=True) as pipe:
                for name, seconds in ((this_minute, _KEEP_MINUTE), (today, _KEEP_DAY)):
                    pipe.incrby(name, tokens)
                    pipe.expire(name, seconds)
                await pipe.execute()
            return True

        await self._call(add)

    def degraded(self) -> str | None:
        """Why the counts are not to be had now; None when they are."""
        return self._circuit.trouble

    async def close(self) -> None:
        """Drop running calls and close the connections."""
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(set(self._calls))
        await self._redis.aclose()

    async def _call(self, command: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        if not self._circuit.allows():
            return None
        if len(self._calls) >= _MAX_CALLS:
            self._circuit.failed(f"{_MAX_CALLS} calls are waiting for an answer")
            return None
        call: asyncio.Task[Any] = asyncio.create_task(_run(command))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        done, _ = await asyncio.wait({call}, timeout=self._budget_seconds)
        if not done:
            self._circuit.failed(f"no answer within {self._budget_seconds * 1000:.0f} ms")
            return None
        if call.cancelled():
            return None
        error = call.exception()
        if isinstance(error, RedisError | OSError):
            self._circuit.failed(f"{type(error).__name__}: {str(error)[:200]}")
            return None
        self._circuit.succeeded()
        return call.result()

    def _ended(self, call: asyncio.Task[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # seen, so that asyncio does not report a late call as forgotten


async def _run(command: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
    return await command()


def _names(tenant: str, moment: Moment) -> list[str]:
    # The braces put a tenant's counts into one slot of a cluster, as a script needs them.
    prefix = f"tersely:limit:{{{tenant}}}"
    before, now = moment.minute - 1, moment.minute
    return [
        f"{prefix}:requests:{before}",
        f"{prefix}:requests:{now}",
        f"{prefix}:tokens:{before}",
        f"{prefix}:tokens:{now}",
        f"{prefix}:tokens-day:{moment.day}",
    ]
