"""Holds a shortened text against its source: what was lost, cut or deformed, by kind."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from compressor.evaluation.corpus.items import Item, find_items
from compressor.evaluation.corpus.meaning import Words, find_negations, find_numbers
from compressor.evaluation.corpus.structure_faults import faults as structure_faults
from compressor.evaluation.metrics import Coverage
from compressor.types import Span

_WHOLE_OR_GONE = frozenset({"quote", "log line"})
_LIST_LINE = re.compile(r"(?m)^[ \t>]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S")
_LIST_FAULTS = frozenset(
    {"line without its bullet", "line without its number", "bullet without its line"}
    | {"number without its line"}
)
_SHORT_VALUE = 150  # characters of a JSON string up to which nothing of it may change


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was called for: its kind, where it stands in the source, whether it is there.

    `fault` says what is wrong, and is empty where nothing is.
    """

    kind: str
    start: int
    end: int
    fault: str = ""


def check(
    source: str, kept: Sequence[Span], output: str, planted: Sequence[str] = ()
) -> list[Finding]:
    """Return what is called for in `output`, given the slices of `source` that it is made of.

    `planted` are strings that are known to be load-bearing: each is as often in the output as in
    the source.
    """
    found = [Finding("only slices of the source", 0, len(source), _assembled(source, kept, output))]
    if output == source:
        return found
    coverage = Coverage(kept)
    items = find_items(source)
    found += [_item(source, item, coverage) for item in items]
    found += _meaning(source, coverage, items)
    found += _lines(source, kept)
    found += _embedded_json(source, coverage)
    for text in dict.fromkeys(planted):
        lost = source.count(text) - output.count(text)
        at = source.find(text)
        found.append(Finding("planted item", at, at + len(text), f"{lost} lost" if lost else ""))
    return found


def _assembled(source: str, kept: Sequence[Span], output: str) -> str:
    if "".join(source[span.start : span.end] for span in kept) != output:
        return "the output is not what its slices give"
    apart = all(a.end < b.start for a, b in pairwise(kept))
    return "" if apart and all(s.start < s.end for s in kept) else "slices overlap or are empty"


def _item(source: str, item: Item, coverage: Coverage) -> Finding:
    fault = ""
    if item.kind == "table":
        fault = _table_fault(source, item, coverage)
    elif not coverage.whole(item.start, item.end):
        cut = coverage.any(item.start, item.end)
        fault = "cut" if cut else "" if item.kind in _WHOLE_OR_GONE else "lost"
    return Finding(item.kind, item.start, item.end, fault)


def _table_fault(source: str, table: Item, coverage: Coverage) -> str:
    """A table has its heading and rule where it has any row, and its rows are whole."""
    at, whole, cut = table.start, [], False
    for line in source[table.start : table.end].split("\n"):
        whole.append(coverage.whole(at, at + len(line)))
        cut |= not whole[-1] and coverage.any(at, at + len(line))
        at += len(line) + 1
    if cut:
        return "a row is cut"
    return "" if not any(whole) or all(whole[:2]) else "rows without their heading"


def _meaning(source: str, coverage: Coverage, items: Sequence[Item]) -> Iterator[Finding]:
    words = Words(source)
    apart = sorted((i.start, i.end) for i in items if i.kind not in ("quote", "log line"))
    for negation in find_negations(words):
        if coverage.whole(*negation.negated) and not _within(negation.start, apart):
            lost = not coverage.whole(negation.start, negation.end)
            yield Finding("negation", negation.start, negation.end, "lost" if lost else "")
    for number in find_numbers(words):
        if _within(number.start, apart):
            continue
        kept = sum(coverage.whole(*other) for other in number.others)
        if kept * 2 >= len(number.others):
            lost = not coverage.whole(number.start, number.end)
            yield Finding("number", number.start, number.end, "lost" if lost else "")


def _within(position: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in ranges)


def _lines(source: str, kept: Sequence[Span]) -> Iterator[Finding]:
    counted = structure_faults(source, kept)
    lists = {name: n for name, n in counted.items() if name in _LIST_FAULTS}
    called = [match.span() for match in _LIST_LINE.finditer(source)]
    wrong = [name for name, n in lists.items() for _ in range(n)]
    for number, (start, end) in enumerate(called):
        yield Finding("list item", start, end, wrong[number] if number < len(wrong) else "")
    for name in counted.keys() - lists.keys():
        yield Finding("shape of the text", 0, len(source), name)
    if not counted.keys() - lists.keys():
        yield Finding("shape of the text", 0, len(source))


def _embedded_json(source: str, coverage: Coverage) -> Iterator[Finding]:
    for start, end in json_documents(source):
        fault = "" if coverage.whole(start, end) else "changed"
        yield Finding("JSON", start, end, fault)


def json_documents(text: str) -> Iterator[tuple[int, int]]:
    """Yield where objects and long arrays stand that begin a line and parse."""
    decoder = json.JSONDecoder()
    reached = 0
    for match in re.finditer(r"(?m)^[ \t]*(?=[{\[])", text):
        start = match.end()
        if start < reached:
            continue
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            continue
        if (isinstance(value, dict) and value) or (isinstance(value, list) and len(value) > 2):
            yield start, end
            reached = end


def check_json(source: str, output: str) -> Finding:
    """Say whether a JSON document is still one, with every key, number and short string.

    Of a longer string words may be missing.
    """
    try:
        before, after = _read(source), _read(output)
    except ValueError:
        return Finding("JSON with shorter prose", 0, len(source), "no longer JSON")
    return Finding("JSON with shorter prose", 0, len(source), _changed(before, after, "$"))


def _read(text: str) -> object:
    """Parse with every number as it is spelled."""
    return json.loads(text, parse_int=_Spelled, parse_float=_Spelled)


class _Spelled(bytes):
    """A number's spelling, which is no string of the document."""

    def __new__(cls, spelling: str) -> "_Spelled":
        return super().__new__(cls, spelling.encode())


def _changed(before: object, after: object, where: str) -> str:
    """Return the first place at which two documents differ by more than may be; empty: none."""
    if type(before) is not type(after):
        return f"{where}: another type"
    if isinstance(before, str) and isinstance(after, str):
        if before == after or (len(before) > _SHORT_VALUE and _shorter(before, after)):
            return ""
        return f"{where}: another string"
    if isinstance(before, dict) and isinstance(after, dict):
        if list(before) != list(after):
            return f"{where}: other keys"
        inner = (_changed(before[key], after[key], f"{where}.{key}") for key in before)
        return next(filter(None, inner), "")
    if isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            return f"{where}: another length"
        each = enumerate(zip(before, after, strict=True))
        return next(filter(None, (_changed(*pair, f"{where}[{n}]") for n, pair in each)), "")
    return "" if before == after else f"{where}: another value"


def _shorter(before: str, after: str) -> bool:
    """Whether the characters of `after` that are no white space stand in `before`, in order."""
    rest = iter("".join(before.split()))
    return all(char in rest for char in "".join(after.split()))
