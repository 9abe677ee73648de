import json
from typing import Any

import pytest

from proxy.litellm_answer import completion_body, passed_headers, stream_event


def test_headers_that_mean_something_to_the_client() -> None:
    given = {
        "llm_provider-retry-after": "7",
        "retry-after": "8",
        "llm_provider-request-id": "req_1",
        "x-ratelimit-remaining-requests": 3,
        "llm_provider-set-cookie": "a=b",
        "llm_provider-x-request-id": None,
    }
    assert list(passed_headers(given)) == [
        (b"retry-after", b"7"),
        (b"x-request-id", b"req_1"),
        (b"x-ratelimit-remaining-requests", b"3"),
    ]


def test_a_number_that_orjson_cannot_write() -> None:
    assert json.loads(completion_body({"choices": [], "big": 10**30}))["big"] == 10**30


def test_a_message_that_only_calls_tools_has_a_null_content() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [call],
        "audio": None,
        "images": [],
    }
    (choice,) = json.loads(completion_body({"choices": [{"index": 0, "message": message}]}))[
        "choices"
    ]
    assert choice["message"]["content"] is None
    assert "index" not in choice["message"]["tool_calls"][0]
    assert not {"audio", "images"} & choice["message"].keys()


CHUNK = {"id": "1", "choices": [{"index": 0, "delta": {"content": "a"}}]}
LAST = {"id": "1", "choices": [{"index": 0, "delta": {}}], "usage": {"total_tokens": 3}}
BOTH = {
    "id": "1",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}],
    "usage": {"total_tokens": 3},
}


@pytest.mark.parametrize(
    ("chunk", "include_usage", "events"),
    [
        (CHUNK, False, [(1, "absent")]),
        (CHUNK, True, [(1, None)]),
        (LAST, False, []),
        (LAST, True, [(0, {"total_tokens": 3})]),
        (BOTH, False, [(1, "absent")]),
        (BOTH, True, [(1, None), (0, {"total_tokens": 3})]),
    ],
)
def test_usage_in_a_stream(chunk: Any, include_usage: bool, events: list[Any]) -> None:
    found = [
        json.loads(event.removeprefix(b"data: "))
        for event in stream_event(chunk, include_usage=include_usage)
    ]
    assert [(len(body["choices"]), body.get("usage", "absent")) for body in found] == events
