"""The provider's own token counts, read from the answer as it passes.

A tap sees every byte on its way to the client and returns what goes out instead; those in
this module return what they were given.
"""

import re
from collections.abc import Mapping
from typing import Protocol

import orjson

from proxy.savings import Usage
from proxy.sse import Piece, SseReader, event_data

# A plain answer up to this size is parsed whole; of a longer one the two ends are searched.
_WHOLE_BYTES = 128 * 1024
_END_BYTES = 64 * 1024
_USAGE_KEY = re.compile(rb'"usage"\s*:\s*(?=\{)')
# The tokens of JSON that depth can be told by.
STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)


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


def json_object(data: bytes) -> Mapping[str, object] | None:
    """Return a JSON object, None for anything else."""
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
            body = json_object(bytes(self._head))
            counts = body.get("usage") if body is not None else None
        else:
            counts = self._search(bytes(self._tail)) or self._search(bytes(self._head))
        self.usage = usage_of(counts)
        return b""

    @staticmethod
    def _search(end: bytes) -> Mapping[str, object] | None:
        # Quotes inside a JSON string are escaped, so a bare "usage": { is a real member.
        for match in reversed(list(_USAGE_KEY.finditer(end))):
            found = json_object(end[match.end() : _closing(end, match.end())])
            if found is not None and _count(found.get("prompt_tokens")) is not None:
                return found
        return None

    def takes_event(self) -> bool:
        """Return False: this is no event stream."""
        return False


def _closing(data: bytes, start: int) -> int:
    """Return the offset behind the bracket that closes the one at `start`, or the end."""
    depth = 0
    for token in STRING_OR_BRACKET.finditer(data, start):
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
        body = json_object(event_data(event) or b"")
        if body is not None and isinstance(body.get("usage"), Mapping):
            self.usage = usage_of(body["usage"])

    def finish(self) -> bytes:
        """Return nothing."""
        return b""

    def takes_event(self) -> bool:
        """Return whether the last event that began is complete."""
        return self._reader.between_events
