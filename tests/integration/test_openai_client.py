"""The official client, unmodified, through the proxy."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import JSON, USAGE, Connection, FakeUpstream, Received

LONG = " ".join(f"w{number}" for number in range(40))
HALF = " ".join(f"w{number}" for number in range(0, 40, 2))
CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": LONG}]}


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        yield client


async def test_chat(client: AsyncOpenAI, upstream: FakeUpstream, proxy: Proxy) -> None:
    answer = await client.chat.completions.create(**CHAT)
    assert answer.choices[0].message.content == "Hello there."
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == USAGE["prompt_tokens"]
    assert answer._request_id == "req_upstream"
    (request,) = upstream.received
    assert request.json["messages"][0]["content"] == HALF
    assert request.value("authorization") == "Bearer sk-x"
    assert (request.value("user-agent") or "").startswith("AsyncOpenAI/Python")
    assert request.value("x-stainless-lang") == "python"
    assert (await proxy.sink.next()).tokens_saved > 0


async def test_raw_response(client: AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(**CHAT)
    assert raw.headers["x-tersely-outcome"] == "compressed"
    assert raw.headers["x-ratelimit-remaining-requests"] == "99"
    assert raw.headers["openai-processing-ms"] == "12"
    assert raw.parse().choices[0].message.content == "Hello there."


async def test_a_stream(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(**CHAT, stream=True)
    words = [chunk.choices[0].delta.content async for chunk in stream]
    assert words == ["Hel", "lo", ".", None]


async def test_a_stream_with_usage(client: AsyncOpenAI) -> None:
    options: Any = {"include_usage": True}
    stream = await client.chat.completions.create(**CHAT, stream=True, stream_options=options)
    *_, last = [chunk async for chunk in stream]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == USAGE["total_tokens"]


async def test_a_stream_whose_usage_only_the_proxy_wants(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(upstream_options={"usage": "ask"})
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x") as client:
        stream = await client.chat.completions.create(**CHAT, stream=True)
        chunks = [chunk async for chunk in stream]
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hel", "lo", ".", None]
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)
    assert (await proxy.sink.next()).usage.prompt_tokens == USAGE["prompt_tokens"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (499, openai.APIStatusError),
        (500, openai.InternalServerError),
        (501, openai.InternalServerError),
        (503, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
async def test_errors_by_class(
    client: AsyncOpenAI, upstream: FakeUpstream, status: int, kind: type[openai.APIStatusError]
) -> None:
    async def fail(request: Received, connection: Connection) -> None:
        body = b'{"error":{"message":"theirs","type":"t","param":"p","code":"bad"}}'
        await connection.answer(status, body, [*JSON, ("x-request-id", "req_1")])

    upstream.handler = fail
    with pytest.raises(kind) as caught:
        await client.chat.completions.create(**CHAT, stream=True)
    assert (caught.value.code, caught.value.param, caught.value.type) == ("bad", "p", "t")
    assert type(caught.value) is kind
    assert "theirs" in caught.value.message
    assert caught.value.request_id == "req_1"


async def test_the_clients_own_retries_are_the_only_ones(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def busy(request: Received, connection: Connection) -> None:
        if len(upstream.received) < 3:
            await connection.answer(429, b'{"error":{}}', [*JSON, ("retry-after-ms", "1")])
        else:
            await connection.answer(200, b'{"id":"3","choices":[]}', JSON)

    upstream.handler = busy
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="x", max_retries=2) as client:
        assert (await client.chat.completions.create(**CHAT)).id == "3"
    counts = [request.value("x-stainless-retry-count") for request in upstream.received]
    assert counts == ["0", "1", "2"]
    assert [(await proxy.sink.next()).status for _ in range(3)] == [429, 429, 200]


async def test_an_upstream_that_is_down_is_not_asked_again(proxy_server: ProxyServer) -> None:
    proxy = proxy_server(upstream_options={"base_url": "http://no-such-host.invalid/v1"})
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="x", max_retries=2) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(**CHAT)
    assert caught.value.status_code == 502
    assert (caught.value.request_id or "").startswith("req_")
    await proxy.sink.next()
    assert proxy.sink.empty


async def test_a_refusal_of_our_own_has_the_clients_shape(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(**CHAT, extra_headers={"x-tersely-rate": "2"})
    assert caught.value.param == "x-tersely-rate"
    with pytest.raises(openai.NotFoundError):
        await client.get("/../admin", cast_to=object)


async def test_a_client_that_times_out_frees_the_upstream(
    client: AsyncOpenAI, upstream: FakeUpstream, proxy: Proxy
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.2).chat.completions.create(**CHAT)
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE


async def test_a_cancelled_call_frees_the_upstream(
    client: AsyncOpenAI, upstream: FakeUpstream, proxy: Proxy
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    call = asyncio.create_task(client.chat.completions.create(**CHAT))
    await upstream.wait_for()
    call.cancel()
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_stream_closed_early_frees_the_upstream(
    client: AsyncOpenAI, upstream: FakeUpstream, proxy: Proxy
) -> None:
    async def endless(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b'data: {"choices":[]}\n\n')
        await connection.until_closed()

    upstream.handler = endless
    stream = await client.chat.completions.create(**CHAT, stream=True)
    await anext(stream)
    await stream.close()
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE


async def test_a_stream_that_breaks_is_an_error_and_not_an_end(
    client: AsyncOpenAI, upstream: FakeUpstream
) -> None:
    event = b'data: {"choices":[]}\n\n'
    for last, kind in ((b"", openai.APIError), (b'data: {"cho', Exception)):

        async def cut(request: Received, connection: Connection, last: bytes = last) -> None:
            await connection.begin_stream()
            await connection.chunk(event + last)
            connection.drop()

        upstream.handler = cut
        stream = await client.chat.completions.create(**CHAT, stream=True)
        await anext(stream)
        with pytest.raises(kind):
            await anext(stream)


async def test_other_resources(client: AsyncOpenAI, upstream: FakeUpstream) -> None:
    async def other(request: Received, connection: Connection) -> None:
        if request.target == "/v1/models":
            await connection.answer(200, b'{"object":"list","data":[{"id":"m"}]}', JSON)
        elif request.method == "POST":
            assert b"the file's bytes" in request.body
            await connection.answer(200, b'{"id":"f","object":"file"}', JSON)
        else:
            await connection.answer(200, b"\x00\x01binary", [("Content-Type", "audio/mpeg")])

    upstream.handler = other
    assert [model.id async for model in client.models.list()] == ["m"]
    file = await client.files.create(file=("a.txt", b"the file's bytes"), purpose="batch")
    assert file.id == "f"
    assert (await client.files.content("f")).content == b"\x00\x01binary"
