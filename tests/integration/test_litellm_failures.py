"""What a client is told when something goes wrong behind `via: litellm`."""

import json
from functools import partial
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from proxy.savings import Ending
from tests.integration.conftest import ProxyServer, soon
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Handler, Received
from tests.integration.providers import (
    anthropic_error,
    anthropic_event,
    anthropic_stream,
    litellm_proxy,
)
from tests.integration.test_failures import closed_port, own_error
from tests.integration.test_litellm import post
from tests.integration.test_openai_client import CHAT


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream) -> Any:
    return partial(litellm_proxy, proxy_server, upstream)


@pytest.mark.parametrize(
    ("handler", "kind", "status", "code"),
    [
        (
            anthropic_error(400, "invalid_request_error", "theirs"),
            openai.BadRequestError,
            400,
            None,
        ),
        (
            anthropic_error(400, "invalid_request_error", "prompt is too long: 9 tokens"),
            openai.BadRequestError,
            400,
            "context_length_exceeded",
        ),
        (
            anthropic_error(401, "authentication_error", "theirs"),
            openai.AuthenticationError,
            401,
            "invalid_api_key",
        ),
        (
            anthropic_error(404, "not_found_error", "theirs"),
            openai.NotFoundError,
            404,
            "model_not_found",
        ),
        (
            anthropic_error(429, "rate_limit_error", "theirs", ("retry-after", "7")),
            openai.RateLimitError,
            429,
            "rate_limit_exceeded",
        ),
        (anthropic_error(500, "api_error", "theirs"), openai.InternalServerError, 500, None),
        (
            anthropic_error(529, "overloaded_error", "theirs", ("retry-after", "7")),
            openai.InternalServerError,
            503,
            "overloaded",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_refusals(
    start: Any,
    upstream: FakeUpstream,
    handler: Handler,
    kind: type[openai.APIStatusError],
    status: int,
    code: str | None,
    stream: bool,
) -> None:
    proxy = start(handler=handler)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        with pytest.raises(kind) as caught:
            await client.chat.completions.create(**CHAT, stream=stream)
    error = caught.value
    assert (error.status_code, error.code) == (status, code)
    assert error.body["message"] in ("theirs", "prompt is too long: 9 tokens")  # type: ignore[index]
    assert error.request_id == "req_err"
    if status in (429, 503):
        assert error.response.headers["retry-after"] == "7"
    assert len(upstream.received) == 1
    record = await proxy.sink.next()
    assert (record.ending, record.status, record.tries) == (Ending.FINISHED, status, 1)


async def test_a_provider_that_is_down(start: Any) -> None:
    with closed_port() as port:
        answer = await post(start(base_url=f"http://127.0.0.1:{port}"))
    error = own_error(answer, 502, "upstream_unreachable")
    assert "'provider'" in error["message"]


@pytest.mark.parametrize("provider", ["anthropic", "openai", "mistral", "ollama_chat", "gemini"])
@pytest.mark.parametrize("stream", [False, True])
async def test_what_may_have_been_read_is_sent_once(
    start: Any, upstream: FakeUpstream, provider: str, stream: bool
) -> None:
    async def drop(request: Received, connection: Connection) -> None:
        connection.drop()

    answer = await post(start(f"{provider}/{{model}}", drop), stream=stream)
    own_error(answer, 502, "upstream_disconnected")
    assert len(upstream.received) == 1


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
async def test_a_bad_answer_is_asked_for_once(
    start: Any, upstream: FakeUpstream, provider: str
) -> None:
    async def busy(request: Received, connection: Connection) -> None:
        await connection.answer(503, b'{"error":{"message":"busy"}}', JSON)

    answer = await post(start(f"{provider}/{{model}}", busy))
    assert (answer.status, json.loads(answer.body)["error"]["message"]) == (503, "busy")
    assert len(upstream.received) == 1


async def test_silence(start: Any, upstream: FakeUpstream) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    answer = await post(start(handler=silent, read_timeout_seconds=0.2))
    own_error(answer, 504, "upstream_timeout")
    assert len(upstream.received) == 1
    await soon(upstream.connections[0].closed.wait())


@pytest.mark.parametrize("ending", ["cut", "error"])
async def test_a_stream_that_breaks_off(start: Any, ending: str) -> None:
    async def breaks(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for event in list(anthropic_stream("Hel"))[:4]:
            await connection.chunk(event)
        if ending == "error":
            error = {"type": "overloaded_error", "message": "Overloaded"}
            await connection.chunk(anthropic_event("error", error=error))
            await connection.until_closed()
        connection.drop()

    proxy = start(handler=breaks)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        stream = await client.chat.completions.create(**CHAT, stream=True)
        with pytest.raises(openai.APIError) as caught:
            _ = [chunk async for chunk in stream]
    assert caught.value.code == "upstream_cut"
    assert ("Overloaded" in caught.value.message) == (ending == "error")
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_CUT


async def test_a_client_that_leaves_ends_the_providers_stream(
    start: Any, upstream: FakeUpstream
) -> None:
    async def endless(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for event in list(anthropic_stream("Hel"))[:4]:
            await connection.chunk(event)
        await connection.until_closed()

    proxy = start(handler=endless)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        stream = await client.chat.completions.create(**CHAT, stream=True)
        await anext(aiter(stream))
        await stream.close()
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE


async def test_a_text_completions_client_that_leaves_ends_the_stream(
    start: Any, upstream: FakeUpstream
) -> None:
    async def endless(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for event in list(anthropic_stream("Hel"))[:4]:
            await connection.chunk(event)
        await connection.until_closed()

    proxy = start(handler=endless)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        stream = await client.completions.create(model="m", prompt="x", stream=True)
        await anext(aiter(stream))
        await stream.close()
    await soon(upstream.connections[0].closed.wait())


async def test_a_client_that_leaves_before_the_answer_ends_the_call(
    start: Any, upstream: FakeUpstream
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    proxy = start(handler=silent)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        with pytest.raises(openai.APITimeoutError):
            await client.with_options(timeout=0.3).chat.completions.create(**CHAT)
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE
