"""Which tap an answer gets, and taps on answers that come compressed."""

import zlib
from collections.abc import Callable, Iterator, Sequence

from proxy.errors import UpstreamCut
from proxy.savings import Usage
from proxy.usage import AnswerReader, BodyTap, NoTap, StreamTap, Tap
from proxy.usage_filter import UsageFilter

_INFLATE_STEP = 64 * 1024

Look = Callable[[bytes], None]


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


class _Watched:
    """A tap, and others who look at what it is fed."""

    def __init__(self, tap: Tap, looks: Sequence[Look]) -> None:
        self._tap = tap
        self._looks = looks

    @property
    def usage(self) -> Usage:
        return self._tap.usage

    def feed(self, chunk: bytes) -> bytes:
        for look in self._looks:
            look(chunk)
        return self._tap.feed(chunk)

    def finish(self) -> bytes:
        return self._tap.finish()

    def takes_event(self) -> bool:
        return self._tap.takes_event()


def tap_for(
    content_type: bytes,
    encoding: bytes,
    reader: AnswerReader,
    *,
    remove_added: bool,
    looks: Sequence[Look] = (),
) -> tuple[Tap, bool]:
    """Return the tap for an answer by its headers, and whether it changes the body.

    `reader` knows where the answer has its counts.
    `remove_added` says that include_usage was added to the request on the client's behalf.
    `looks` are called with what it is fed.
    """
    kind = content_type.partition(b";")[0].strip().lower()
    encoding = encoding.strip().lower()
    plain = encoding in (b"", b"identity")
    if not plain and encoding not in (b"gzip", b"x-gzip", b"deflate"):
        return NoTap(), False
    if kind == b"text/event-stream":
        tap: Tap = UsageFilter() if remove_added else StreamTap(reader)
    elif kind == b"application/json":
        tap, remove_added = BodyTap(reader), False
    else:
        return NoTap(), False
    if looks:
        tap = _Watched(tap, looks)
    return (tap if plain else InflatedTap(tap, rewrites=remove_added)), remove_added
