import gzip
import itertools
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import UpstreamCut
from proxy.savings import Usage
from proxy.usage import BodyTap, InflatedTap, NoTap, StreamTap, UsageFilter, tap_for, usage_of

COUNTS = {
    "prompt_tokens": 100,
    "completion_tokens": 7,
    "total_tokens": 107,
    "prompt_tokens_details": {"cached_tokens": 64},
}
READ = Usage(prompt_tokens=100, completion_tokens=7, cached_tokens=64)
TEXTS = st.sampled_from(
    ["hello", '"usage":null', 'say \\"usage\\": null', "}{][", "é😀\n", '{"choices":[]}', ""]
)


def chunk_pair(text: str, place: int, spaced: bool, nested: bool) -> tuple[str, str]:
    """One chunk as an upstream sends it with include_usage, and without."""
    separators = (", ", ": ") if spaced else (",", ":")
    members: list[tuple[str, Any]] = [
        ("id", "chatcmpl-1"),
        ("object", "chat.completion.chunk"),
        ("choices", [{"index": 0, "delta": {"content": text}, "logprobs": None}]),
    ]
    if nested:
        members.append(("x_details", {"usage": None, "more": [{"usage": None}]}))
    without = json.dumps(dict(members), separators=separators, ensure_ascii=False)
    members.insert(place % (len(members) + 1), ("usage", None))
    return json.dumps(dict(members), separators=separators, ensure_ascii=False), without


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream with include_usage, and what the same upstream would have sent without it."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    spaced, nested = draw(st.booleans()), draw(st.booleans())
    space = draw(st.sampled_from(["", " "]))
    asked, unasked = "", ""
    for text, place in draw(st.lists(st.tuples(TEXTS, st.integers(0, 5)), max_size=5)):
        with_null, without = chunk_pair(text, place, spaced, nested)
        other = draw(st.sampled_from(["", f": keep-alive{end}{end}", f"data: not json{end}{end}"]))
        event = draw(st.sampled_from(["", f"event: chunk{end}", f"id: 7{end}"]))
        asked += other + event + f"data:{space}{with_null}{end}{end}"
        unasked += other + event + f"data:{space}{without}{end}{end}"
    extra = json.dumps({"id": "chatcmpl-1", "choices": [], "usage": COUNTS})
    asked += f"data:{space}{extra}{end}{end}"
    last = draw(st.sampled_from([f"data: [DONE]{end}{end}", "", "data: [DONE]", f": bye{end}"]))
    return (asked + last).encode(), (unasked + last).encode()


@settings(deadline=None, max_examples=400)
@given(streams(), st.lists(st.integers(0, 5000), max_size=12))
def test_the_filter_gives_what_an_upstream_without_include_usage_would_have_sent(
    pair: tuple[bytes, bytes], cuts: list[int]
) -> None:
    asked, unasked = pair
    edges = [0, *sorted(cut % (len(asked) + 1) for cut in cuts), len(asked)]
    tap = UsageFilter()
    out = b"".join(tap.feed(asked[a:b]) for a, b in itertools.pairwise(edges))
    assert out + tap.finish() == unasked
    assert tap.usage == READ


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_what_is_no_event_stream_passes_the_filter_untouched(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    tap = UsageFilter()
    out = b"".join(tap.feed(data[a:b]) for a, b in itertools.pairwise(edges))
    assert out + tap.finish() == data


@pytest.mark.parametrize(
    ("with_null", "without"),
    [
        (b'{"usage":null}', b"{}"),
        (b'{"usage" : null , "a":1}', b'{"a":1}'),
        (b'{"a":1, "usage": null}', b'{"a":1}'),
        (b'{"a":"\\\\","usage":null,"b":[]}', b'{"a":"\\\\","b":[]}'),
    ],
)
def test_the_null_member_goes_with_one_comma(with_null: bytes, without: bytes) -> None:
    assert UsageFilter().feed(b"data: " + with_null + b"\n\n") == b"data: " + without + b"\n\n"


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"choices":[],"prompt_filter_results":[]}\n\n',
        b'data: {"choices":[{"index":0}],"usage":{"prompt_tokens":1}}\n\n',
        b'data: {"choices":[{"delta":{"content":"\\"usage\\":null"}}]}\n\n',
        b'data: {"a":{"usage":null}}\n\n',
        b'data: {"usage":null\n\n',
        b'data: {"choices":[],\ndata: "usage":null}\n\n',
        b'data: ["usage"]\n\n',
        b'data: {"choices":[],"usage":"lots"}\n\n',
        b'event: "usage"\n\n',
    ],
)
def test_other_events_pass_the_filter_byte_for_byte(event: bytes) -> None:
    assert UsageFilter().feed(event) == event


def test_the_filter_holds_no_whole_event_back() -> None:
    tap = UsageFilter()
    assert tap.feed(b"data: 1\n\ndata: 2") == b"data: 1\n\n"
    assert tap.takes_event()
    assert tap.feed(b"\n\n") == b"data: 2\n\n"


def test_after_the_start_of_an_overlong_event_no_event_of_ours_can_follow() -> None:
    tap = UsageFilter()
    out = tap.feed(b"data: " + b"x" * (2 * 1024 * 1024))
    assert len(out) == 6 + 2 * 1024 * 1024
    assert not tap.takes_event()


def test_a_stream_that_passes_unchanged_is_read() -> None:
    tap = StreamTap()
    data = f"data: {json.dumps({'choices': [], 'usage': COUNTS})}\n\ndata: [DONE]\n\n".encode()
    assert b"".join(tap.feed(bytes([byte])) for byte in data) == data
    assert tap.usage == READ
    assert tap.takes_event()
    tap.feed(b"data: {")
    assert not tap.takes_event()


@pytest.mark.parametrize("place", ["front", "back"])
@pytest.mark.parametrize("size", [0, 1000, 100_000, 3_000_000])
def test_usage_is_read_from_a_plain_answer_of_any_size(place: str, size: int) -> None:
    choices = {"choices": [{"message": {"content": 'x"usage": {"prompt_tokens": 1}' + "y" * size}}]}
    whole = {"usage": COUNTS} | choices if place == "front" else choices | {"usage": COUNTS}
    data = json.dumps(whole).encode()
    tap = BodyTap()
    step = 50_000
    for start in range(0, len(data), step):
        assert tap.feed(data[start : start + step]) == data[start : start + step]
    assert tap.finish() == b""
    assert tap.usage == READ


def test_a_large_answer_in_one_piece_is_read_too() -> None:
    tap = BodyTap()
    tap.feed(json.dumps({"choices": ["x" * 500_000], "usage": COUNTS}).encode())
    tap.finish()
    assert tap.usage == READ


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not json", b'{"usage":null}', b'{"usage":{"prompt_tokens":"many"}}']
)
def test_a_body_without_counts_gives_none(body: bytes) -> None:
    tap = BodyTap()
    tap.feed(body)
    tap.finish()
    assert tap.usage == Usage()


def test_counts_are_taken_only_when_they_are_counts() -> None:
    assert usage_of({"prompt_tokens": True, "completion_tokens": -1}) == Usage()
    assert usage_of({"prompt_tokens": 3, "prompt_tokens_details": None}) == Usage(3)
    assert usage_of(None) == Usage()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_answer_is_read_and_passes_as_it_came(pack: Any) -> None:
    data = pack(json.dumps({"choices": ["x" * 300_000], "usage": COUNTS}).encode())
    tap, rewritten = tap_for(b"application/json", b"gzip", remove_added=True)
    assert not rewritten
    assert b"".join(tap.feed(data[i : i + 100]) for i in range(0, len(data), 100)) == data
    tap.finish()
    assert tap.usage == READ


def test_a_compressed_stream_is_filtered_in_plain() -> None:
    plain = f"data: a\n\ndata: {json.dumps({'choices': [], 'usage': COUNTS})}\n\n".encode()
    tap, rewritten = tap_for(b"text/event-stream; charset=utf-8", b"GZIP", remove_added=True)
    assert rewritten
    assert tap.feed(gzip.compress(plain)) + tap.finish() == b"data: a\n\n"
    assert tap.takes_event()
    assert tap.usage == READ


def test_a_damaged_compressed_answer_passes_and_a_damaged_stream_that_must_be_read_is_cut() -> None:
    observed = InflatedTap(StreamTap(), rewrites=False)
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
    tap, rewritten = tap_for(content_type, encoding, remove_added=True)
    assert isinstance(tap, NoTap)
    assert not rewritten
    assert tap.feed(b"x") + tap.finish() == b"x"
    assert not tap.takes_event()
