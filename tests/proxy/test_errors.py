import json

import pytest

from proxy.errors import (
    RequestRefused,
    UpstreamCut,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
    answer_for,
    error_body,
    not_served,
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
