import json
from typing import Any

import pytest

from proxy.errors import (
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from proxy.litellm_answer import (
    ErrorAnswer,
    completion_body,
    failure,
    passed_headers,
    stream_event,
)


def raised(
    name: str, message: str = "words", cause: Exception | None = None, **members: Any
) -> Any:
    """An exception of that class name, as a library would raise it."""
    error = type(name, (Exception,), {})(message)
    for member, value in members.items():
        setattr(error, member, value)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConnectError", UpstreamUnreachable),
        ("ConnectTimeout", UpstreamUnreachable),
        ("ReadTimeout", UpstreamTimeout),
        ("RemoteProtocolError", UpstreamDisconnected),
        ("ReadError", UpstreamDisconnected),
    ],
)
def test_connections(name: str, kind: type[UpstreamError]) -> None:
    inner = raised("AnthropicError", cause=raised(name), status_code=500)
    found = failure("u", raised("InternalServerError", cause=inner, status_code=500), None)
    assert type(found) is kind
    assert "'u'" in str(found)


@pytest.mark.parametrize(
    ("name", "own", "theirs", "status", "code"),
    [
        ("BadRequestError", 400, 400, 400, None),
        ("ContextWindowExceededError", 400, 400, 400, "context_length_exceeded"),
        ("AuthenticationError", 401, 401, 401, "invalid_api_key"),
        ("RateLimitError", 429, 400, 429, "rate_limit_exceeded"),
        ("InternalServerError", 500, 529, 503, "overloaded"),
        ("ServiceUnavailableError", 503, 503, 503, "overloaded"),
        ("APIConnectionError", 500, 502, 502, None),
    ],
)
def test_statuses(name: str, own: int, theirs: int, status: int, code: str | None) -> None:
    cause = raised("TheirError", status_code=theirs)
    found = failure("u", raised(name, cause=cause, status_code=own), None)
    assert isinstance(found, ErrorAnswer)
    assert found.status == status
    error = json.loads(found.body)["error"]
    assert error["code"] == code
    assert set(error) == {"message", "type", "param", "code"}


def test_what_litellm_did_not_expect_is_no_answer() -> None:
    error = raised("APIConnectionError", cause=KeyError("x"), status_code=500)
    assert isinstance(failure("u", error, None), UpstreamProtocolError)
    assert isinstance(failure("u", raised("Strange"), None), UpstreamProtocolError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('litellm.X: AnthropicError - {"error":{"type":"t","message":"theirs"}}', "theirs"),
        ('litellm.X: litellm.Y: OllamaError - {"error":"theirs"}', "theirs"),
        ('X - {"message":"theirs"}', "theirs"),
        ("litellm.X: plain words", "plain words"),
        ("litellm.AError: AError: BException - plain words", "plain words"),
        ("X - {broken", "X - {broken"),
        ("X - {1: 2}", "X - {1: 2}"),
        ("words\n\nThis looks like a bug in LiteLLM rather than yours. https://x", "words"),
        ("words. Handle with `litellm.InternalServerError`.", "words."),
        ("the key sk-1 is bad", "the key *** is bad"),
    ],
)
def test_messages(text: str, message: str) -> None:
    found = failure("u", raised("BadRequestError", text, status_code=400), "sk-1")
    assert isinstance(found, ErrorAnswer)
    assert found.message == message


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
