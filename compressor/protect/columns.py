"""Columns: output set in columns by spaces, fields between delimiters, reStructuredText tables."""

import re
from collections.abc import Callable, Sequence

from compressor.protect.lines import LONGEST_LINE, Line, lines_while
from compressor.protect.logs import is_log_line

_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_CELL = re.compile(r"\S+(?: \S+)*")
_AMOUNT = re.compile(r"\D{0,5}\d[\d.,:'’%]{0,20}\D{0,5}")
_WORD = re.compile(r"\S+")
_LEAST_GAPS = 2
_LEAST_ROWS = 3
_RULE = re.compile(r"[ \t]{0,20}={2,}(?: +={2,})+\s*$")
_DELIMITERS = ("\t", ",", ";")
_LONGEST_FIELD = 40  # characters, in the mean
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def columns_end(lines: Sequence[Line], index: int) -> int:
    """Return where rows of columns that start at this line stop; `index` where none start."""
    return max(_ruled_end(lines, index), _aligned_end(lines, index), _delimited_end(lines, index))


def _ruled_end(lines: Sequence[Line], index: int) -> int:
    """A reStructuredText table runs from its first rule to its last, over no blank line."""
    if not _RULE.match(lines[index][2]):
        return index
    at = stop = index
    while at < len(lines) and lines[at][2].strip():
        at += 1
        if _RULE.match(lines[at - 1][2]):
            stop = at
    return stop if stop > index + 1 else index


def _aligned_end(lines: Sequence[Line], index: int) -> int:
    """Three rows or more whose cells are numbers or stand under words of the first row.

    Prose with two spaces between its sentences has nothing under anything.
    """
    first = lines[index][2]
    if len(first) > LONGEST_LINE or len(_GAP.findall(first)) < _LEAST_GAPS or is_log_line(first):
        return index
    words = [match.span() for match in _WORD.finditer(first)]
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    at = lines_while(lines, index + 1, lambda line: _is_under(line, starts, ends))
    if at - index < _LEAST_ROWS:
        return index
    # Below them may stand a sum or a remark with fewer cells.
    return lines_while(lines, at, lambda line: _is_under(line, starts, ends, least=1))


def _is_under(line: str, starts: set[int], ends: set[int], least: int = _LEAST_GAPS) -> bool:
    cells = list(_CELL.finditer(line))[1:]
    under = sum(
        cell.start() in starts or cell.end() in ends or _AMOUNT.fullmatch(cell.group()) is not None
        for cell in cells
    )
    return len(cells) >= least and under * 5 >= len(cells) * 3


def _delimited_end(lines: Sequence[Line], index: int) -> int:
    """At least three lines with one number of short fields; prose has spaces behind its commas."""
    first = lines[index][2]
    bare = _QUOTED.sub("", first)
    for delimiter in _DELIMITERS:
        fields = bare.count(delimiter)
        if fields < 2 or (delimiter != "\t" and bare.count(delimiter + " ") * 4 > fields):
            continue
        if len(bare) > _LONGEST_FIELD * (fields + 1):
            continue
        at = lines_while(lines, index, _has_fields(delimiter, fields))
        if at - index >= _LEAST_ROWS:
            return at
    return index


def _has_fields(delimiter: str, fields: int) -> Callable[[str], bool]:
    return lambda line: _QUOTED.sub("", line).count(delimiter) == fields
