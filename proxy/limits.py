"""Requests and tokens per tenant: counted, held to the limits, corrected to what was billed.

Per minute in a sliding window: what counts is the current minute and, of the one before, the share
that the last 60 seconds still reach into, as if its use had been even. (Cloudflare's counter,
https://blog.cloudflare.com/counting-things-a-lot-of-different-things/.) Per day in a fixed window
from 00:00 UTC.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from proxy.config_access import Limits
from proxy.errors import RequestRefused
from proxy.savings import Ending, SavingsRecord, Usage
from proxy.tally import DAY, MINUTE, LocalTallies, Moment, Tally
from proxy.unsettled import Counted, Unsettled

_CLOSE_SECONDS = 1.0
# Clients sleep for as long as retry-after says, Anthropic's even for hours. A minute's window may
# be waited for; what is left of a day is no wait to stop a program for.
_LONGEST_WAIT = 2 * MINUTE
_NO_RETRY = (b"x-should-retry", b"false")
# Endings after which the provider has nothing to bill.
_UNBILLED = frozenset({Ending.REFUSED, Ending.UPSTREAM_UNREACHABLE, Ending.INTERNAL_ERROR})


class SharedTallies(Protocol):
    """Counts that all copies share; `proxy.limits_shared` has them in Redis."""

    async def take(
        self, tenant: str, limits: Limits, moment: Moment, *, requests: int, tokens: int
    ) -> tuple[bool, Tally] | None:
        """Add where the limits allow it; whether they did, and the counts. None: not to be had."""
        ...

    async def add(self, tenant: str, moment: Moment, tokens: int) -> None:
        """Add tokens, or take some back, whatever the limits say."""
        ...

    def degraded(self) -> str | None:
        """Why the counts are not to be had now; None when they are."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Limiter:
    """Counts for every tenant that has limits. With `shared`, for all copies together.

    Where the shared counts are not to be had the copy goes by its own, which it always keeps, and
    `degraded` says so: nobody is refused because a Redis is down, and no limit is dropped.
    """

    def __init__(
        self, shared: SharedTallies | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._shared = shared
        self._clock = clock
        self._local = LocalTallies()
        self.unsettled = Unsettled()
        self._background: set[asyncio.Task[None]] = set()

    async def admit(self, tenant: str, limits: Limits | None) -> "Allowance | None":
        """Count one request; raises RequestRefused (429). None for a tenant without limits."""
        if limits is None:
            return None
        allowance = Allowance(self, tenant, limits)
        await allowance.take(requests=1, tokens=0)
        return allowance

    def moment(self) -> Moment:
        """Return the time as windows have it."""
        return Moment.of(self._clock())

    async def take(
        self, tenant: str, limits: Limits, moment: Moment, requests: int, tokens: int
    ) -> tuple[bool, Tally]:
        """Add where the limits allow it; return whether they did, and the counts."""
        if self._shared is not None:
            found = await self._shared.take(
                tenant, limits, moment, requests=requests, tokens=tokens
            )
            if found is not None:
                if found[0]:
                    self._local.add(tenant, moment, requests, tokens)
                return found
        return self._local.take(tenant, limits, moment, requests, tokens)

    def add(self, tenant: str, moment: Moment, tokens: int) -> None:
        """Add tokens, or take some back; at once here, soon for all copies."""
        self._local.add(tenant, moment, 0, tokens)
        if self._shared is not None:
            self._in_background(self._shared.add(tenant, moment, tokens))

    def settle_later(self, response_id: str, usage: Usage) -> None:
        """Correct the count for a response whose usage is told only now, whoever asked for it."""
        completion = usage.completion_tokens
        counted = self.unsettled.pop(response_id) if completion is not None else None
        if counted is None or completion is None:
            return
        prompt = counted.tokens if usage.prompt_tokens is None else usage.prompt_tokens
        more = prompt + completion - counted.tokens
        self.add(counted.tenant, counted.moment if more < 0 else self.moment(), more)

    def degraded(self) -> str | None:
        """Why limits are not counted over all copies now; None when they are."""
        why = self._shared.degraded() if self._shared is not None else None
        return None if why is None else f"each copy counts for itself: {why}"

    async def close(self) -> None:
        """Give the last corrections a moment, then close."""
        if self._background:
            await asyncio.wait(self._background, timeout=_CLOSE_SECONDS)
        if self._shared is not None:
            await self._shared.close()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


@dataclass(frozen=True, slots=True)
class _Measure:
    """One limit, and how it stands. `used` may be over it: an answer's length is known late."""

    unit: str  # what is counted, as OpenAI calls it in `type`
    per: str
    limit: int
    used: float
    resets_in: float  # seconds until all of it is free, with nothing more used
    # seconds until so much more is allowed; None when it never is
    wait: Callable[[int], float | None]

    @property
    def header(self) -> str:
        """What its headers' names end in."""
        return self.unit if self.per == "minute" else f"{self.unit}-{self.per}"


class Allowance:
    """What one request may use. Made by Limiter.admit; `settle` ends it."""

    def __init__(self, limiter: Limiter, tenant: str, limits: Limits) -> None:
        self._limiter = limiter
        self._tenant = tenant
        self._limits = limits
        self._prompt = 0
        self._reserved = 0
        self._moment = limiter.moment()
        self._tally = Tally()

    @property
    def counts_tokens(self) -> bool:
        """Whether the request's tokens matter."""
        return self._limits.on_tokens

    async def reserve(self, tokens: int) -> None:
        """Count the prompt's tokens before it is sent; raises RequestRefused (429)."""
        if tokens and self.counts_tokens:
            await self.take(requests=0, tokens=tokens)
            self._prompt = self._reserved = tokens

    async def take(self, *, requests: int, tokens: int) -> None:
        """Count, or raise RequestRefused (429) with when to come again."""
        self._moment = self._limiter.moment()
        allowed, self._tally = await self._limiter.take(
            self._tenant, self._limits, self._moment, requests, tokens
        )
        if not allowed:
            raise self._refusal(requests, tokens)

    def use(self, tokens: int) -> None:
        """Count tokens that were used now, before the end of what they belong to."""
        if self.counts_tokens:
            self._limiter.add(self._tenant, self._limiter.moment(), tokens)
            self._reserved += tokens

    def settle(
        self, record: SavingsRecord, streamed: int = 0, response_id: str | None = None
    ) -> None:
        """Correct the count to what the answer says was used; give it back where none was.

        Without usage in the answer the count of what was sent stays, and `streamed` is added: about
        how many tokens of a stream came. So it is for a stream that was left before its end. A
        response with an id may still tell the rest, see Limiter.settle_later.
        """
        if not self.counts_tokens:
            return
        prompt, completion = record.usage.prompt_tokens, record.usage.completion_tokens
        finished = record.ending is Ending.FINISHED
        refused = record.status is not None and record.status >= 400
        if record.ending in _UNBILLED or (finished and refused):
            used, response_id = 0, None
        else:
            if completion is not None and finished:
                response_id = None
            if completion is None or not finished:
                completion = max(completion or 0, streamed)
            used = (self._prompt if prompt is None else prompt) + completion
        more = used - self._reserved
        if more:
            # What comes back leaves the window it was counted in; what was used on top is used now.
            moment = self._moment if more < 0 else self._limiter.moment()
            self._limiter.add(self._tenant, moment, more)
        self._reserved = used
        if response_id is not None:
            self._limiter.unsettled.add(response_id, Counted(self._tenant, used, self._moment))

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return x-tersely-ratelimit-*: how the limits stood when the request was let through."""
        found = []
        for measure in self._measures():
            remaining = max(0, math.floor(measure.limit - measure.used))
            for kind, value in (
                ("limit", measure.limit),
                ("remaining", remaining),
                ("reset", math.ceil(measure.resets_in)),
            ):
                name = f"x-tersely-ratelimit-{kind}-{measure.header}"
                found.append((name.encode("ascii"), b"%d" % value))
        return found

    def _refusal(self, requests: int, tokens: int) -> RequestRefused:
        found: list[tuple[float, _Measure, int]] = []
        for measure in self._measures():
            more = requests if measure.unit == "requests" else max(tokens, 1)
            wait = measure.wait(more) if more else 0.0
            found.append((math.inf if wait is None else wait, measure, more))
        return self._refused(*max(found, key=lambda one: one[0]))

    def _refused(self, wait: float, measure: _Measure, more: int) -> RequestRefused:
        about = (
            f"the tenant '{self._tenant}' on {measure.unit} per {measure.per}: "
            f"limit {measure.limit}, used {math.ceil(measure.used)}, requested {more}."
        )
        headers = tuple(self.headers())
        if wait == math.inf:
            message = f"Request too large for {about} It has to become shorter."
            headers += (_NO_RETRY,)
            seconds = None
        else:
            seconds = max(1, math.ceil(wait))
            message = f"Rate limit reached for {about} Please try again in {seconds}s."
            if seconds > _LONGEST_WAIT:
                headers += (_NO_RETRY,)
        return RequestRefused(
            429,
            message,
            type=measure.unit,
            code="rate_limit_exceeded",
            retry_after=seconds,
            headers=headers,
        )

    def _measures(self) -> list[_Measure]:
        limits, tally, moment = self._limits, self._tally, self._moment
        found = []
        if (limit := limits.requests_per_minute) is not None:
            before, now = tally.requests_before, tally.requests_now
            found.append(_per_minute("requests", limit, before, now, moment))
        if (limit := limits.tokens_per_minute) is not None:
            before, now = tally.tokens_before, tally.tokens_now
            found.append(_per_minute("tokens", limit, before, now, moment))
        if (limit := limits.tokens_per_day) is not None:
            found.append(_per_day(limit, tally.tokens_today, moment))
        return found


def _per_minute(unit: str, limit: int, before: int, now: int, moment: Moment) -> _Measure:
    passed = moment.seconds_into_minute

    def wait(more: int) -> float | None:
        room = limit - more
        if room < 0:
            return None
        if before * moment.share_before + now <= room:
            return 0.0
        if now <= room:
            # `before` fades out within this minute.
            return (1 - (room - now) / before) * MINUTE - passed
        # This minute's use has to fade in the next.
        return MINUTE - passed + (1 - room / now) * MINUTE

    used = before * moment.share_before + now
    resets = 2 * MINUTE - passed if now else MINUTE - passed if before else 0.0
    return _Measure(unit, "minute", limit, used, resets, wait)


def _per_day(limit: int, used: int, moment: Moment) -> _Measure:
    rest = DAY - moment.seconds_into_day

    def wait(more: int) -> float | None:
        if more > limit:
            return None
        return rest if used + more > limit else 0.0

    return _Measure("tokens", "day", limit, used, rest, wait)
