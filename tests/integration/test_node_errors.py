"""Openai's Node SDK where a call fails, is refused, runs out of time or is left."""

from typing import Any

import pytest

from proxy.access import digest_of, new_key
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, chat_events
from tests.integration.node_clients import NEEDS_NODE, drive
from tests.integration.sdk_clients import HALF, LONG, records

pytestmark = [pytest.mark.frameworks, NEEDS_NODE]

KEY = new_key()
# 418 and 499 have no class of their own; all from 500 on share one.
CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "InternalServerError",
    418: "APIError",
    499: "APIError",
    501: "InternalServerError",
    529: "InternalServerError",
}


async def silent(request: Received, connection: Connection) -> None:
    await connection.until_closed()


async def test_errors_by_class(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def fail(request: Received, connection: Connection) -> None:
        status = int(request.json["model"].removeprefix("gpt-"))
        body = b'{"error":{"message":"theirs","type":"t","param":"p","code":"bad"}}'
        await connection.answer(status, body, [*JSON, ("x-request-id", f"req_{status}")])

    upstream.handler = fail
    seen = await drive(proxy, "statuses")
    assert seen == {
        str(status): [
            {
                "kind": kind,
                "status": status,
                "code": "bad",
                "param": "p",
                "type": "t",
                "requestId": f"req_{status}",
                "again": None,
            }
        ]
        * 2
        for status, kind in CLASSES.items()
    }
    assert all(HALF in request.body.decode() for request in upstream.received)
    for record in await records(proxy, 2 * len(CLASSES)):
        assert record.ending is Ending.FINISHED
        assert record.status in CLASSES


async def test_refusals_of_our_own(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    key: dict[str, Any] = {"sha256": digest_of(KEY), "tenant": "team", "models": ["gpt*"]}
    key |= {"control_headers": True, "limits": {"tokens_per_minute": 50}}
    proxy = proxy_server(access={"keys": {"a": key}}, upstream_options={"api_key": "sk-ours"})
    seen = await drive(proxy, "refusals", key=KEY)
    assert {what: (error["kind"], error["code"]) for what, error in seen.items()} == {
        "key": ("AuthenticationError", "invalid_api_key"),
        "model": ("PermissionDeniedError", "model_not_allowed"),
        "header": ("BadRequestError", "invalid_header"),
        "path": ("NotFoundError", "unknown_url"),
        "limit": ("RateLimitError", "rate_limit_exceeded"),
    }
    assert seen["header"]["param"] == "x-tersely-rate"
    assert seen["limit"]["again"] == "false"
    assert all(error["requestId"].startswith("req_") for error in seen.values())
    assert upstream.received == []


async def test_an_upstream_that_cannot_be_reached(proxy_server: ProxyServer) -> None:
    proxy = proxy_server(upstream_options={"base_url": "http://no-such-host.invalid/v1"})
    error = await drive(proxy, "raises")
    assert (error["kind"], error["status"]) == ("InternalServerError", 502)
    assert (error["code"], error["again"]) == ("upstream_unreachable", "false")
    assert [record.ending for record in await records(proxy)] == [Ending.UPSTREAM_UNREACHABLE]


async def test_an_upstream_that_is_silent(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.handler = silent
    proxy = proxy_server(upstream_options={"read_timeout_seconds": 0.3})
    error = await drive(proxy, "raises")
    assert (error["kind"], error["status"]) == ("InternalServerError", 504)
    assert error["code"] == "upstream_timeout"
    assert [record.ending for record in await records(proxy)] == [Ending.UPSTREAM_TIMEOUT]


async def test_a_proxy_that_is_gone(proxy: Proxy) -> None:
    proxy.stop()
    error = await drive(proxy, "raises")
    assert (error["kind"], error.get("status")) == ("APIConnectionError", None)
    assert proxy.sink.empty


BROKEN = {
    "raises_with_retries": ("TypeError", None),
    "raises_in_stream": ("APIError", "upstream_cut"),
}


@pytest.mark.parametrize("scenario", BROKEN)
async def test_an_answer_that_breaks_off_is_an_error_and_not_asked_for_again(
    proxy: Proxy, upstream: FakeUpstream, scenario: str
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        if request.json.get("stream"):
            await connection.begin_stream()
            await connection.chunk(next(chat_events()))
        else:
            await connection.head(200, [*JSON, ("content-length", "100")])
            await connection.send(b'{"id":')
        connection.drop()

    upstream.handler = cut
    error = await drive(proxy, scenario)
    assert (error["kind"], error.get("code")) == BROKEN[scenario]
    assert len(upstream.received) == 1
    assert [record.ending for record in await records(proxy)] == [Ending.UPSTREAM_CUT]


async def test_a_client_that_runs_out_of_time(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = silent
    error = await drive(proxy, "timeout")
    assert (error["kind"], error.get("status")) == ("APIConnectionTimeoutError", None)
    await soon(upstream.connections[0].closed.wait())
    [record] = await records(proxy)
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, None)


async def test_an_aborted_call_frees_the_upstream(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = silent
    error = await drive(proxy, "abort", upstream.wait_for())
    assert error["kind"] == "APIUserAbortError"
    await soon(upstream.connections[0].closed.wait())
    assert [record.ending for record in await records(proxy)] == [Ending.CLIENT_GONE]


LEFT: dict[str, Any] = {"leave_stream": {"content": "Hel"}, "abort_stream": {"words": ["Hel"]}}


@pytest.mark.parametrize("scenario", LEFT)
async def test_a_stream_that_is_left_frees_the_upstream(
    proxy: Proxy, upstream: FakeUpstream, scenario: str
) -> None:
    async def endless(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(next(chat_events()))
        await connection.until_closed()

    upstream.handler = endless
    assert await drive(proxy, scenario) == LEFT[scenario]
    assert LONG not in upstream.received[0].body.decode()
    await soon(upstream.connections[0].closed.wait())
    [record] = await records(proxy)
    assert (record.ending, record.status, record.stream) == (Ending.CLIENT_GONE, 200, True)
