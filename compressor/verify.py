"""Counts again, in the text that came out, what must never be lost, and says what is missing.

Independent of how the words were chosen: it looks only at the source, at the slices kept and at
the protected spans, and finds sentences, clauses and words with patterns of its own.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence, Set
from functools import cached_property

import numpy as np

from compressor.types import Kind, ProtectedSpan, Span, VerifiedCount

_UNSPACED = r"\u3041-\u30ff\u3400-\u9fff"
_SPACED = rf"[^\W_{_UNSPACED}]+(?:['’-][^\W_{_UNSPACED}]+)*"
_TOKEN = re.compile(rf"{_SPACED}|[{_UNSPACED}]{{1,2}}")
# Half of a clause is counted in characters where words are not spaced: words of one, two or eight
# of them would make half of it another half.
_UNIT = re.compile(rf"{_SPACED}|[{_UNSPACED}]")
_CLAUSE_END = re.compile(r"[,;:.!?…]+(?=\s|$|[^\x00-\x7f])|[、，；：。！？]+|\n")
_GLUED = re.compile(r"(?:-?[A-Za-z\d])+")  # the rest of "2-tuple" is no other word of its clause
_SENTENCE_END = re.compile(r"[.!?…]+[\"”’)]?(?=\s|$)|[。！？]|\n")
_NEGATED_AFTER = 12  # words after a negation of which any kept one calls for it
_NEGATED_BEFORE = 6  # words before it that do where its clause ends with it; else the last one
_CLAUSE_REACH = 300  # characters to each side in which a clause is looked for


def missing(
    text: str, kept: Sequence[Span], protected: Sequence[ProtectedSpan]
) -> list[ProtectedSpan]:
    """Return the protected spans that should be in the kept slices and are not whole in them.

    Unconditional ones always should; a negation when a word of its sentence that it may bear on is
    kept; a number when at least half of its clause's words are; any other conditional one when a
    part of it is kept.
    """
    coverage = _Coverage(text, kept)
    return [
        span
        for span in protected
        if not coverage.whole(span.start, span.end) and _called_for(text, span, coverage)
    ]


def count(
    text: str,
    kept: Sequence[Span],
    protected: Sequence[ProtectedSpan],
    put_back: Set[ProtectedSpan] = frozenset(),
) -> dict[Kind, VerifiedCount]:
    """Count the protected spans of each kind against the kept slices, in the source's order.

    `protected` are the spans as they were found; `put_back` those that `missing` had named and that
    were required afterwards.
    """
    coverage = _Coverage(text, kept)
    spans, called_for, whole, restored = (Counter[Kind]() for _ in range(4))
    for span in protected:
        spans[span.kind] += 1
        if coverage.whole(span.start, span.end):
            called_for[span.kind] += 1
            whole[span.kind] += 1
            restored[span.kind] += span in put_back
        elif _called_for(text, span, coverage):
            called_for[span.kind] += 1
    return {
        kind: VerifiedCount(n, called_for[kind], whole[kind], restored[kind])
        for kind, n in spans.items()
    }


class _Coverage:
    """Which characters of the source are kept."""

    def __init__(self, text: str, kept: Sequence[Span]) -> None:
        self._text = text
        self._starts = [s.start for s in kept]
        self._ends = [s.end for s in kept]

    def whole(self, start: int, end: int) -> bool:
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and self._ends[index] >= end

    def any(self, start: int, end: int) -> bool:
        index = bisect_right(self._starts, end - 1) - 1
        return index >= 0 and self._ends[index] > start

    def words(self, start: int, end: int) -> tuple[int, int]:
        """Return how many words lie in this part of the text, and how many of them are whole."""
        starts, ends, whole = self._counted
        first = bisect_left(starts, start)
        stop = max(first, bisect_right(ends, end))
        return stop - first, whole[stop] - whole[first]

    @cached_property
    def _counted(self) -> tuple[list[int], list[int], list[int]]:
        """All words' starts and ends, and how many of those before each are whole.

        Counted once: where a clause is a thousand numbers, each of them asks for its neighbours.
        """
        spans = [match.span() for match in _UNIT.finditer(self._text)]
        starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
        index = np.searchsorted(self._starts, starts, side="right") - 1
        kept_ends = np.array([*self._ends, -1], np.int64)  # the last is that of index -1
        whole = np.cumsum(kept_ends[index] >= ends)
        return starts.tolist(), ends.tolist(), [0, *whole.tolist()]


def _called_for(text: str, span: ProtectedSpan, coverage: _Coverage) -> bool:
    if not span.conditional or coverage.any(span.start, span.end):
        return True
    if span.kind is Kind.NEGATION:
        return any(coverage.any(*near) for near in _near_negation(text, span))
    if span.kind is Kind.NUMBER:
        start, end = _clause_start(text, span.start), _clause_end(text, span.end)
        before, kept_before = coverage.words(start, span.start)
        after, kept_after = coverage.words(_glued_end(text, span.end), end)
        kept = kept_before + kept_after
        return kept > 0 and kept * 2 >= before + after
    return False


def _near_negation(text: str, span: ProtectedSpan) -> list[tuple[int, int]]:
    """Return the words that the negation may bear on, apart from those of the span itself."""
    reach = span.end + _CLAUSE_REACH
    found = _SENTENCE_END.search(text, span.end, reach)
    after = _words(text, span.end, found.start() if found else min(len(text), reach))
    before = _words(text, _clause_start(text, span.start), span.start)
    goes_on = bool(after) and after[0][0] < _clause_end(text, span.end)
    return after[:_NEGATED_AFTER] + before[-1 if goes_on else -_NEGATED_BEFORE :]


def _words(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return [match.span() for match in _TOKEN.finditer(text, start, max(start, end))]


def _glued_end(text: str, position: int) -> int:
    """Return where the letters end that are written together with what ends here."""
    found = _GLUED.match(text, position)
    return found.end() if found else position


def _clause_end(text: str, position: int) -> int:
    found = _CLAUSE_END.search(text, position, position + _CLAUSE_REACH)
    return found.start() if found else min(len(text), position + _CLAUSE_REACH)


def _clause_start(text: str, position: int) -> int:
    start = max(0, position - _CLAUSE_REACH)
    for found in _CLAUSE_END.finditer(text, start, position):
        start = found.end()
    return start
