"""Two runs of answer survival against each other: another classifier, or another revision."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from compressor.evaluation.bootstrap import Counted, Interval, NotComparable, counted, differences
from compressor.evaluation.runner import Row

Trials = Mapping[tuple[str, str | None], Row]
"""One set's rows by document and question."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more survives in the second run, paired; `set` is None for the mean over sets."""

    method: str
    rate: float
    set: str | None
    before: float
    after: float
    change: Interval

    @property
    def verdict(self) -> str:
        """Say whether the interval leaves zero out, and on which side."""
        if self.change.low > 0:
            return "higher"
        return "lower" if self.change.high < 0 else "level"


def compare(before: Iterable[Row], after: Iterable[Row]) -> list[Difference]:
    """Return every set's difference by method and rate, and then the mean over the sets.

    In the mean every set counts the same; each is resampled by its own documents. Only what both
    runs have is compared. Raises NotComparable where that is nothing, or where a set's documents
    or questions differ.
    """
    first, second = _grouped(before), _grouped(after)
    groups = [key for key in first if key in second]
    if not groups:
        raise NotComparable("the two runs have no set, method and rate in common")
    pairs = {key: _pair(key, first[key], second[key]) for key in groups}
    found = []
    for method, rate in dict.fromkeys((method, rate) for _, method, rate in groups):
        own = {name: pairs[name, m, r] for name, m, r in groups if (m, r) == (method, rate)}
        found += [_difference(method, rate, name, [pair]) for name, pair in own.items()]
        if len(own) > 1:
            found.append(_difference(method, rate, None, list(own.values())))
    return found


def comparison_table(found: Sequence[Difference]) -> str:
    """Return Markdown: a line for every difference."""
    lines = [
        "| method | rate | set | before | after | change | |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        change = one.change
        lines.append(
            f"| {one.method} | {one.rate:g} | {one.set or '**mean of sets**'} | {one.before:.3f} "
            f"| {one.after:.3f} | {change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f}) "
            f"| {one.verdict} |"
        )
    return "\n".join(lines)


def _grouped(rows: Iterable[Row]) -> dict[tuple[str, str, float], Trials]:
    """Return rows by set, method and rate; of a trial that was run anew, the last."""
    groups: dict[tuple[str, str, float], dict[tuple[str, str | None], Row]] = {}
    for row in rows:
        group = groups.setdefault((row.set, row.method, row.rate), {})
        group[row.doc, row.question] = row
    return dict(groups)


def _pair(key: tuple[str, str, float], before: Trials, after: Trials) -> tuple[Counted, Counted]:
    if _questions(before) != _questions(after):
        name, method, rate = key
        raise NotComparable(
            f"{name}, {method} at {rate:g}: the two runs have different documents or questions"
        )
    documents = list(dict.fromkeys(document for document, _ in before))

    def counts(rows: Trials) -> Counted:
        by_document: dict[str, list[bool | None]] = {document: [] for document in documents}
        for (document, _), row in rows.items():
            by_document[document].extend(row.survived.values())
        return counted([by_document[document] for document in documents])

    return counts(before), counts(after)


def _questions(rows: Trials) -> Mapping[tuple[str, str | None], Set[str]]:
    return {trial: row.survived.keys() for trial, row in rows.items()}


def _difference(
    method: str, rate: float, name: str | None, pairs: Sequence[tuple[Counted, Counted]]
) -> Difference:
    before, after, change = differences(pairs)
    return Difference(method, rate, name, before, after, change)
