"""Data as programs print it that no JSON parser takes: cut off, or as Python writes it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from compressor.question import word_count
from compressor.types import Kind, ProtectedSpan

_START = re.compile(r"\{\s{0,200}[\"']|\[\s{0,200}[\[{(\"']")
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_SPACE = r"[ \t\r\n]{0,1000}+"
_NAME = r"[A-Za-z_]\w{0,60}"
_VALUE = re.compile(
    # In a call, datetime.datetime(2024, 5, 3, fold=1), what it is for.
    rf"{_SPACE}(?:{_NAME}=)?"
    r"(?:(?P<string>[bru]?\"(?:[^\"\\\n]|\\.)*+\"|[bru]?'(?:[^'\\\n]|\\.)*+')"
    rf"|(?P<open>[{{\[]|(?:{_NAME}(?:\.{_NAME}){{0,5}})?\()"
    r"|(?:[-+]?(?:\.?\d\w*+(?:[.+-]\w+){0,3}+|NaN|nan|Infinity|inf)|true|false|null|True|False|None"
    rf"|{_NAME}(?:\.{_NAME}){{1,5}})(?![\w(]))"
)
_AFTER = re.compile(_SPACE + r"([:,}\])])")
_CLOSE = re.compile(_SPACE + r"([}\])])")
_LEAST_KEYS = 2
_LEAST_VALUES = 2
# As in JSON whose prose is shortened; here it always is, since no parser would take it anyway.
_PROSE_CHARACTERS = 200
_PROSE_WORDS = 25


@dataclass(slots=True)
class _Seen:
    """What of a literal was read: where that ends, what is in it, and the insides of its prose."""

    end: int
    keys: int = 0
    values: int = 0
    strings: int = 0
    closed: bool = False
    prose: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_data(self) -> bool:
        return self.keys >= _LEAST_KEYS or (
            self.closed and self.values >= _LEAST_VALUES and self.strings > 0
        )


def literal_spans(text: str, found: Sequence[ProtectedSpan]) -> list[ProtectedSpan]:
    """Return the stretches of `text` that are data like JSON, though no JSON parser takes them.

    That is two keys or, where the last bracket is there, two values with a string among them. What
    is in a long string is no part of it, nor is a string that does not end. None begins in one of
    `found`, which ascend, but one may reach over them: the rows of a list that is cut off. Work on
    brackets that turn out to open no data is bounded by a multiple of the text's length.
    """
    spans: list[ProtectedSpan] = []
    taken = iter(found)
    after = next(taken, None)
    allowance = 4 * len(text) + 1_000
    position = 0
    while allowance > 0 and (opening := _START.search(text, position)):
        position = opening.start()
        while after is not None and after.end <= position:
            after = next(taken, None)
        if after is not None and after.start <= position:
            position = after.end
            continue
        seen = _read(text, position)
        if seen.is_data:
            for start, end in seen.prose:
                spans.append(ProtectedSpan(position, start, Kind.JSON))
                position = end
            spans.append(ProtectedSpan(position, seen.end, Kind.JSON))
            position = seen.end
        else:
            allowance -= max(seen.end - position, 16)
            position += 1
    return spans


def _read(text: str, start: int) -> _Seen:
    """Read on from the bracket at `start` as long as what follows makes one value."""
    seen = _Seen(start)
    brackets: list[str] = []
    last = ""
    while True:
        found = _VALUE.match(text, seen.end) if last in {"", ",", ":", "open"} else None
        if found is None:
            found = (_CLOSE if last in {",", "open"} else _AFTER).match(text, seen.end)
        last = "" if found is None else _take(found, brackets, seen)
        if found is None or not last:
            return seen
        seen.end = found.end()
        if not brackets:
            seen.closed = True
            return seen


def _take(found: re.Match[str], brackets: list[str], seen: _Seen) -> str:
    """Take one value or mark in, and return what it is; nothing for one that does not fit."""
    if found.re is _VALUE:
        if found["open"]:
            brackets.append(_CLOSING[found["open"][-1]])
            return "open"
        seen.values += 1
        if found["string"]:
            seen.strings += 1
            inside = found["string"][:-1].lstrip("bru")[1:]
            if len(inside) >= _PROSE_CHARACTERS and word_count(inside) >= _PROSE_WORDS:
                seen.prose.append((found.end() - 1 - len(inside), found.end() - 1))
        return "value"
    mark = found[1]
    if mark == ":":
        seen.keys += 1
        return mark if brackets[-1] == "}" else ""
    if mark == ",":
        return mark
    return "value" if brackets.pop() == mark else ""
