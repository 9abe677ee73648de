import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import RequestRefused
from proxy.litellm_request import OPERATIONS, read_request, serves

CHAT = OPERATIONS["/chat/completions"]
MESSAGES = [{"role": "user", "content": "Hi."}]


def asked(**members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES} | members).encode()


def test_what_is_listed_passes_and_the_model_does_not() -> None:
    found = read_request(CHAT, asked(temperature=0.5, seed=10**30, user=None, metadata={}))
    assert found.arguments == {"messages": MESSAGES, "temperature": 0.5, "seed": 10**30}
    assert found.left_out == ("metadata",)
    assert (found.stream, found.include_usage) == (False, False)


def test_hints_are_left_out_and_what_is_counted_on_is_refused() -> None:
    assert read_request(CHAT, asked(prompt_cache_options={})).left_out == ("prompt_cache_options",)
    with pytest.raises(RequestRefused, match="moderates nothing") as caught:
        read_request(CHAT, asked(moderation={"model": "omni-moderation-latest"}))
    assert (caught.value.code, caught.value.param) == ("unsupported_value", "moderation")


@pytest.mark.parametrize(
    ("method", "path", "there"),
    [
        ("POST", "/v1/chat/completions", True),
        ("POST", "/v1/responses", True),
        ("GET", "/v1/models", True),
        ("POST", "/v1/models", False),
        ("GET", "/v1/chat/completions", False),
        ("POST", "/v1/messages", False),
    ],
)
def test_what_there_is(method: str, path: str, there: bool) -> None:
    assert serves(method, path) is there


@pytest.mark.parametrize(
    ("options", "wanted"),
    [({"include_usage": True}, True), ({"include_usage": 1}, False), ([], False), ("x", False)],
)
def test_streams(options: Any, wanted: bool) -> None:
    found = read_request(CHAT, asked(stream=True, stream_options=options))
    assert (found.stream, found.include_usage) == (True, wanted)


@given(st.text(min_size=1, max_size=20))
def test_no_other_argument_passes(name: str) -> None:
    known = CHAT.arguments | CHAT.left_out | CHAT.refused.keys() | {"model"}
    if name in known:
        return
    with pytest.raises(RequestRefused) as caught:
        read_request(CHAT, asked(**{name: 1}))
    assert (caught.value.status, caught.value.code) == (400, "unknown_parameter")


def test_nothing_that_is_litellms_own_is_listed() -> None:
    own = {
        "api_base",
        "base_url",
        "api_key",
        "api_version",
        "custom_llm_provider",
        "extra_headers",
        "extra_body",
        "extra_query",
        "headers",
        "default_headers",
        "organization",
        "fallbacks",
        "model_list",
        "mock_response",
        "metadata",
        "timeout",
        "max_retries",
        "client",
        "shared_session",
        "ssl_verify",
        "deployment_id",
        "drop_params",
    }
    for operation in OPERATIONS.values():
        assert not operation.arguments & own


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/chat/completions", b"", "invalid_json"),
        ("/chat/completions", b"[1]", "invalid_json"),
        ("/chat/completions", b'{"messages":NaN}', "invalid_json"),
        ("/chat/completions", b"[" * 100_000, "invalid_json"),
        ("/chat/completions", b"{}", "missing_required_parameter"),
        ("/completions", b"{}", "missing_required_parameter"),
        ("/embeddings", b'{"prompt":"x"}', "missing_required_parameter"),
        ("/embeddings", b'{"input":"x","messages":[]}', "unknown_parameter"),
    ],
)
def test_bodies_that_are_refused(path: str, body: bytes, code: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        read_request(OPERATIONS[path], body)
    assert (caught.value.status, caught.value.code) == (400, code)


DATA = "data:image/png;base64,aGk="


@pytest.mark.parametrize(
    ("part", "passes"),
    [
        ({"type": "text", "text": "http://x"}, True),
        ({"type": "refusal", "refusal": "no"}, True),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}, True),
        ({"type": "image_url", "image_url": {"url": DATA, "detail": "low"}}, True),
        ({"type": "image_url", "image_url": DATA}, True),
        ({"type": "file", "file": {"file_data": DATA, "filename": "a.png"}}, True),
        ({"type": "image_url", "image_url": {"url": "https://x/a.png"}}, False),
        ({"type": "image_url", "image_url": {"url": "gs://x/a.png"}}, False),
        ({"type": "image_url", "image_url": {"url": "/etc/passwd"}}, False),
        ({"type": "image_url", "image_url": {}}, False),
        ({"type": "image_url"}, False),
        ({"type": "file", "file": {"file_id": "https://x"}}, False),
        ({"type": "file", "file": {"file_id": "x", "file_data": DATA}}, False),
        ({"type": "document", "source": {"type": "url", "url": "https://x"}}, False),
        ({"type": ["text"]}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("role", ["user", "tool", "system"])
def test_media_by_data_only(part: dict[str, Any], passes: bool, role: str) -> None:
    body = asked(messages=[{"role": role, "content": [part]}])
    if passes:
        assert read_request(CHAT, body).arguments["messages"]
        return
    with pytest.raises(RequestRefused, match=r"provider|data: URL") as caught:
        read_request(CHAT, body)
    assert caught.value.status == 400


@pytest.mark.parametrize("kind", ["mcp", "web_search", None, 1])
def test_tools_of_other_types_are_refused(kind: Any) -> None:
    with pytest.raises(RequestRefused):
        read_request(CHAT, asked(tools=[{"type": "function"}, {"type": kind}]))
