"""Azure OpenAI on either side, with the official client where a client is needed."""

from typing import Any

import openai
import pytest

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Received,
    chat_answer,
    chat_events,
)
from tests.integration.raw_client import ask, chat
from tests.integration.test_failures import own_error
from tests.integration.test_openai_client import CHAT, HALF

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
VERSION = "2024-10-21"
EMBEDDED = b'{"object":"list","data":[{"index":0,"object":"embedding","embedding":[1.0]}]}'


async def azure(request: Received, connection: Connection) -> None:
    """Answer below the deployments, as the service does."""
    path = request.target.partition("?")[0]
    if not path.endswith("/chat/completions"):
        await connection.answer(200, EMBEDDED, JSON)
    elif request.json.get("stream"):
        await connection.begin_stream([("apim-request-id", "apim-1")])
        for event in chat_events():
            await connection.chunk(event)
        await connection.last_chunk()
    else:
        await connection.answer(200, chat_answer(), [*JSON, ("apim-request-id", "apim-1")])


def azure_proxy(proxy_server: ProxyServer, upstream: FakeUpstream, **options: Any) -> Proxy:
    upstream.handler = azure
    config = UpstreamConfig(
        via="azure",
        base_url=upstream.base_url.removesuffix("/v1"),
        api_version=VERSION,
        **options,
    )
    route = Route(match=Match(), policy="half", upstream="azure")
    return proxy_server(upstreams={"azure": config}, routes=[route])


def openai_client(proxy: Proxy) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client", max_retries=0)


def azure_client(proxy: Proxy) -> openai.AsyncAzureOpenAI:
    return openai.AsyncAzureOpenAI(
        azure_endpoint=proxy.root, api_key="az-client", api_version="2025-01-01", max_retries=0
    )


async def test_openai_client_to_azure(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    proxy = azure_proxy(proxy_server, upstream, models={"gpt-4o*": "my deploy"}, api_key="az-key")
    async with openai_client(proxy) as client:
        answer = await client.chat.completions.create(**CHAT)
        stream = await client.chat.completions.create(**CHAT, stream=True)
        words = [chunk.choices[0].delta.content async for chunk in stream]
        await client.embeddings.create(model="text-embedding-3-small", input="x")
        await client.models.list()
    assert answer.choices[0].message.content == "Hello there."
    assert words == ["Hel", "lo", ".", None]
    base = "/openai/deployments/my%20deploy/chat/completions?api-version=2024-10-21"
    assert [request.target for request in upstream.received] == [
        base,
        base,
        "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21",
        "/openai/models?api-version=2024-10-21",
    ]
    for request in upstream.received:
        assert request.values("api-key") == ["az-key"]
        assert request.value("authorization") is None
    assert upstream.received[0].json["messages"][0]["content"] == HALF
    record = await proxy.sink.next()
    assert (record.model, record.upstream) == ("gpt-4o", "azure")
    assert record.tokens_saved > 0


async def test_azure_client_to_azure(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    proxy = azure_proxy(proxy_server, upstream)
    async with azure_client(proxy) as client:
        raw = await client.chat.completions.with_raw_response.create(**CHAT)
        stream = await client.chat.completions.create(**CHAT, stream=True)
        words = [chunk.choices[0].delta.content async for chunk in stream]
        await client.embeddings.create(model="embed", input="x")
        await client.files.list()
    assert raw.headers["apim-request-id"] == "apim-1"
    assert raw.headers["x-tersely-outcome"] == "compressed"
    assert raw.parse().choices[0].message.content == "Hello there."
    assert words == ["Hel", "lo", ".", None]
    chats = "/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01"
    assert [request.target for request in upstream.received] == [
        chats,
        chats,
        "/openai/deployments/embed/embeddings?api-version=2025-01-01",
        "/openai/files?api-version=2025-01-01",
    ]
    assert upstream.received[0].json["messages"][0]["content"] == HALF
    assert upstream.received[0].values("api-key") == ["az-client"]
    record = await proxy.sink.next()
    assert (record.path, record.model) == ("/v1/chat/completions", "gpt-4o")


async def test_azure_client_to_openai(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    proxy = proxy_server(upstream_options={"auth": "bearer"})
    async with azure_client(proxy) as client:
        answer = await client.chat.completions.create(**CHAT)
    assert answer.choices[0].message.content == "Hello there."
    (request,) = upstream.received
    assert request.target == "/v1/chat/completions"
    assert request.value("authorization") == "Bearer az-client"
    assert request.value("api-key") is None
    assert request.json["messages"][0]["content"] == HALF


async def test_a_deployment_in_the_path_is_the_model_of_a_body_without_one(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = azure_proxy(proxy_server, upstream, models={"front": "back"})
    target = "/openai/deployments/front/chat/completions?api-version=v&x=1"
    answer = await ask(proxy, "POST", target, JSON, b'{"messages":[]}')
    assert answer.status == 200
    assert upstream.received[0].target == (
        "/openai/deployments/back/chat/completions?api-version=v&x=1"
    )


async def test_azures_v1_api_is_a_plain_base_url(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.handler = azure
    base_url = upstream.base_url.removesuffix("/v1") + "/openai/v1"
    proxy = proxy_server(upstream_options={"base_url": base_url})
    assert (await ask(proxy, "POST", "/openai/v1/chat/completions", JSON, BODY)).status == 200
    assert (await chat(proxy, BODY)).status == 200
    assert {request.target for request in upstream.received} == {"/openai/v1/chat/completions"}


async def test_a_form_names_its_model(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    proxy = azure_proxy(proxy_server, upstream)
    async with openai_client(proxy) as client:
        await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF\r\n"))
    (request,) = upstream.received
    assert request.target.startswith("/openai/deployments/whisper-1/audio/transcriptions?")
    assert b"RIFF\r\n" in request.body


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b'{"model":7}'])
async def test_without_a_model_there_is_no_deployment(
    proxy_server: ProxyServer, upstream: FakeUpstream, body: bytes
) -> None:
    proxy = azure_proxy(proxy_server, upstream)
    for target in ("/v1/chat/completions", "/v1/embeddings"):
        own_error(await ask(proxy, "POST", target, JSON, body), 400, "missing_model")
    assert upstream.received == []


@pytest.mark.parametrize("model", ["..", "."])
async def test_a_model_cannot_climb(
    proxy_server: ProxyServer, upstream: FakeUpstream, model: str
) -> None:
    proxy = azure_proxy(proxy_server, upstream)
    body = BODY.replace(b"gpt-4o", model.encode())
    assert (await chat(proxy, body)).status == 400
    assert (await chat(proxy, BODY.replace(b"gpt-4o", b"../a?b#c%2f"))).status == 200
    (request,) = upstream.received
    assert request.target == (
        "/openai/deployments/..%2Fa%3Fb%23c%252f/chat/completions?api-version=2024-10-21"
    )


@pytest.mark.parametrize(
    "target",
    [
        "/openai/deployments/../chat/completions",
        "/openai/../v1/models",
        "/openai/deployments/a/%2e%2e/x",
        "/openai/deployments/%2e%2e/chat/completions",
        "/openaix/v1/models",
        "/openai",
    ],
)
async def test_paths_that_climb_are_not_served(
    proxy_server: ProxyServer, upstream: FakeUpstream, target: str
) -> None:
    proxy = azure_proxy(proxy_server, upstream)
    own_error(await ask(proxy, "GET", target), 404, "unknown_url")
    assert upstream.received == []


async def test_a_body_too_large_to_read_has_no_deployment(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    config = UpstreamConfig(
        via="azure", base_url=upstream.base_url.removesuffix("/v1"), api_version=VERSION
    )
    proxy = proxy_server(
        server={"max_parse_bytes": 1024},
        upstreams={"azure": config},
        routes=[Route(policy="half", upstream="azure")],
    )
    big = b'{"model":"m","input":"' + b"x" * 2000 + b'"}'
    for target in ("/v1/embeddings", "/v1/chat/completions"):
        own_error(await ask(proxy, "POST", target, JSON, big), 413, "request_too_large")
    assert (await ask(proxy, "POST", "/openai/deployments/d/embeddings", JSON, big)).status == 200
    assert (await ask(proxy, "POST", "/v1/files", JSON, big)).status == 200
    assert [request.target.partition("?")[0] for request in upstream.received] == [
        "/openai/deployments/d/embeddings",
        "/openai/files",
    ]
