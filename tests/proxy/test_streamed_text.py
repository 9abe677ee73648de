import gzip
import json
from typing import Any

import pytest

from proxy.streamed_text import StreamedText
from proxy.taps import tap_for
from proxy.usage import ChatUsage


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


@pytest.mark.parametrize(
    ("event", "tokens"),
    [
        ({"choices": [{"delta": {"role": "assistant", "content": "12345678"}}]}, 2),
        ({"choices": [{"delta": {"content": "1234"}}, {"delta": {"reasoning": "5678"}}]}, 2),
        ({"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "1234"}}]}}]}, 1),
        ({"choices": [{"delta": {"audio": {"data": "A" * 400, "transcript": "1234"}}}]}, 1),
        ({"choices": [{"text": "12345", "logprobs": {"tokens": ["12345"]}}]}, 2),
        ({"type": "response.output_text.delta", "delta": "12345678"}, 2),
        ({"type": "response.audio.delta", "delta": "A" * 400}, 0),
        ({"type": "response.output_text.done", "text": "12345678"}, 0),
        ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "1234"}}, 1),
        ({"choices": [{"delta": {"content": "\u6f22\u5b57\u6f22\u5b57"}}]}, 3),
        ({"choices": [{"delta": {"content": "\ud800"}}]}, 0),
        ({"choices": "delta"}, 0),
        ({"choices": [None, {"delta": None}]}, 0),
    ],
    ids=str,
)
def test_text_is_counted_by_its_bytes(event: dict[str, Any], tokens: int) -> None:
    text = StreamedText()
    text.look(stream(event))
    assert text.tokens == tokens


def test_it_is_counted_beside_what_else_is_read() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    data = stream({"choices": [{"delta": {"content": "12345678"}}]}, {"usage": usage})
    for encoding, sent in ((b"", data), (b"gzip", gzip.compress(data))):
        text = StreamedText()
        tap, _ = tap_for(
            b"text/event-stream", encoding, ChatUsage(), remove_added=False, looks=[text.look]
        )
        passed = b"".join(tap.feed(sent[at : at + 7]) for at in range(0, len(sent), 7))
        assert passed + tap.finish() == sent
        assert text.tokens == 2
        assert tap.usage.completion_tokens == 2
