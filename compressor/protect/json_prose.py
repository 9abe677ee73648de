"""Long prose inside JSON strings: what may be shortened there, and a view of it as plain text.

A view has the text's length and offsets. In it the escapes of a string literal look like what they
stand for (`\\n` like a line break, `\\"` like a curly quote), so that words are found and cut as in
any text, and a slice of the source never splits an escape.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from compressor.protect.json_values import json_spans
from compressor.question import word_count
from compressor.types import Kind, ProtectedSpan

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_KEY_FOLLOWS = re.compile(r"\s{0,200}:")
_MIN_CHARACTERS = 200
_MIN_WORDS = 25
_LONGEST_MEAN = 12  # characters to a word; base64, minified code and lists of ids have far longer
_OTHER_SYNTAX = re.compile(r"\s*[<{\[]|\s*(?:#!|<\?|data:|-----BEGIN)")


@dataclass(frozen=True, slots=True)
class JsonProse:
    """A text with long prose in JSON strings.

    `view` is to be read in the text's place. `rest` covers the JSON around that prose, `values` are
    the half-open ranges of the prose itself; both ascend and together they are whole documents.
    """

    view: str
    rest: tuple[ProtectedSpan, ...]
    values: tuple[tuple[int, int], ...]

    def leaves_alone(self, span: ProtectedSpan) -> bool:
        """Whether a stretch of the view touches nothing of `rest`."""
        index = bisect_left(self.rest, span.end, key=attrgetter("start")) - 1
        return index < 0 or self.rest[index].end <= span.start


def json_prose(text: str) -> JsonProse | None:
    """Return where JSON strings hold long prose; None where none does."""
    rest: list[ProtectedSpan] = []
    values: list[tuple[int, int]] = []
    for span in json_spans(text):
        at = span.start
        for start, end in _prose(text, span):
            rest.append(ProtectedSpan(at, start, Kind.JSON))
            values.append((start, end))
            at = end
        rest.append(ProtectedSpan(at, span.end, Kind.JSON))
    if not values:
        return None
    pieces: list[str] = []
    at = 0
    for start, end in values:
        # The literal's own quotes look like a pair, so that what is kept stands tight inside it.
        pieces += [text[at : start - 1], "“", _seen(text[start:end]), "”"]
        at = end + 1
    return JsonProse("".join([*pieces, text[at:]]), tuple(rest), tuple(values))


def _prose(text: str, span: ProtectedSpan) -> Iterator[tuple[int, int]]:
    """Yield the insides of the string values that are prose, as ranges; keys never are."""
    for literal in _STRING.finditer(text, span.start, span.end):
        start, end = literal.span(1)
        if end - start < _MIN_CHARACTERS or _KEY_FOLLOWS.match(text, literal.end()):
            continue
        if _is_prose(text[start:end]):
            yield start, end


def _is_prose(literal: str) -> bool:
    if any(escape not in 'nrt"/' for escape in _ESCAPE.findall(literal)):
        return False  # a backslash or a \uXXXX, whose characters would have to stay together
    if _OTHER_SYNTAX.match(literal) or not literal.strip():
        return False
    plain = _seen(literal)
    words = word_count(plain)
    return words >= _MIN_WORDS and len(plain) <= _LONGEST_MEAN * words


def _seen(literal: str) -> str:
    """Return a literal as text of the same length."""

    def replacement(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape == '"':
            before = literal[match.start() - 1] if match.start() else " "
            opens = (
                before.isspace() or before in "([{—–-" or literal[: match.start()].endswith("\\n")
            )
            return "““" if opens else "””"
        return {"n": " \n", "/": "//"}.get(escape, "  ")

    return _ESCAPE.sub(replacement, literal)


def stays_json(before: str, after: str) -> bool:
    """Whether `after` parses as JSON, where `before` does as a whole."""
    return not _parses(before) or _parses(after)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
