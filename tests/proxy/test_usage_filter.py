import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.usage_filter import UsageFilter
from tests.proxy.usage_examples import COUNTS, READ

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
