"""The counts of all copies together, in Redis or Valkey: quick, or done without."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import RedisError

from compressor.bounded_redis import BoundedRedis
from compressor.circuit import Circuit
from proxy.config_access import Limits
from proxy.tally import DAY, MINUTE, Moment, Tally

_Answer = TypeVar("_Answer")

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
        self._bounded = BoundedRedis(url, call_budget_ms=call_budget_ms, max_calls=_MAX_CALLS)
        self._redis = self._bounded.client
        self._take = self._redis.register_script(_TAKE)
        self._circuit = Circuit(clock)

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
        await self._bounded.close()

    async def _call(self, command: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
        return await self._bounded.call(self._circuit, command, _fail)


def _fail(circuit: Circuit, trouble: str | BaseException) -> None:
    if isinstance(trouble, str):
        circuit.failed(trouble)
    elif isinstance(trouble, RedisError | OSError):
        circuit.failed(f"{type(trouble).__name__}: {str(trouble)[:200]}")
    else:
        circuit.succeeded()  # the server's part was done
        raise trouble


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
