"""Long prose inside JSON strings: what may be shortened there, and a view of it as plain text.

In the view the escapes of a string literal look like what they stand for, so that words are found
and cut as in any text, and a slice of the source never splits an escape: `\\n` like a line break
and `\\"` like curly quotes, both two characters, `\\u00e9` like the one character that it is.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from compressor.offsets import Offsets
from compressor.protect.json_values import json_spans
from compressor.question import word_count
from compressor.types import Kind, ProtectedSpan

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)"
)
_LEFT_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\x9f\ud800-\udfff]')
_KEY_FOLLOWS = re.compile(r"\s{0,200}:")
_MIN_CHARACTERS = 200
_MIN_WORDS = 25
_LONGEST_MEAN = 12  # characters to a word; base64, minified code and lists of ids have far longer
_OTHER_SYNTAX = re.compile(r"\s*[<{\[]|\s*(?:#!|<\?|data:|-----BEGIN)")


@dataclass(frozen=True, slots=True)
class JsonProse:
    """A text with long prose in JSON strings.

    `view` is to be read in the text's place, and `offsets` lead from it to the text. `rest` covers
    the JSON around that prose, `values` are the half-open ranges of the prose itself, both in the
    view; both ascend and together they are whole documents.
    """

    view: str
    offsets: Offsets
    rest: tuple[ProtectedSpan, ...]
    values: tuple[tuple[int, int], ...]

    def leaves_alone(self, span: ProtectedSpan) -> bool:
        """Whether a stretch of the view touches nothing of `rest`."""
        index = bisect_left(self.rest, span.end, key=attrgetter("start")) - 1
        return index < 0 or self.rest[index].end <= span.start


def json_prose(text: str) -> JsonProse | None:
    """Return where JSON strings hold long prose; None where none does."""
    view = _View(text)
    rest: list[ProtectedSpan] = []
    values: list[tuple[int, int]] = []
    for span in json_spans(text):
        at = view.copy(span.start)
        for start, end in _prose(text, span):
            # The literal's own quotes look like a pair, so that what is kept stands tight inside.
            view.copy(start - 1)
            inside = view.stand_in("“", start)
            rest.append(ProtectedSpan(at, inside, Kind.JSON))
            at = view.read(end)
            values.append((inside, at))
            view.stand_in("”", end + 1)
        rest.append(ProtectedSpan(at, view.copy(span.end), Kind.JSON))
    if not values:
        return None
    view.copy(len(text))
    return JsonProse("".join(view.pieces), view.offsets(), tuple(rest), tuple(values))


class _View:
    """Builds a view from the text's start on; every step returns how long the view then is."""

    def __init__(self, text: str) -> None:
        self.pieces: list[str] = []
        self._text = text
        self._done = 0  # characters of the text
        self._length = 0  # characters of the view
        self._ends: list[int] = []
        self._saved: list[int] = []

    def copy(self, end: int) -> int:
        """Take the text as it is up to `end`."""
        return self.stand_in(self._text[self._done : end], end)

    def stand_in(self, piece: str, end: int) -> int:
        """Let `piece` stand for the text up to `end`: as many characters, or one for several."""
        self.pieces.append(piece)
        self._length += len(piece)
        if self._length + (self._saved[-1] if self._saved else 0) != end:
            self._ends.append(self._length)
            self._saved.append(end - self._length)
        self._done = end
        return self._length

    def read(self, end: int) -> int:
        """Read the inside of a string literal that ends at `end`."""
        start = self._done
        literal = self._text[start:end]
        for escape in _ESCAPE.finditer(literal):
            self.copy(start + escape.start())
            self.stand_in(_stands_for(literal, escape), start + escape.end())
        return self.copy(end)

    def offsets(self) -> Offsets:
        return Offsets(np.asarray(self._ends, np.int64), np.asarray(self._saved, np.int64))


def _prose(text: str, span: ProtectedSpan) -> Iterator[tuple[int, int]]:
    """Yield the insides of the string values that are prose, as ranges; keys never are."""
    for literal in _STRING.finditer(text, span.start, span.end):
        start, end = literal.span(1)
        if end - start < _MIN_CHARACTERS or _KEY_FOLLOWS.match(text, literal.end()):
            continue
        if _is_prose(text[start:end]):
            yield start, end


def _is_prose(literal: str) -> bool:
    if not all(map(_is_readable, _ESCAPE.findall(literal))):
        return False
    if _OTHER_SYNTAX.match(literal) or not literal.strip():
        return False
    plain = _ESCAPE.sub(lambda escape: _stands_for(literal, escape), literal)
    words = word_count(plain)
    long_enough = len(plain) >= _MIN_CHARACTERS and words >= _MIN_WORDS
    return long_enough and len(plain) <= _LONGEST_MEAN * words


def _is_readable(escape: str) -> bool:
    """Whether a view can show an escape: no backslash, no control character, no half of a pair."""
    if escape[1] == "u":
        return not _LEFT_ESCAPED.search(_decoded(escape))
    return escape[1] in 'nrt"/'


def _decoded(escape: str) -> str:
    character: str = json.loads(f'"{escape}"')
    return character


def _stands_for(literal: str, escape: re.Match[str]) -> str:
    """Return what an escape looks like: as long as it is, or one character for a `\\u....`."""
    match escape.group()[1]:
        case "u":
            return _decoded(escape.group())
        case '"':
            head = literal[: escape.start()]
            opens = not head or head[-1].isspace() or head[-1] in "([{—–-" or head.endswith("\\n")
            return "““" if opens else "””"
        case "n":
            return " \n"
        case "/":
            return "//"
        case _:
            return "  "


def stays_json(before: str, after: str) -> bool:
    """Whether `after` parses as JSON, where `before` does as a whole."""
    return not _parses(before) or _parses(after)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
