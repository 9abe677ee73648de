"""The provider's own token counts, read from the answer as it passes.

A tap sees every byte on its way to the client and returns what goes out instead; all but
UsageFilter return what they were given.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Protocol

import orjson

from proxy.errors import UpstreamCut
from proxy.savings import Usage
from proxy.sse import Piece, SseReader, event_data

# A plain answer up to this size is parsed whole; of a longer one the two ends are searched.
_WHOLE_BYTES = 128 * 1024
_END_BYTES = 64 * 1024
_USAGE_KEY = re.compile(rb'"usage"\s*:\s*(?=\{)')
_NULL_USAGE = re.compile(rb'"usage"\s*:\s*null')
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_COMMA_BEFORE = re.compile(rb",\s*\Z")
_COMMA_AFTER = re.compile(rb"\s*,\s*")
_DATA_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))data: ?([^\r\n]*)")
_INFLATE_STEP = 64 * 1024


class Tap(Protocol):
    """Looks at, and may change, the bytes of one answer."""

    @property
    def usage(self) -> Usage:
        """What has been read so far."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Return what goes to the client for this chunk."""
        ...

    def finish(self) -> bytes:
        """Return what is left at the end of the answer."""
        ...

    def takes_event(self) -> bool:
        """Whether an event of our own could follow what the client has by now."""
        ...


def usage_of(counts: object) -> Usage:
    """Return a `usage` object's counts; whatever is missing or no count is None."""
    if not isinstance(counts, Mapping):
        return Usage()
    details = counts.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_count(counts.get("completion_tokens")),
        cached_tokens=_count(details.get("cached_tokens"))
        if isinstance(details, Mapping)
        else None,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _object(data: bytes) -> Mapping[str, object] | None:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


class NoTap:
    """For answers that are nobody's business."""

    usage = Usage()

    def feed(self, chunk: bytes) -> bytes:
        """Return the chunk."""
        return chunk

    def finish(self) -> bytes:
        """Return nothing."""
        return b""

    def takes_event(self) -> bool:
        """Return False: the end of this answer cannot be told."""
        return False


class BodyTap:
    """Reads `usage` from a plain JSON answer, holding at most 256 KiB of it."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._head = bytearray()
        self._tail = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """Return the chunk; keep the two ends of the answer."""
        room = _WHOLE_BYTES - len(self._head)
        self._head += chunk[:room] if room > 0 else b""
        rest = chunk[max(room, 0) :]
        if rest:
            self._tail += rest[-_END_BYTES:]
            if len(self._tail) > 2 * _END_BYTES:
                del self._tail[:-_END_BYTES]
        return chunk

    def finish(self) -> bytes:
        """Read the counts; nothing is left to send."""
        if not self._tail:
            body = _object(bytes(self._head))
            counts = body.get("usage") if body is not None else None
        else:
            counts = self._search(bytes(self._tail)) or self._search(bytes(self._head))
        self.usage = usage_of(counts)
        return b""

    @staticmethod
    def _search(end: bytes) -> Mapping[str, object] | None:
        # Quotes inside a JSON string are escaped, so a bare "usage": { is a real member.
        for match in reversed(list(_USAGE_KEY.finditer(end))):
            found = _object(end[match.end() : _closing(end, match.end())])
            if found is not None and _count(found.get("prompt_tokens")) is not None:
                return found
        return None

    def takes_event(self) -> bool:
        """Return False: this is no event stream."""
        return False


def _closing(data: bytes, start: int) -> int:
    """Return the offset behind the bracket that closes the one at `start`, or the end."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(data, start):
        first = token[0][:1]
        depth += (first in b"{[") - (first in b"}]")
        if depth == 0:
            return token.end()
    return len(data)


class StreamTap:
    """Reads `usage` from the events of a stream that passes unchanged."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._reader = SseReader()

    def feed(self, chunk: bytes) -> bytes:
        """Return the chunk."""
        for kind, piece in self._reader.feed(chunk):
            if kind is Piece.EVENT and b'"usage"' in piece:
                self._read(piece)
        return chunk

    def _read(self, event: bytes) -> None:
        body = _object(event_data(event) or b"")
        if body is not None and isinstance(body.get("usage"), Mapping):
            self.usage = usage_of(body["usage"])

    def finish(self) -> bytes:
        """Return nothing."""
        return b""

    def takes_event(self) -> bool:
        """Return whether the last event that began is complete."""
        return self._reader.between_events


class UsageFilter:
    """Reads `usage` and takes out of a stream what asking for it (include_usage) put in.

    That is the extra event with empty `choices` and the `"usage": null` members of the others. All
    other bytes go out as they came; so does everything that is not a chat completion chunk.
    """

    def __init__(self) -> None:
        self.usage = Usage()
        self._reader = SseReader()
        self._dropped = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that are complete with this chunk, without the additions."""
        return b"".join(self._pieces(chunk))

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        for kind, piece in self._reader.feed(chunk):
            if kind is Piece.EVENT:
                kept = self._without_additions(piece)
                self._dropped = not kept
                yield kept
            elif kind is Piece.OTHER:
                self._dropped = False
                yield piece
            elif not self._dropped:
                yield piece

    def _without_additions(self, event: bytes) -> bytes:
        if b'"usage"' not in event:
            return event
        body = _object(event_data(event) or b"")
        if body is None or "usage" not in body:
            return event
        counts = body["usage"]
        if counts is None:
            return _without_null_usage(event)
        if not isinstance(counts, Mapping):
            return event
        self.usage = usage_of(counts)
        return b"" if body.get("choices") == [] else event

    def finish(self) -> bytes:
        """Return an event that the stream did not end."""
        return self._reader.finish()

    def takes_event(self) -> bool:
        """Return True: the client has only whole events, except of one too long to hold."""
        return not self._reader.in_long_event


def _without_null_usage(event: bytes) -> bytes:
    lines = list(_DATA_LINE.finditer(event))
    if len(lines) != 1:
        return event
    start, end = lines[0].span(1)
    data = event[start:end]
    span = _null_usage_span(data)
    return event if span is None else event[: start + span[0]] + event[start + span[1] :]


def _null_usage_span(data: bytes) -> tuple[int, int] | None:
    """Return where the top-level `"usage": null` is in a JSON object, with one comma beside it."""
    member = _NULL_USAGE.search(data)
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(data):
        if member is not None and token.start() > member.start():
            member = _NULL_USAGE.search(data, token.start())
        if member is None:
            return None
        if token.start() == member.start() and depth == 1:
            return _with_comma(data, *member.span())
        first = token[0][:1]
        depth += (first in b"{[") - (first in b"}]")
    return None


def _with_comma(data: bytes, start: int, end: int) -> tuple[int, int]:
    if before := _COMMA_BEFORE.search(data, 0, start):
        return before.start(), end
    if after := _COMMA_AFTER.match(data, end):
        return start, after.end()
    return start, end


class InflatedTap:
    """A tap on an answer that came compressed although it was asked not to be.

    With `rewrites` the client gets the tap's output, uncompressed; else it gets what came.
    """

    def __init__(self, tap: Tap, *, rewrites: bool) -> None:
        self._tap = tap
        self._rewrites = rewrites
        self._inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by its header
        self._readable = True

    @property
    def usage(self) -> Usage:
        """What the tap has read."""
        return self._tap.usage

    def feed(self, chunk: bytes) -> bytes:
        """Return the chunk, or what the tap makes of it; raises UpstreamCut where it must read."""
        if not self._readable:
            return chunk
        try:
            output = [self._tap.feed(piece) for piece in self._inflated(chunk)]
        except zlib.error as error:
            if self._rewrites:
                raise UpstreamCut("the upstream's compressed stream is damaged") from error
            self._readable = False
            return chunk
        return b"".join(output) if self._rewrites else chunk

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        piece = b""
        # A full piece can mean that more of the same input is waiting inside.
        while chunk or len(piece) == _INFLATE_STEP:
            if self._inflate.eof:  # several gzip members in a row
                self._inflate = zlib.decompressobj(wbits=47)
            piece = self._inflate.decompress(chunk, _INFLATE_STEP)
            if piece:
                yield piece
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> bytes:
        """Return what the tap has left, where the client gets its output."""
        rest = self._tap.finish()
        return rest if self._rewrites else b""

    def takes_event(self) -> bool:
        """Return whether the client reads plain text and has only whole events."""
        return self._rewrites and self._tap.takes_event()


def tap_for(content_type: bytes, encoding: bytes, *, remove_added: bool) -> tuple[Tap, bool]:
    """Return the tap for an answer by its headers, and whether it changes the body.

    `remove_added` says that include_usage was added to the request on the client's behalf.
    """
    kind = content_type.partition(b";")[0].strip().lower()
    encoding = encoding.strip().lower()
    plain = encoding in (b"", b"identity")
    if not plain and encoding not in (b"gzip", b"x-gzip", b"deflate"):
        return NoTap(), False
    if kind == b"text/event-stream":
        tap: Tap = UsageFilter() if remove_added else StreamTap()
    elif kind == b"application/json":
        tap, remove_added = BodyTap(), False
    else:
        return NoTap(), False
    return (tap if plain else InflatedTap(tap, rewrites=remove_added)), remove_added
