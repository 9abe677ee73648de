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


class AnswerReader(Protocol):
    """How one API's answers report usage."""

    def counts(self, answer: Mapping[str, object]) -> object:
        """Return the `usage` of an answer, or of the data of one of its stream's events."""
        ...

    def usage(self, counts: Mapping[str, object]) -> Usage:
        """Return what a `usage` object counts; whatever is missing or no count is None."""
        ...


def chat_usage(counts: Mapping[str, object]) -> Usage:
    """Return what `usage` counts in the words of chat completions."""
    details = counts.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=count(counts.get("prompt_tokens")),
        completion_tokens=count(counts.get("completion_tokens")),
        cached_tokens=count(details.get("cached_tokens")) if isinstance(details, Mapping) else None,
    )


def responses_usage(counts: Mapping[str, object], details: object) -> Usage:
    """Return what the Responses API's `usage` counts; the input's tokens include the cached ones.

    `details` are those of the input, which the realtime API calls by another name.
    """
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    return Usage(
        prompt_tokens=count(counts.get("input_tokens")),
        completion_tokens=count(counts.get("output_tokens")),
        cached_tokens=count(cached),
    )


class ChatUsage:
    """Reads the answers of chat completions, and of what reports usage in the same words."""

    def counts(self, answer: Mapping[str, object]) -> object:
        """Return the `usage` of an answer or of a stream's last chunk."""
        return answer.get("usage")

    def usage(self, counts: Mapping[str, object]) -> Usage:
        """Return prompt and completion tokens; the prompt's include the cached ones."""
        return chat_usage(counts)


class AnyUsage:
    """Reads the answers of paths that have no reader of their own, in whichever words they have."""

    def counts(self, answer: Mapping[str, object]) -> object:
        """Return the `usage` of an answer, or of what an event holds."""
        held = (answer.get(name) for name in ("response", "message"))
        holders = (answer, *(one for one in held if isinstance(one, Mapping)))
        found = (holder.get("usage") for holder in holders)
        return next((usage for usage in found if isinstance(usage, Mapping)), None)

    def usage(self, counts: Mapping[str, object]) -> Usage:
        """Return prompt and completion tokens; a total alone is taken for the prompt's."""
        if "input_tokens" in counts or "output_tokens" in counts:
            return responses_usage(counts, counts.get("input_tokens_details"))
        found = chat_usage(counts)
        if found.prompt_tokens is None and found.completion_tokens is None:
            return Usage(prompt_tokens=count(counts.get("total_tokens")))
        return found


def count(value: object) -> int | None:
    """Return a value that is a count, None for any other."""
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

    def __init__(self, reader: AnswerReader) -> None:
        self.usage = Usage()
        self._reader = reader
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
            counts = self._reader.counts(body) if body is not None else None
            if isinstance(counts, Mapping):
                self.usage = self._reader.usage(counts)
        else:
            self.usage = (
                find_usage(bytes(self._tail), self._reader)
                or find_usage(bytes(self._head), self._reader)
                or Usage()
            )
        return b""

    def takes_event(self) -> bool:
        """Return False: this is no event stream."""
        return False


def find_usage(part: bytes, reader: AnswerReader) -> Usage | None:
    """Return the last usage with a prompt's count in a part of a JSON text, None without one."""
    # Quotes inside a JSON string are escaped, so a bare "usage": { is a real member.
    for match in reversed(list(_USAGE_KEY.finditer(part))):
        counts = json_object(part[match.end() : _closing(part, match.end())])
        found = reader.usage(counts) if counts is not None else Usage()
        if found.prompt_tokens is not None:
            return found
    return None


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
    """Reads `usage` from the events of a stream that passes unchanged.

    Counts that come in several events are one whole, in which the later ones stand. Of an event
    too long to hold the end is searched.
    """

    def __init__(self, reader: AnswerReader) -> None:
        self.usage = Usage()
        self._reader = reader
        self._events = SseReader()
        self._counts: dict[str, object] = {}
        self._long_end = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """Return the chunk."""
        for kind, piece in self._events.feed(chunk):
            if kind is Piece.EVENT:
                if b'"usage"' in piece:
                    self._read(piece)
            elif kind is Piece.OTHER:
                self._read_long(piece)
        return chunk

    def _read(self, event: bytes) -> None:
        body = json_object(event_data(event) or b"")
        counts = self._reader.counts(body) if body is not None else None
        if isinstance(counts, Mapping):
            self._counts.update((k, v) for k, v in counts.items() if v is not None)
            self.usage = self._reader.usage(self._counts)

    def _read_long(self, piece: bytes) -> None:
        if self._events.in_long_event:
            self._long_end += piece[-_END_BYTES:]
            del self._long_end[:-_END_BYTES]
        elif self._long_end:
            end = bytes(self._long_end + piece[-_END_BYTES:])
            self._long_end.clear()
            self.usage = find_usage(end, self._reader) or self.usage

    def finish(self) -> bytes:
        """Return nothing."""
        return b""

    def takes_event(self) -> bool:
        """Return whether the last event that began is complete."""
        return self._events.between_events
