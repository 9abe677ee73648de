import gzip
import json
import zlib
from typing import Any

import pytest

from proxy.dialects.chat import ChatDialect
from proxy.errors import UpstreamCut
from proxy.taps import InflatedTap, tap_for
from proxy.usage import NoTap, StreamTap
from proxy.usage_filter import UsageFilter
from tests.proxy.usage_examples import COUNTS, READ


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_answer_is_read_and_passes_as_it_came(pack: Any) -> None:
    data = pack(json.dumps({"choices": ["x" * 300_000], "usage": COUNTS}).encode())
    tap, rewritten = tap_for(b"application/json", b"gzip", ChatDialect(), remove_added=True)
    assert not rewritten
    assert b"".join(tap.feed(data[i : i + 100]) for i in range(0, len(data), 100)) == data
    tap.finish()
    assert tap.usage == READ


def test_a_compressed_stream_is_filtered_in_plain() -> None:
    plain = f"data: a\n\ndata: {json.dumps({'choices': [], 'usage': COUNTS})}\n\n".encode()
    tap, rewritten = tap_for(
        b"text/event-stream; charset=utf-8", b"GZIP", ChatDialect(), remove_added=True
    )
    assert rewritten
    assert tap.feed(gzip.compress(plain)) + tap.finish() == b"data: a\n\n"
    assert tap.takes_event()
    assert tap.usage == READ


def test_a_damaged_compressed_answer_passes_and_a_damaged_stream_that_must_be_read_is_cut() -> None:
    observed = InflatedTap(StreamTap(ChatDialect()), rewrites=False)
    assert observed.feed(b"garbage") == b"garbage"
    assert observed.feed(b"more") == b"more"
    assert not observed.takes_event()
    with pytest.raises(UpstreamCut, match="damaged"):
        InflatedTap(UsageFilter(), rewrites=True).feed(b"garbage")


def test_a_bomb_is_inflated_in_steps() -> None:
    sizes = []

    class Measuring(NoTap):
        def feed(self, chunk: bytes) -> bytes:
            sizes.append(len(chunk))
            return b""

    InflatedTap(Measuring(), rewrites=False).feed(gzip.compress(b"\0" * 20_000_000))
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= 64 * 1024


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [(b"text/event-stream", b"br"), (b"audio/mpeg", b""), (b"", b""), (b"text/html", b"gzip")],
)
def test_other_answers_are_left_alone(content_type: bytes, encoding: bytes) -> None:
    tap, rewritten = tap_for(content_type, encoding, ChatDialect(), remove_added=True)
    assert isinstance(tap, NoTap)
    assert not rewritten
    assert tap.feed(b"x") + tap.finish() == b"x"
    assert not tap.takes_event()
