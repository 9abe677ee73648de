import json
from typing import Any

import pytest

from proxy.errors import (
    RequestRefused,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from proxy.litellm_errors import CallTrace, ErrorAnswer, failure

SENT = CallTrace(sent=True)
NOT_SENT = CallTrace()
QUOTED = "words that quote the prompt"


def raised(
    name: str, message: str = QUOTED, cause: Exception | None = None, **members: Any
) -> Exception:
    """An exception of that class name, as a library would raise it."""
    error: Exception = type(name, (Exception,), {})(message)
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
    inner = raised("AnthropicError", cause=raised(name, "the system's words"), status_code=500)
    found = failure("u", raised("InternalServerError", cause=inner, status_code=500), None, SENT)
    assert type(found) is kind
    assert "'u'" in str(found)
    assert QUOTED not in str(found)
    assert ("the system's words" in str(found)) == (kind is UpstreamUnreachable)


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
        ("APIConnectionError", 500, 422, 422, None),
    ],
)
def test_statuses(name: str, own: int, theirs: int, status: int, code: str | None) -> None:
    trace = CallTrace(sent=True, status=theirs)
    found = failure("u", raised(name, "theirs", status_code=own), None, trace)
    assert isinstance(found, ErrorAnswer)
    assert found.status == status
    error = json.loads(found.body)["error"]
    assert error["code"] == code
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "error",
    [
        raised("APIConnectionError", cause=KeyError("x"), status_code=500),
        raised("BadRequestError", status_code=400),
        raised("Strange"),
    ],
    ids=["unexpected", "refused", "strange"],
)
@pytest.mark.parametrize("status", [200, 307, None])
def test_a_status_that_no_provider_gave_is_none(error: Exception, status: int | None) -> None:
    found = failure("u", error, None, CallTrace(sent=True, status=status))
    assert isinstance(found, UpstreamProtocolError)
    assert QUOTED not in str(found)


def test_an_error_in_a_stream_is_the_providers() -> None:
    told = raised("AnthropicError", '{"error":{"message":"theirs"}}', status_code=529)
    wrapped = raised("MidStreamFallbackError", cause=told, status_code=500)
    streamed = CallTrace(sent=True, status=200, streamed=True)
    found = failure("u", wrapped, None, streamed)
    assert isinstance(found, ErrorAnswer)
    assert (found.status, found.message) == (503, "theirs")
    # one that was run into while an event was read is not
    run_into = raised("AnthropicError", status_code=500, cause=KeyError("delta"))
    found = failure("u", raised("X", cause=run_into, status_code=500), None, streamed)
    assert isinstance(found, UpstreamProtocolError)
    # and what is not streamed tells its errors by its status
    whole = CallTrace(sent=True, status=200)
    assert isinstance(failure("u", wrapped, None, whole), UpstreamProtocolError)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (raised("BadRequestError", status_code=400), "unsupported_value", "BadRequestError"),
        (
            raised("APIConnectionError", cause=KeyError("content"), status_code=500),
            "unsupported_value",
            "nothing was sent",
        ),
        (
            raised("UnsupportedParamsError", status_code=400),
            "unsupported_parameter",
            "seed, user",
        ),
    ],
    ids=["refused", "run into", "unsupported"],
)
def test_a_request_that_litellm_does_not_take(error: Exception, code: str, words: str) -> None:
    found = failure("u", error, None, CallTrace(unsupported=("seed", "user")))
    assert isinstance(found, RequestRefused)
    assert (found.status, found.code) == (400, code)
    assert words in found.message
    assert QUOTED not in found.message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            raised(
                "BadRequestError",
                "please run `pip install google-cloud-aiplatform`. It is needed.",
                ModuleNotFoundError("No module named 'vertexai'", name="vertexai"),
                status_code=400,
            ),
            "(pip install google-cloud-aiplatform)",
        ),
        (
            raised("X", cause=ModuleNotFoundError("no boto3", name="boto3"), status_code=400),
            "(pip install boto3)",
        ),
        (raised("AuthenticationError", status_code=401), "no credentials"),
        (raised("APIConnectionError", status_code=500), "could not send"),
    ],
    ids=["named", "module", "credentials", "other"],
)
def test_what_this_machine_lacks_is_not_blamed_on_the_client(error: Exception, words: str) -> None:
    found = failure("u", error, None, NOT_SENT)
    assert isinstance(found, UpstreamUnreachable)
    assert words in str(found)
    assert QUOTED not in str(found)


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
        (
            "'content'\nTraceback (most recent call last):\n  File x",
            "the provider refused the request",
        ),
    ],
)
def test_messages(text: str, message: str) -> None:
    trace = CallTrace(sent=True, status=400)
    found = failure("u", raised("BadRequestError", text, status_code=400), "sk-1", trace)
    assert isinstance(found, ErrorAnswer)
    assert found.message == message
