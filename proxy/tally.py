"""The counts that limits are held to, for one process. Plain arithmetic; no input or output."""

from collections import OrderedDict
from dataclasses import dataclass, replace

from proxy.config_access import Limits

MINUTE = 60
DAY = 86_400
# Only without proxy keys can clients make tenants up; then the longest unused are forgotten.
_MOST_TENANTS = 10_000


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, as the windows have it: the number of its minute and of its day since the epoch."""

    minute: int
    day: int
    seconds_into_minute: float
    seconds_into_day: float

    @classmethod
    def of(cls, seconds: float) -> "Moment":
        """Take seconds since the epoch, UTC."""
        minute, into_minute = divmod(seconds, MINUTE)
        day, into_day = divmod(seconds, DAY)
        return cls(int(minute), int(day), into_minute, into_day)

    @property
    def share_before(self) -> float:
        """The share of the minute before that the last 60 seconds still reach into."""
        return 1 - self.seconds_into_minute / MINUTE


@dataclass(frozen=True, slots=True)
class Tally:
    """What one tenant used: in the minute before, in the current one, and today."""

    requests_before: int = 0
    requests_now: int = 0
    tokens_before: int = 0
    tokens_now: int = 0
    tokens_today: int = 0

    def plus(self, requests: int, tokens: int) -> "Tally":
        """Return the counts with so much more in the current windows."""
        return replace(
            self,
            requests_now=self.requests_now + requests,
            tokens_now=self.tokens_now + tokens,
            tokens_today=self.tokens_today + tokens,
        )

    def allows(self, limits: Limits, share_before: float, requests: int, tokens: int) -> bool:
        """Return whether so much more is within the limits.

        With `tokens` 0 at least one has to be left: how many it will be is not known yet.
        """
        tokens = max(tokens, 1)
        used = self.tokens_before * share_before + self.tokens_now
        return (
            not requests
            or _within(
                limits.requests_per_minute,
                self.requests_before * share_before + self.requests_now + requests,
            )
        ) and (
            _within(limits.tokens_per_minute, used + tokens)
            and _within(limits.tokens_per_day, self.tokens_today + tokens)
        )


def _within(limit: int | None, used: float) -> bool:
    return limit is None or used <= limit


@dataclass(slots=True)
class _Counted:
    minute: int
    day: int
    tally: Tally

    def at(self, moment: Moment) -> None:
        """Move the windows on to a moment; a clock that was set back moves nothing."""
        if moment.day > self.day:
            self.day = moment.day
            self.tally = replace(self.tally, tokens_today=0)
        passed = moment.minute - self.minute
        if passed <= 0:
            return
        self.minute = moment.minute
        old = self.tally
        self.tally = replace(
            old,
            requests_before=old.requests_now if passed == 1 else 0,
            requests_now=0,
            tokens_before=old.tokens_now if passed == 1 else 0,
            tokens_now=0,
        )


class LocalTallies:
    """The counts of one process. For one event loop."""

    def __init__(self, most_tenants: int = _MOST_TENANTS) -> None:
        self._counted: OrderedDict[str, _Counted] = OrderedDict()
        self._most = most_tenants

    def take(
        self, tenant: str, limits: Limits, moment: Moment, requests: int, tokens: int
    ) -> tuple[bool, Tally]:
        """Add where the limits allow it; return whether they did, and the counts."""
        counted = self._of(tenant, moment)
        counted.at(moment)
        allowed = counted.tally.allows(limits, moment.share_before, requests, tokens)
        if allowed:
            counted.tally = counted.tally.plus(requests, tokens)
        return allowed, counted.tally

    def add(self, tenant: str, moment: Moment, requests: int, tokens: int) -> None:
        """Add, whatever the limits say; a negative number is taken out of its own windows."""
        counted = self._of(tenant, moment)
        counted.at(moment)
        tally = counted.tally
        if moment.day == counted.day:
            tally = replace(tally, tokens_today=max(0, tally.tokens_today + tokens))
        if moment.minute == counted.minute:
            tally = replace(
                tally,
                requests_now=tally.requests_now + requests,
                tokens_now=max(0, tally.tokens_now + tokens),
            )
        elif moment.minute == counted.minute - 1:
            tally = replace(tally, tokens_before=max(0, tally.tokens_before + tokens))
        counted.tally = tally

    def _of(self, tenant: str, moment: Moment) -> _Counted:
        counted = self._counted.get(tenant)
        if counted is None:
            counted = self._counted[tenant] = _Counted(moment.minute, moment.day, Tally())
            if len(self._counted) > self._most:
                self._counted.popitem(last=False)
        self._counted.move_to_end(tenant)
        return counted
