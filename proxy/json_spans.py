"""Where values stand in a JSON body, and how to change some without re-serialising the rest.

The body is scanned as Latin-1, one character a byte: JSON's structure is ASCII, so every offset is
a byte offset, and a large body with one emoji in it does not grow fourfold in memory. Only the
strings that are wanted are decoded as the UTF-8 that they are.
"""

import codecs
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias, Union

_BOM = codecs.BOM_UTF8
_UTF8_CHUNK = 1 << 20
# A prompt may be a list of tokens; more items than this are no messages, and not worth the memory.
_MAX_ITEMS = 100_000
_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN_KEY = re.compile(r'[ \t\n\r]*"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*')
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_NEXT = re.compile(r"[ \t\n\r]*([,}\]])[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")

# A tuple holds the one shape of an array's items, a mapping the members wanted of an object, None
# takes a value whole. A value that is not of the shape's type is taken whole too.
Shape: TypeAlias = Union["Mapping[str, Shape]", "tuple[Shape]", None]


class Unreadable(Exception):
    """The body is to be passed on as it is.

    `note` says why, for the record, and holds none of the body; `model` is what the body still
    names for certain or by a lenient reading, "" where it names none.
    """

    def __init__(self, note: str, *, model: str = "") -> None:
        super().__init__(note)
        self.note = note
        self.model = model


@dataclass(slots=True)
class Leaf:
    """A value taken whole. Integers of more than 18 digits come as floats."""

    start: int
    end: int
    value: object


@dataclass(slots=True)
class Object:
    """An object's wanted members. `last` is where its last member ends, None when it is empty."""

    start: int
    end: int
    members: dict[str, "Node"]
    last: int | None


@dataclass(slots=True)
class Array:
    """An array's items."""

    start: int
    end: int
    items: list["Node"]


Node: TypeAlias = Leaf | Object | Array


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes to stand in place of `body[start:end]`; an insertion where both are the same."""

    start: int
    end: int
    new: bytes


def locate(body: bytes, shape: Shape) -> Node:
    """Return the values that `shape` asks for, with their byte offsets in `body`.

    The whole body is checked to be strict JSON (RFC 8259) in UTF-8; a byte order mark is allowed.
    Raises Unreadable when it is not, is nested deeper than the interpreter's recursion limit, or
    names a wanted member twice, since then two readers may take different ones.
    """
    ascii_only = body.isascii()
    if not ascii_only and not _is_utf8(body):
        raise Unreadable("the body is not valid UTF-8")
    scanner = _Scanner(body, ascii_only)
    try:
        start = _skip_space(scanner.text, len(_BOM) if body.startswith(_BOM) else 0)
        node = scanner.value(start, shape)
        end = _skip_space(scanner.text, node.end)
    except RecursionError:
        raise Unreadable("the body's JSON is nested too deep to be read") from None
    except ValueError as error:
        raise Unreadable(f"the body is not valid JSON: {error}") from None
    if end != len(body):
        raise Unreadable(f"the body is not valid JSON: more text after its end (char {end})")
    return node


def splice(body: bytes, edits: Iterable[Edit]) -> bytes:
    """Return `body` with the edits made and every other byte as it was.

    Without edits that is the same object. Raises ValueError when edits overlap.
    """
    pieces: list[bytes | memoryview] = []
    view = memoryview(body)
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < done:
            raise ValueError(f"edits overlap at byte {edit.start}")
        pieces += (view[done : edit.start], edit.new)
        done = edit.end
    if not pieces:
        return body
    pieces.append(view[done:])
    return b"".join(pieces)


def string_literal(text: str, like: bytes) -> bytes:
    r"""Return `text` as a JSON string, escaped in the manner of the literal that it replaces.

    A literal that writes its non-ASCII characters as \u escapes (or has none) gets escapes, one
    with raw UTF-8 gets raw UTF-8. Lone surrogates, which UTF-8 cannot hold, are escaped always.
    """
    if like.isascii():
        return json.dumps(text).encode("ascii")
    literal = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", literal).encode()


def insertion(target: Object, member: bytes) -> Edit:
    """Return the edit that adds a member, written as `"name":value`, at the end of an object."""
    if target.last is None:
        return Edit(target.start + 1, target.start + 1, member)
    return Edit(target.last, target.last, b"," + member)


def format_path(path: Sequence[str | int]) -> str:
    """Return a JSON path as people write it: ("messages", 0, "content") -> messages[0].content."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _integer(digits: str) -> int | float:
    # int() refuses numbers of more than 4,300 digits; no number that we read is so large.
    return int(digits) if len(digits) <= 18 else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse_constant)


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _is_utf8(body: bytes) -> bool:
    # In pieces: decoding the whole at once would hold up to four bytes a character.
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    try:
        for start in range(0, len(body), _UTF8_CHUNK):
            decoder.decode(view[start : start + _UTF8_CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Scanner:
    """One pass over a body. Positions are byte offsets; raises ValueError on malformed JSON."""

    def __init__(self, body: bytes, ascii_only: bool) -> None:
        self.body = body
        self.text = body.decode("latin-1")
        self.ascii_only = ascii_only

    def value(self, at: int, shape: Shape) -> Node:
        if shape is not None:
            opening = self.text[at : at + 1]
            if opening == "{" and not isinstance(shape, tuple):
                return self._object(at, shape)
            if opening == "[" and isinstance(shape, tuple):
                return self._array(at, shape[0])
        return self._leaf(at)

    def _leaf(self, at: int) -> Leaf:
        value, end = _DECODER.raw_decode(self.text, at)
        if not self.ascii_only:
            literal = self.body[at:end]
            if not literal.isascii():
                value = _DECODER.decode(literal.decode())
        return Leaf(at, end, value)

    def _object(self, start: int, shape: Mapping[str, Shape]) -> Object:
        text = self.text
        members: dict[str, Node] = {}
        at = _skip_space(text, start + 1)
        if text[at : at + 1] == "}":
            return Object(start, at + 1, members, None)
        while True:
            name, at = self._key(at)
            if name in shape:
                if name in members:
                    raise Unreadable(f"the body names '{name}' twice in one object")
                node = members[name] = self.value(at, shape[name])
                last = node.end
            else:
                last = _DECODER.raw_decode(text, at)[1]
            closed, at = self._next(last, "}")
            if closed:
                return Object(start, at, members, last)

    def _array(self, start: int, shape: Shape) -> Array:
        items: list[Node] = []
        at = _skip_space(self.text, start + 1)
        if self.text[at : at + 1] == "]":
            return Array(start, at + 1, items)
        while True:
            node = self.value(at, shape)
            items.append(node)
            if len(items) > _MAX_ITEMS:
                raise Unreadable(f"the body has an array of more than {_MAX_ITEMS:,} items")
            closed, at = self._next(node.end, "]")
            if closed:
                return Array(start, at, items)

    def _key(self, at: int) -> tuple[str, int]:
        """Return a member's name and where its value starts."""
        plain = _PLAIN_KEY.match(self.text, at)
        if plain is not None:
            return plain[1], plain.end()
        at = _skip_space(self.text, at)
        if self.text[at : at + 1] != '"':
            raise ValueError(f"expected a member's name in quotes (char {at})")
        name, end = _DECODER.raw_decode(self.text, at)
        colon = _COLON.match(self.text, end)
        if colon is None:
            raise ValueError(f"expected ':' after a member's name (char {end})")
        return str(name), colon.end()

    def _next(self, at: int, closing: str) -> tuple[bool, int]:
        """Return whether the container ends here, and where it ends or its next part starts."""
        found = _NEXT.match(self.text, at)
        if found is None or found[1] not in {",", closing}:
            raise ValueError(f"expected ',' or '{closing}' (char {at})")
        if found[1] == ",":
            return False, found.end()
        return True, found.end(1)
