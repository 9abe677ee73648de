import json

import pytest

from proxy.errors import (
    ErrorShape,
    RequestRefused,
    UpstreamCut,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
    answer_for,
    error_body,
    error_shape,
    not_served,
    request_id_headers,
    too_many_connections,
    wrong_method,
)
from proxy.savings import Ending


@pytest.mark.parametrize(
    ("error", "status", "ending"),
    [
        (UpstreamUnreachable("x"), 502, Ending.UPSTREAM_UNREACHABLE),
        (UpstreamDisconnected("x"), 502, Ending.UPSTREAM_CUT),
        (UpstreamProtocolError("x"), 502, Ending.UPSTREAM_CUT),
        (UpstreamCut("x"), 502, Ending.UPSTREAM_CUT),
        (UpstreamTimeout("x"), 504, Ending.UPSTREAM_TIMEOUT),
        (RequestRefused(413, "x"), 413, Ending.REFUSED),
        (not_served("GET", "/x"), 404, Ending.REFUSED),
        (wrong_method("PUT", "/x"), 405, Ending.REFUSED),
        (too_many_connections(1), 503, Ending.REFUSED),
        (ValueError("x"), 500, Ending.INTERNAL_ERROR),
        (UpstreamError("x"), 500, Ending.INTERNAL_ERROR),
    ],
)
def test_the_table(error: Exception, status: int, ending: Ending) -> None:
    answer = answer_for(error)
    assert (answer.status, answer.ending) == (status, ending)
    body = json.loads(error_body(error, "req_1"))["error"]
    assert set(body) == {"message", "type", "param", "code"}
    assert body["type"] == answer.type
    assert body["code"] == answer.code


def test_a_subclass_is_answered_as_its_base() -> None:
    class Refused(UpstreamUnreachable):
        pass

    assert answer_for(Refused("x")).status == 502


def test_an_unexpected_error_keeps_its_text_to_itself() -> None:
    body = error_body(KeyError("sk-secret"), "req_77")
    assert b"sk-secret" not in body
    assert b"req_77" in body


def test_a_refusal_says_which_parameter() -> None:
    error = RequestRefused(400, "bad rate", code="invalid_header", param="x-tersely-rate")
    assert json.loads(error_body(error, "r"))["error"] == {
        "message": "bad rate",
        "type": "invalid_request_error",
        "param": "x-tersely-rate",
        "code": "invalid_header",
    }


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/v1/messages", {}, ErrorShape.ANTHROPIC),
        ("/v1/messages/count_tokens", {}, ErrorShape.ANTHROPIC),
        ("/v1/messages/batches/b_1/results", {}, ErrorShape.ANTHROPIC),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, ErrorShape.ANTHROPIC),
        ("/v1/models", {}, ErrorShape.OPENAI),
        ("/v1/messages_of_mine", {}, ErrorShape.OPENAI),
        ("/v1/threads/t/messages", {}, ErrorShape.OPENAI),
        ("/v1/chat/completions", {}, ErrorShape.OPENAI),
    ],
)
def test_whose_errors_a_client_reads(path: str, headers: dict[str, str], shape: ErrorShape) -> None:
    assert error_shape(path, headers) is shape


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RequestRefused(400, "m"), "invalid_request_error"),
        (RequestRefused(401, "m"), "authentication_error"),
        (RequestRefused(403, "m"), "permission_error"),
        (RequestRefused(404, "m"), "not_found_error"),
        (RequestRefused(405, "m"), "invalid_request_error"),
        (RequestRefused(413, "m"), "request_too_large"),
        (RequestRefused(429, "m"), "rate_limit_error"),
        (RequestRefused(503, "m"), "overloaded_error"),
        (UpstreamUnreachable("m"), "api_error"),
        (UpstreamTimeout("m"), "timeout_error"),
    ],
)
def test_an_error_in_anthropics_shape(error: Exception, kind: str) -> None:
    assert json.loads(error_body(error, "req_1", ErrorShape.ANTHROPIC)) == {
        "type": "error",
        "error": {"type": kind, "message": "m"},
        "request_id": "req_1",
    }


def test_an_unexpected_error_keeps_its_text_to_itself_in_every_shape() -> None:
    body = error_body(KeyError("sk-secret"), "req_77", ErrorShape.ANTHROPIC)
    assert b"sk-secret" not in body
    assert json.loads(body)["error"]["type"] == "api_error"


def test_the_requests_id_is_where_the_client_looks_for_it() -> None:
    assert request_id_headers("r", ErrorShape.OPENAI) == [(b"x-request-id", b"r")]
    both = [(b"x-request-id", b"r"), (b"request-id", b"r")]
    assert request_id_headers("r", ErrorShape.ANTHROPIC) == both
