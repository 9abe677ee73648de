"""What the official clients raise, and how often they ask again, for every way to fail.

Statuses of OpenAI's own shape are in test_openai_client.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest

from proxy.access import digest_of, new_key
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received
from tests.integration.providers import anthropic_error, anthropic_message
from tests.integration.sdk_clients import (
    LONG,
    anthropic_client,
    openai_client,
    ready,
    records,
)

KEY = new_key()
ASKED: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": LONG}],
}
SOON = ("retry-after-ms", "1")


@dataclass(frozen=True)
class Sdk:
    """One of the two clients: its module, its call of a model, the answer to that."""

    module: Any
    open: Any
    call: Any
    answer: bytes
    error: bytes
    path: str

    @asynccontextmanager
    async def client(self, proxy: Proxy, **options: Any) -> AsyncIterator[Any]:
        async with self.open(proxy, **options) as (client, _):
            yield client


SDKS = {
    "openai": Sdk(
        openai,
        openai_client,
        lambda client: client.chat.completions.create,
        b'{"id":"chatcmpl-1","object":"chat.completion","choices":[]}',
        b'{"error":{"message":"theirs","type":"t","param":null,"code":"c"}}',
        "/v1/chat/completions",
    ),
    "anthropic": Sdk(
        anthropic,
        anthropic_client,
        lambda client: client.messages.create,
        anthropic_message({"type": "text", "text": "Hi."}),
        b'{"type":"error","error":{"type":"api_error","message":"theirs"}}',
        "/v1/messages",
    ),
}


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    return SDKS[request.param]


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (400, "invalid_request_error", "BadRequestError"),
        (401, "authentication_error", "AuthenticationError"),
        (402, "billing_error", "PaymentRequiredError"),
        (403, "permission_error", "PermissionDeniedError"),
        (404, "not_found_error", "NotFoundError"),
        (408, "timeout_error", "RequestTimeoutError"),
        (409, "conflict_error", "ConflictError"),
        (412, "invalid_request_error", "PreconditionFailedError"),
        (413, "request_too_large", "RequestTooLargeError"),
        (422, "invalid_request_error", "UnprocessableEntityError"),
        (429, "rate_limit_error", "RateLimitError"),
        (418, "invalid_request_error", "APIStatusError"),  # no class of its own
        (499, "api_error", "ClientClosedRequestError"),
        (500, "api_error", "InternalServerError"),
        (501, "api_error", "HTTPNotImplementedError"),
        (503, "api_error", "ServiceUnavailableError"),
        (504, "timeout_error", "GatewayTimeoutError"),
        (529, "overloaded_error", "OverloadedError"),
        (599, "api_error", "InternalServerError"),  # every other one from 500 on
    ],
)
async def test_anthropics_errors_by_class(
    proxy: Proxy, upstream: FakeUpstream, status: int, kind: str, name: str
) -> None:
    upstream.handler = anthropic_error(status, kind, "theirs")
    async with anthropic_client(proxy) as (client, sent):
        for stream in (False, True):
            with pytest.raises(anthropic.APIStatusError) as caught:
                await client.messages.create(**ASKED, stream=stream)
            error = caught.value
            assert type(error) is getattr(anthropic, name)
            assert (error.status_code, error.type, error.request_id) == (status, kind, "req_err")
            assert error.body == {"type": "error", "error": {"type": kind, "message": "theirs"}}
    sent.arrived(upstream, shortened=True)
    for record in await records(proxy, 2):
        assert (record.status, record.ending) == (status, Ending.FINISHED)


@pytest.mark.parametrize("status", [408, 429, 529])
async def test_a_client_asks_again_as_often_as_it_was_told(
    sdk: Sdk, proxy: Proxy, upstream: FakeUpstream, status: int
) -> None:
    async def busy(request: Received, connection: Connection) -> None:
        if len(upstream.received) < 3:
            await connection.answer(status, sdk.error, [*JSON, SOON])
        else:
            await connection.answer(200, sdk.answer, JSON)

    upstream.handler = busy
    async with sdk.client(proxy, max_retries=2) as client:
        assert (await sdk.call(client)(**ASKED)).id in ("chatcmpl-1", "msg_1")
    counts = [request.value("x-stainless-retry-count") for request in upstream.received]
    assert counts == ["0", "1", "2"]
    assert len({request.body for request in upstream.received}) == 1
    assert [record.status for record in await records(proxy, 3)] == [status, status, 200]


@pytest.mark.parametrize(
    ("status", "header"),
    [(400, SOON), (404, SOON), (422, SOON), (503, ("x-should-retry", "false"))],
)
async def test_a_client_does_not_ask_again(
    sdk: Sdk, proxy: Proxy, upstream: FakeUpstream, status: int, header: tuple[str, str]
) -> None:
    async def fail(request: Received, connection: Connection) -> None:
        await connection.answer(status, sdk.error, [*JSON, header])

    upstream.handler = fail
    async with sdk.client(proxy, max_retries=2) as client:
        with pytest.raises(sdk.module.APIStatusError):
            await sdk.call(client)(**ASKED)
    assert len(upstream.received) == 1
    assert [record.status for record in await records(proxy)] == [status]


async def test_an_answer_that_breaks_off_is_a_connection_error(
    sdk: Sdk, proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        await connection.head(200, [*JSON, ("content-length", "100")])
        await connection.send(b'{"id":')
        connection.drop()

    upstream.handler = cut
    async with sdk.client(proxy) as client:
        with pytest.raises(sdk.module.APIConnectionError):
            await sdk.call(client)(**ASKED)
    assert len(upstream.received) == 1
    assert [record.ending for record in await records(proxy)] == [Ending.UPSTREAM_CUT]


async def test_a_proxy_that_is_gone_is_a_connection_error(sdk: Sdk, proxy: Proxy) -> None:
    await asyncio.to_thread(proxy.stop)
    async with sdk.client(proxy) as client:
        with pytest.raises(sdk.module.APIConnectionError):
            await sdk.call(client)(**ASKED)
    assert proxy.sink.empty


async def test_a_client_that_runs_out_of_time(
    sdk: Sdk, proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    async with sdk.client(proxy, timeout=0.3) as client:
        with pytest.raises(sdk.module.APITimeoutError):
            await sdk.call(client)(**ASKED)
    await asyncio.wait_for(upstream.connections[0].closed.wait(), 10)
    [record] = await records(proxy)
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, None)


@pytest.mark.parametrize("body", [b"<html>not an answer</html>", b'{"id":7,"choices":"none"}'])
async def test_an_answer_of_another_shape_is_the_clients_to_find(
    sdk: Sdk, proxy: Proxy, upstream: FakeUpstream, body: bytes
) -> None:
    kind = "text/html" if body.startswith(b"<") else "application/json"
    upstream.handler = ready({f"POST {sdk.path}": (body, kind)})
    async with sdk.client(proxy, _strict_response_validation=True) as client:
        with pytest.raises(sdk.module.APIResponseValidationError) as caught:
            await sdk.call(client)(**ASKED)
    assert caught.value.response.content == body
    [record] = await records(proxy)
    assert (record.ending, record.status) == (Ending.FINISHED, 200)


# What follows is refused here.


def with_keys(proxy_server: ProxyServer, **options: Any) -> Proxy:
    key = {"sha256": digest_of(KEY), "tenant": "team"} | options
    return proxy_server(access={"keys": {"a": key}}, upstream_options={"api_key": "sk-ours"})


async def refused(sdk: Sdk, proxy: Proxy, name: str, **options: Any) -> Any:
    """Return the error that a call raises that is made once and reaches no upstream."""
    headers = options.pop("extra_headers", None)
    async with sdk.client(proxy, **{"max_retries": 2, **options}) as client:
        with pytest.raises(getattr(sdk.module, name)) as caught:
            await sdk.call(client)(**ASKED, extra_headers=headers)
    [record] = await records(proxy)
    assert record.ending is Ending.REFUSED
    assert record.status == caught.value.status_code
    assert (caught.value.request_id or "").startswith("req_")
    return caught.value


def kind_of(sdk: Sdk, error: Any) -> str:
    """Return what a program would look at: OpenAI's code, Anthropic's type."""
    return str(error.code if sdk.module is openai else error.type)


async def test_a_bad_control_header(sdk: Sdk, proxy: Proxy, upstream: FakeUpstream) -> None:
    error = await refused(sdk, proxy, "BadRequestError", extra_headers={"x-tersely-rate": "7"})
    assert kind_of(sdk, error) in ("invalid_header", "invalid_request_error")
    assert "x-tersely-rate" in str(error)
    assert upstream.received == []


async def test_an_unknown_key(sdk: Sdk, proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    proxy = with_keys(proxy_server)
    error = await refused(sdk, proxy, "AuthenticationError", api_key="sk-wrong")
    assert kind_of(sdk, error) in ("invalid_api_key", "authentication_error")
    assert upstream.received == []


async def test_a_model_that_the_key_does_not_allow(
    sdk: Sdk, proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = with_keys(proxy_server, models=["other*"])
    error = await refused(sdk, proxy, "PermissionDeniedError", api_key=KEY)
    assert kind_of(sdk, error) in ("model_not_allowed", "permission_error")
    assert upstream.received == []


async def test_a_daily_budget_that_is_used_up_keeps_no_client_waiting_for_the_next_day(
    sdk: Sdk, proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = with_keys(proxy_server, limits={"tokens_per_day": 100})
    usage = {"prompt_tokens": 90, "input_tokens": 90, "completion_tokens": 9, "output_tokens": 9}
    upstream.handler = ready({f"POST {sdk.path}": json.loads(sdk.answer) | {"usage": usage}})
    async with sdk.client(proxy, api_key=KEY) as client:
        await sdk.call(client)(**ASKED)
    await records(proxy)
    error = await refused(sdk, proxy, "RateLimitError", api_key=KEY)
    assert kind_of(sdk, error) in ("rate_limit_exceeded", "rate_limit_error")
    assert error.response.headers["x-should-retry"] == "false"
    assert 1 <= int(error.response.headers["retry-after"]) <= 86_400
    assert error.response.headers["x-tersely-ratelimit-remaining-tokens-day"] == "1"
    assert len(upstream.received) == 1


async def test_a_limit_a_minute_says_when_to_come_again(
    sdk: Sdk, proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = with_keys(proxy_server, limits={"requests_per_minute": 1})
    upstream.handler = ready({f"POST {sdk.path}": sdk.answer})
    async with sdk.client(proxy, api_key=KEY) as client:
        await sdk.call(client)(**ASKED)
    await records(proxy)
    error = await refused(sdk, proxy, "RateLimitError", api_key=KEY, max_retries=0)
    assert 1 <= int(error.response.headers["retry-after"]) <= 120
    assert "x-should-retry" not in error.response.headers
    assert len(upstream.received) == 1


async def test_a_full_proxy_is_asked_again(
    sdk: Sdk, proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    gate = asyncio.Event()

    async def gated(request: Received, connection: Connection) -> None:
        await gate.wait()
        await connection.answer(200, sdk.answer, JSON)

    upstream.handler = gated
    proxy = proxy_server(server={"max_connections": 1})
    async with sdk.client(proxy, max_retries=3) as client:
        first = asyncio.create_task(sdk.call(client)(**ASKED))
        await upstream.wait_for()
        second = asyncio.create_task(sdk.call(client)(**ASKED))
        turned_away = await proxy.sink.next()
        gate.set()
        answers = await asyncio.gather(first, second)
    assert turned_away.status == 503
    assert len({answer.id for answer in answers}) == 1
    assert len(upstream.received) == 2
    assert [record.status for record in await records(proxy, 2)] == [200, 200]


async def test_an_upstream_that_cannot_be_reached_is_not_asked_for_again(
    sdk: Sdk, proxy_server: ProxyServer
) -> None:
    proxy = proxy_server(upstream_options={"base_url": "http://no-such-host.invalid/v1"})
    async with sdk.client(proxy, max_retries=2) as client:
        with pytest.raises(sdk.module.InternalServerError) as caught:
            await sdk.call(client)(**ASKED)
    assert caught.value.status_code == 502
    assert "'main'" in str(caught.value)
    assert kind_of(sdk, caught.value) in ("upstream_unreachable", "api_error")
    assert caught.value.response.headers["x-should-retry"] == "false"
    [record] = await records(proxy)
    assert record.ending is Ending.UPSTREAM_UNREACHABLE


async def test_an_upstream_that_is_silent(
    sdk: Sdk, proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    proxy = proxy_server(upstream_options={"read_timeout_seconds": 0.3})
    async with sdk.client(proxy, max_retries=1) as client:
        with pytest.raises(sdk.module.InternalServerError) as caught:
            await sdk.call(client)(**ASKED)
    assert caught.value.status_code == 504
    assert kind_of(sdk, caught.value) in ("upstream_timeout", "timeout_error")
    assert len(upstream.received) == 2  # the client's own second try, and none of the proxy's
    endings = [record.ending for record in await records(proxy, 2)]
    assert endings == [Ending.UPSTREAM_TIMEOUT] * 2
