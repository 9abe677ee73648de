"""Takes out of a stream exactly what asking for usage put into it."""

import re
from collections.abc import Iterator, Mapping

from proxy.savings import Usage
from proxy.sse import Piece, SseReader, event_data
from proxy.usage import STRING_OR_BRACKET, chat_usage, json_object

_NULL_USAGE = re.compile(rb'"usage"\s*:\s*null')
_COMMA_BEFORE = re.compile(rb",\s*\Z")
_COMMA_AFTER = re.compile(rb"\s*,\s*")
# A line may end in CR alone, which `^` does not see.
_DATA_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))data: ?([^\r\n]*)")


class UsageFilter:
    """Reads `usage` and takes out of a stream what asking for it (include_usage) put in.

    That is the extra event with empty `choices` and the `"usage": null` members of the others. All
    other bytes go out as they came; so does everything that is not a chunk of a completion.
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
        body = json_object(event_data(event) or b"")
        if body is None or "usage" not in body:
            return event
        counts = body["usage"]
        if counts is None:
            return _without_null_usage(event)
        if not isinstance(counts, Mapping):
            return event
        self.usage = chat_usage(counts)
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
    for token in STRING_OR_BRACKET.finditer(data):
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
