import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.body import decode_body, model_named
from proxy.json_spans import Unreadable

CAP = 4096


def raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    " Deflate ": raw_deflate,
    "zstd": zstandard.ZstdCompressor().compress,
    "GZIP": gzip.compress,
    "identity, gzip": gzip.compress,
}


def note_of(body: bytes, coding: str, cap: int = CAP) -> str:
    with pytest.raises(Unreadable) as caught:
        decode_body(body, coding, cap)
    return caught.value.note


@pytest.mark.parametrize("coding", ["", "identity", " Identity ", ","])
def test_a_plain_body_is_the_same_object(coding: str) -> None:
    body = b'{"a": 1}' * 10
    found = decode_body(body, coding, CAP)
    assert found.data is body
    assert not found.decoded


@pytest.mark.parametrize("coding", ENCODERS)
@given(data=st.binary(max_size=300))
@settings(deadline=None, max_examples=20)
def test_an_encoded_body_comes_out_as_it_was(coding: str, data: bytes) -> None:
    found = decode_body(ENCODERS[coding](data), coding, CAP)
    assert found.data == data
    assert found.decoded


def test_several_members_or_frames_are_one_body() -> None:
    assert (
        decode_body(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", CAP).data == b"one two"
    )
    compress = ENCODERS["zstd"]
    assert decode_body(compress(b"one ") + compress(b"two"), "zstd", CAP).data == b"one two"


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_body_of_exactly_the_cap_is_read_and_one_more_byte_is_not(coding: str) -> None:
    encode = ENCODERS[coding]
    assert len(decode_body(encode(b"x" * CAP), coding, CAP).data) == CAP
    assert f"over server.max_parse_bytes={CAP}" in note_of(encode(b"x" * (CAP + 1)), coding)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_bomb_stops_at_the_cap(coding: str) -> None:
    bomb = ENCODERS[coding](bytes(96 * 1024 * 1024))
    tracemalloc.start()
    try:
        assert "over server.max_parse_bytes=1000000" in note_of(bomb, coding, 1_000_000)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 40 * 1024 * 1024


def test_a_bomb_of_many_members_stops_at_the_cap() -> None:
    bomb = gzip.compress(bytes(1000)) * 100
    assert "over server.max_parse_bytes" in note_of(bomb, "gzip")


def test_a_plain_body_over_the_cap_is_not_read() -> None:
    assert f"{CAP + 1} bytes" in note_of(b"x" * (CAP + 1), "")


@pytest.mark.parametrize("coding", ["gzip, gzip", "zstd,gzip"])
def test_stacked_encodings_are_not_read(coding: str) -> None:
    assert "stacked" in note_of(gzip.compress(gzip.compress(b"x")), coding)


def test_an_unknown_encoding_is_named() -> None:
    assert "'br' is not known" in note_of(b"x", "br")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_data_that_is_not_in_its_encoding_is_not_read(coding: str) -> None:
    assert f"not valid {coding}" in note_of(b'{"model": "x"}', coding)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_truncated_data_is_not_read(coding: str) -> None:
    whole = ENCODERS[coding](b'{"model": "x"}' * 20)
    assert f"not valid {coding}" in note_of(whole[:-3], coding)


def test_empty_data_in_an_encoding_is_not_read() -> None:
    for coding in ("gzip", "deflate", "zstd"):
        assert f"not valid {coding}" in note_of(b"", coding)


def test_data_behind_the_end_is_not_read() -> None:
    assert "not valid deflate" in note_of(zlib.compress(b"x") + b"more", "deflate")
    assert "not valid deflate" in note_of(zlib.compress(b"x") * 2, "deflate")
    assert "not valid gzip" in note_of(gzip.compress(b"x") + b"more", "gzip")


def test_a_zstd_window_over_the_standards_limit_is_not_read() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = compressor.compress(b"x" * 100) + compressor.flush()
    assert "not valid zstd" in note_of(data, "zstd")


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (b'{"model":"a"}', "a"),
        (b'{"model":"a","model":"b"}', "b"),
        (b'{"model":"a","x":NaN}', "a"),
        (b'{"model":7}', ""),
        (b'["model"]', ""),
        (b'{"model":"a"', ""),
        (b"", ""),
        (b'{"model":"a","x":"\xff"}', ""),
        (b'{"model":"a","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", ""),
        (json.dumps({"model": "a"}).encode("utf-16"), "a"),
    ],
)
def test_the_model_of_an_unread_body_is_found_where_it_can_be(data: bytes, model: str) -> None:
    assert model_named(data) == model
