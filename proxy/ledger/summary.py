"""Adds records up. Plain functions and values: no files, no clock."""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil

from proxy.savings import Ending, PartReport, SavingsRecord, Treatment

_TOKEN_NUMBER = re.compile(r"\b\d+(?= tokens\b)")
_LOOKED_AT = frozenset(
    {Treatment.COMPRESSED, Treatment.SHADOW, Treatment.UNCHANGED, Treatment.FAILED_OPEN}
)


class GroupBy(StrEnum):
    """What a summary can be split by."""

    MODEL = "model"
    POLICY = "policy"
    DAY = "day"


@dataclass(slots=True)
class Summary:
    """What a set of records comes to.

    Tokens, dollars and the provider's counts are of requests that the upstream accepted (answered
    below 400): only those are billed. `tokens_saved` is what was counted before less what was
    sent; `tokens_shadow` is what shadow mode would have saved and is no part of it. Dollars are
    the sum of what has a known price, None when nothing saved has one; `tokens_unpriced` are the
    saved tokens without. `dollars_full_price_requests` had no cached count from the provider, so
    that their saving is taken at the full price. Milliseconds are exact percentiles, None without
    data: compression over requests in which a part was compressed, the upstream's over those it
    accepted. `left_alone` holds the tokens of parts not shortened, by reason.
    """

    requests: int = 0
    accepted: int = 0
    tokens_before: int = 0
    tokens_sent: int = 0
    tokens_saved: int = 0
    tokens_estimated: int = 0
    shadow_requests: int = 0
    tokens_shadow: int = 0
    dollars_saved: float | None = None
    dollars_shadow: float | None = None
    tokens_unpriced: int = 0
    dollars_full_price_requests: int = 0
    unpriced_models: Counter[str] = field(default_factory=Counter)
    price_sources: Counter[str] = field(default_factory=Counter)
    compress_ms_p50: float | None = None
    compress_ms_p95: float | None = None
    upstream_first_byte_ms_p50: float | None = None
    upstream_ms_p50: float | None = None
    usage_requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    parts: int = 0
    parts_shortened: int = 0
    cache: Counter[str] = field(default_factory=Counter)
    part_failures: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    treatments: Counter[str] = field(default_factory=Counter)
    left_alone: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def percent_saved(self) -> float | None:
        """Saved / before in percent; None when there was nothing to save."""
        return 100 * self.tokens_saved / self.tokens_before if self.tokens_before else None

    @property
    def cache_hits(self) -> int:
        """Parts whose compressed text came from a cache or from a request already at it."""
        return sum(count for state, count in self.cache.items() if state != "miss")


@dataclass(frozen=True, slots=True)
class Report:
    """A total and, when it was asked for, its groups, the largest saving (or first day) first."""

    total: Summary
    by: GroupBy | None = None
    groups: Mapping[str, Summary] = field(default_factory=dict)
    first_at: float | None = None
    last_at: float | None = None


def summarise(records: Iterable[SavingsRecord], by: GroupBy | None = None) -> Report:
    """Add the records up, and per group when `by` is given. Reads them once, in any order."""
    total = _Tally()
    groups: dict[str, _Tally] = {}
    first = last = None
    for record in records:
        total.add(record)
        first = record.at if first is None else min(first, record.at)
        last = record.at if last is None else max(last, record.at)
        if by is not None:
            groups.setdefault(_KEYS[by](record), _Tally()).add(record)
    summaries = {name: tally.summary() for name, tally in groups.items()}
    return Report(total.summary(), by, _ordered(summaries, by), first, last)


def general_reason(reason: str) -> str:
    """Return the reason without the token count that makes it different for every part."""
    return _TOKEN_NUMBER.sub("n", reason)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of the ascending values do not exceed."""
    return values[max(ceil(share * len(values)), 1) - 1] if values else None


_KEYS: Mapping[GroupBy, Callable[[SavingsRecord], str]] = {
    GroupBy.MODEL: lambda record: record.model or "(none)",
    GroupBy.POLICY: lambda record: record.report.policy or "(none)",
    GroupBy.DAY: lambda record: datetime.fromtimestamp(record.at, UTC).date().isoformat(),
}


def _ordered(groups: Mapping[str, Summary], by: GroupBy | None) -> dict[str, Summary]:
    if by is GroupBy.DAY:
        return dict(sorted(groups.items()))
    order = sorted(groups.items(), key=lambda g: (-g[1].tokens_saved, -g[1].requests, g[0]))
    return dict(order)


class _Tally:
    """One running total: a summary that grows, and the times that its percentiles come from."""

    def __init__(self) -> None:
        self._sum = Summary()
        self._compress_ms = array("d")
        self._first_byte_ms = array("d")
        self._upstream_ms = array("d")

    def add(self, record: SavingsRecord) -> None:
        report, total = record.report, self._sum
        total.requests += 1
        total.endings[record.ending.value] += 1
        total.treatments[report.treatment.value] += 1
        if record.status is not None:
            total.statuses[f"{record.status // 100}xx"] += 1
        if report.note is not None:
            total.notes[general_reason(report.note)] += 1
        if report.compress_ms and report.treatment in _LOOKED_AT:
            self._compress_ms.append(report.compress_ms)
        if record.accepted:
            self._add_accepted(record)
            self._add_dollars(record)
        for part in report.parts:
            self._add_part(part)

    def _add_accepted(self, record: SavingsRecord) -> None:
        report, usage, total = record.report, record.usage, self._sum
        total.accepted += 1
        total.tokens_before += report.tokens_before
        total.tokens_sent += report.tokens_sent
        total.tokens_saved += record.tokens_saved
        total.tokens_shadow += record.tokens_shadow
        total.shadow_requests += report.treatment is Treatment.SHADOW
        if report.tokens_estimated:
            total.tokens_estimated += report.tokens_before
        if usage.prompt_tokens is not None:
            total.usage_requests += 1
            total.prompt_tokens += usage.prompt_tokens
            total.cached_tokens += usage.cached_tokens or 0
        if record.upstream_first_byte_ms is not None:
            self._first_byte_ms.append(record.upstream_first_byte_ms)
        if record.upstream_ms is not None:
            self._upstream_ms.append(record.upstream_ms)

    def _add_dollars(self, record: SavingsRecord) -> None:
        total = self._sum
        if record.tokens_shadow and record.dollars_shadow is not None:
            total.dollars_shadow = (total.dollars_shadow or 0.0) + record.dollars_shadow
        if not record.tokens_saved:
            return
        if record.dollars_saved is None:
            total.tokens_unpriced += record.tokens_saved
            total.unpriced_models[record.model] += record.tokens_saved
            return
        total.dollars_saved = (total.dollars_saved or 0.0) + record.dollars_saved
        total.dollars_full_price_requests += record.usage.cached_tokens is None
        if record.price_source is not None:
            total.price_sources[record.price_source] += 1

    def _add_part(self, part: PartReport) -> None:
        total = self._sum
        total.parts += 1
        if part.cache is not None:
            total.cache[part.cache] += 1
        if part.failure is not None:
            total.part_failures[part.failure] += 1
        elif part.tokens_after < part.tokens_before:
            total.parts_shortened += 1
        else:
            total.left_alone[general_reason(part.reason)] += part.tokens_before

    def summary(self) -> Summary:
        total = self._sum
        if not total.tokens_saved:
            total.dollars_saved = 0.0  # no token saved is no dollar, whatever the price
        compress = sorted(self._compress_ms)
        total.compress_ms_p50 = percentile(compress, 0.5)
        total.compress_ms_p95 = percentile(compress, 0.95)
        total.upstream_first_byte_ms_p50 = percentile(sorted(self._first_byte_ms), 0.5)
        total.upstream_ms_p50 = percentile(sorted(self._upstream_ms), 0.5)
        return total


def failures(summary: Summary) -> dict[str, int]:
    """Return everything that did not go as it should, by reason: parts and whole requests."""
    found = {f"part: {reason}": count for reason, count in summary.part_failures.items()}
    found |= {
        f"request: {ending}": count
        for ending, count in summary.endings.items()
        if ending != Ending.FINISHED
    }
    found |= {
        f"upstream answered {status}": count
        for status, count in summary.statuses.items()
        if status[0] in "45"
    }
    return found
