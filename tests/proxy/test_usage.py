import json

import pytest

from proxy.dialects.chat import ChatDialect
from proxy.savings import Usage
from proxy.usage import AnyUsage, BodyTap, StreamTap, chat_usage
from tests.proxy.usage_examples import COUNTS, READ


def test_a_stream_that_passes_unchanged_is_read() -> None:
    tap = StreamTap(ChatDialect())
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
    tap = BodyTap(ChatDialect())
    step = 50_000
    for start in range(0, len(data), step):
        assert tap.feed(data[start : start + step]) == data[start : start + step]
    assert tap.finish() == b""
    assert tap.usage == READ


def test_a_large_answer_in_one_piece_is_read_too() -> None:
    tap = BodyTap(ChatDialect())
    tap.feed(json.dumps({"choices": ["x" * 500_000], "usage": COUNTS}).encode())
    tap.finish()
    assert tap.usage == READ


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not json", b'{"usage":null}', b'{"usage":{"prompt_tokens":"many"}}']
)
def test_a_body_without_counts_gives_none(body: bytes) -> None:
    tap = BodyTap(ChatDialect())
    tap.feed(body)
    tap.finish()
    assert tap.usage == Usage()


def test_counts_are_taken_only_when_they_are_counts() -> None:
    assert chat_usage({"prompt_tokens": True, "completion_tokens": -1}) == Usage()
    assert chat_usage({"prompt_tokens": 3, "prompt_tokens_details": None}) == Usage(3)
    assert chat_usage({}) == Usage()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"usage": COUNTS}, READ),
        ({"usage": {"input_tokens": 5, "output_tokens": 7}}, Usage(5, 7)),
        (
            {"usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 2}}},
            Usage(5, None, 2),
        ),
        ({"response": {"usage": {"input_tokens": 5, "output_tokens": 7}}}, Usage(5, 7)),
        ({"usage": {"total_tokens": 9}}, Usage(9)),
        ({"usage": {"type": "duration", "seconds": 3}}, Usage()),
        ({"usage": None, "response": None}, Usage()),
        ({}, Usage()),
    ],
    ids=str,
)
def test_any_answer_is_read_in_its_own_words(answer: dict[str, object], expected: Usage) -> None:
    tap = BodyTap(AnyUsage())
    tap.feed(json.dumps(answer).encode())
    tap.finish()
    assert tap.usage == expected
