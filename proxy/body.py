"""Request bodies out of their content-encoding, within a size cap."""

import json
import zlib
from dataclasses import dataclass

import zstandard

from proxy.json_spans import Unreadable

# RFC 9659: a receiver of the zstd content coding need not support windows above 8 MiB.
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
# A block of 4 bytes may become 128 KiB, so a piece of this size becomes 16 MiB at most.
_ZSTD_PIECE_BYTES = 512
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15


class BodyTooLarge(Unreadable):
    """The body is over the size cap, as it came or out of its content-encoding."""


@dataclass(frozen=True, slots=True)
class DecodedBody:
    """A body's own bytes; `decoded` is true when they are no longer what was received."""

    data: bytes
    decoded: bool


def decode_body(body: bytes, content_encoding: str, max_bytes: int) -> DecodedBody:
    """Return `body` without its content-encoding (identity, gzip, deflate or zstd).

    Never holds more than about `max_bytes` of output, so a decompression bomb stops there.
    Raises Unreadable for other and stacked encodings and corrupt data, BodyTooLarge over the cap.
    """
    if len(body) > max_bytes:
        raise BodyTooLarge(
            f"the body is {len(body)} bytes, over server.max_parse_bytes={max_bytes}"
        )
    names = [name.strip().lower() for name in content_encoding.split(",")]
    names = [name for name in names if name not in {"", "identity"}]
    if not names:
        return DecodedBody(body, False)
    if len(names) > 1:
        raise Unreadable(f"the body has stacked content-encodings ({', '.join(names)})")
    try:
        data = _decompress(names[0], body, max_bytes)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Unreadable(f"the body is not valid {names[0]}: {error}") from None
    if len(data) > max_bytes:
        raise BodyTooLarge(f"the {names[0]} body is over server.max_parse_bytes={max_bytes} inside")
    return DecodedBody(data, True)


def model_named(data: bytes) -> str:
    """Return the model that a body names, "" where none; for routing a body that is not read.

    Lenient where readers differ: of members with the same name the last counts, NaN is a number.
    """
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    model = root.get("model") if isinstance(root, dict) else None
    return model if isinstance(model, str) else ""


def _decompress(name: str, body: bytes, max_bytes: int) -> bytes:
    """Return what `body` holds, or more than `max_bytes` of its beginning."""
    if name in {"gzip", "x-gzip"}:
        return _inflate(body, _GZIP, max_bytes)
    if name == "deflate":
        # RFC 9110 means the zlib format; some senders leave its two-byte header out.
        try:
            return _inflate(body, _ZLIB, max_bytes)
        except zlib.error:
            return _inflate(body, _RAW_DEFLATE, max_bytes)
    if name == "zstd":
        return _unzstd(body, max_bytes)
    raise Unreadable(f"the body's content-encoding '{name}' is not known")


def _inflate(body: bytes, window_bits: int, max_bytes: int) -> bytes:
    if not body:
        raise zlib.error("it is empty")
    pieces: list[bytes] = []
    room = max_bytes + 1
    rest = body
    while rest and room > 0:  # gzip allows several members one after the other
        member = zlib.decompressobj(window_bits)
        piece = member.decompress(rest, room)
        pieces.append(piece)
        room -= len(piece)
        if not member.eof and room > 0:
            raise zlib.error("it ends too early")
        rest = member.unused_data
        if rest and window_bits != _GZIP:
            raise zlib.error("more data after its end")
    return b"".join(pieces)


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    # Not through zstandard's stream_reader: that takes a truncated frame for a whole one.
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    pieces: list[bytes] = []
    size = 0
    frame = decompressor.decompressobj()
    for start in range(0, len(body), _ZSTD_PIECE_BYTES):
        rest = body[start : start + _ZSTD_PIECE_BYTES]
        while rest and size <= max_bytes:
            if frame.eof:  # frames may follow one another
                frame = decompressor.decompressobj()
            pieces.append(frame.decompress(rest))
            size += len(pieces[-1])
            rest = frame.unused_data
        if size > max_bytes:
            return b"".join(pieces)
    if not frame.eof:
        raise zstandard.ZstdError("it ends too early")
    return b"".join(pieces)
