"""Logs: whole repeated lines go before any words do, and lines that report trouble go last."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import word_range
from compressor.protect.lines import as_shown
from compressor.protect.logs import is_log_line
from compressor.structure import Structure
from compressor.types import Kind, ProtectedSpan

_COUNT = re.compile(r"\d+")
# What these hold is told apart: a line with another path or id is another line.
_NAMES = frozenset({Kind.IDENTIFIER, Kind.PATH, Kind.URL, Kind.QUOTE, Kind.FORCED})
_TROUBLE = re.compile(
    r"\b(?:FATAL|CRITICAL|SEVERE|PANIC|ERROR|ERR|WARN(?:ING)?|FAIL(?:ED|URE)?)\b|"
    r"\b\w*(?:Exception|Error)\b|\b(?:fatal|panic|error|failed)\b|"
    r"\b(?:level|lvl)=\"?warn|\d{1,8} [EF] [^\n:]{1,60}:|(?<!\S)[EF]/[^\n(]{1,80}\("  # logcat
)
_LAST = 0.0  # below every keep probability: these lines go first
_TROUBLED = 0.995  # above nearly all: these go last


def repeated_lines(text: str, protected: Sequence[ProtectedSpan]) -> list[ProtectedSpan]:
    """Return the log lines and trace frames that say what lines before and after them say.

    Of log lines that differ in times and counts alone all but the first and the last; of a trace
    what find_protected has left loose.
    """
    lines = [s for s in protected if s.conditional and s.kind is Kind.CODE]
    names = [s for s in protected if s.kind in _NAMES]
    starts = [s.start for s in names]
    found: list[ProtectedSpan] = []
    alike: dict[str, list[ProtectedSpan]] = defaultdict(list)
    for line in lines:
        if not is_log_line(as_shown(text[line.start : line.end])):  # a frame
            found.append(line)
            continue
        inner = names[bisect_left(starts, line.start) : bisect_left(starts, line.end)]
        alike[_said(text, line, inner)].append(line)
    for group in alike.values():
        found += group[1:-1]
    return sorted(found, key=lambda s: s.start)


def _said(text: str, line: ProtectedSpan, names: Iterable[ProtectedSpan]) -> str:
    """Return a line without its numbers, except those in names."""
    pieces, at = [], line.start
    for name in names:
        if name.start >= at:
            pieces += [_COUNT.sub("0", text[at : name.start]), text[name.start : name.end]]
            at = name.end
    return "".join([*pieces, _COUNT.sub("0", text[at : line.end])])


def as_wholes(
    protected: Sequence[ProtectedSpan], repeated: Sequence[ProtectedSpan]
) -> list[ProtectedSpan]:
    """Return the protected spans, those inside repeated lines going with their line."""
    wholes = set(repeated)
    starts = [s.start for s in repeated]

    def inside(span: ProtectedSpan) -> bool:
        index = bisect_right(starts, span.start) - 1
        return index >= 0 and span.end <= repeated[index].end

    return [s for s in protected if s in wholes or not inside(s)]


def rank_lines(
    text: str,
    structure: Structure,
    scores: NDArray[np.float64],
    protected: Iterable[ProtectedSpan],
    repeated: Iterable[ProtectedSpan],
) -> NDArray[np.float64]:
    """Return the scores, shape (words,), with log lines ranked by what they report."""
    ranked = scores.copy()
    for line in protected:
        if line.conditional and line.kind is Kind.CODE:
            first, stop = word_range(structure, line.start, line.end)
            if _TROUBLE.search(as_shown(text[line.start : line.end])):
                ranked[first:stop] = np.maximum(ranked[first:stop], _TROUBLED)
    for line in repeated:
        first, stop = word_range(structure, line.start, line.end)
        ranked[first:stop] = _LAST
    return ranked
