"""Server-sent events, read as they pass: whole events out of any chunking, in bounded memory.

The format is that of the WHATWG HTML standard, section 9.2: lines end in LF, CRLF or CR, an empty
line ends an event, a line that starts with a colon is a comment.
"""

import re
from collections.abc import Iterator
from enum import Enum

# An event that is longer is let through unread.
MAX_EVENT_BYTES = 1024 * 1024

_LINE = rb"(?:\r\n|\n|\r)"
_LINE_END = re.compile(_LINE)
# CR does not stand alone before LF; without the lookahead one CRLF would pass for two line ends.
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))" + _LINE)
_LONGEST_END = 4


class Piece(Enum):
    """What a stretch of the stream is."""

    EVENT = "event"  # a whole event with the empty line that ends it
    TAIL = "tail"  # the LF that belongs to the event (or other piece) before it
    OTHER = "other"  # comments, spare empty lines, events too long to read


class SseReader:
    """Cuts a stream into pieces whose concatenation is the stream."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._held = bytearray()
        self._searched = 0
        self._after_cr = False
        self._unread: bytes | None = None  # the last bytes of an over-long event, else None

    @property
    def between_events(self) -> bool:
        """Whether every event that has begun is complete."""
        return not self._held and self._unread is None

    @property
    def in_long_event(self) -> bool:
        """Whether part of an event too long to hold has been let through."""
        return self._unread is not None

    def feed(self, data: bytes) -> Iterator[tuple[Piece, bytes]]:
        """Yield the pieces that are complete with `data`. Consume it before the next feed."""
        self._held += data
        while self._held:
            if self._after_cr:
                self._after_cr = False
                if self._held[0] == 0x0A:
                    yield Piece.TAIL, self._take(1)
                    continue
            piece = self._long_event() if self._unread is not None else self._next()
            if piece is None:
                return
            yield piece

    def finish(self) -> bytes:
        """Return what is left: an event that never ended."""
        return self._take(len(self._held))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        self._searched = 0
        return taken

    def _take_through(self, end: int) -> bytes:
        taken = self._take(end)
        # A CR that is the last byte so far may be half of a CRLF.
        self._after_cr = taken[-1] == 0x0D and not self._held
        return taken

    def _next(self) -> tuple[Piece, bytes] | None:
        first = self._held[0]
        if first in b"\r\n" or first == 0x3A:
            end = _LINE_END.search(self._held, self._searched)
            if end is not None:
                return Piece.OTHER, self._take_through(end.end())
        else:
            end = _EVENT_END.search(self._held, self._searched)
            if end is not None:
                return Piece.EVENT, self._take_through(end.end())
        self._searched = max(0, len(self._held) - _LONGEST_END)
        if len(self._held) <= self._limit:
            return None
        # Too long to hold, so it goes on unread up to the next empty line.
        self._unread = bytes(self._held[-_LONGEST_END:])
        return Piece.OTHER, self._take(len(self._held))

    def _long_event(self) -> tuple[Piece, bytes]:
        before = self._unread or b""
        end = _EVENT_END.search(before + self._held)
        if end is None:
            self._unread = (before + self._held)[-_LONGEST_END:]
            return Piece.OTHER, self._take(len(self._held))
        self._unread = None
        return Piece.OTHER, self._take_through(end.end() - len(before))


def event_data(event: bytes) -> bytes | None:
    """Return an event's data, its lines joined by LF; None when it has none."""
    lines = []
    for line in _LINE_END.split(event):
        if line == b"data":
            lines.append(b"")
        elif line.startswith(b"data:"):
            value = line[5:]
            lines.append(value[1:] if value.startswith(b" ") else value)
    return b"\n".join(lines) if lines else None
