"""Routes that look at the model, on paths whose bodies are passed on as they are."""

from collections.abc import AsyncIterator

import pytest

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, FakeUpstream
from tests.integration.raw_client import ask
from tests.integration.test_failures import own_error

# As no JSON library would write it, so that re-serialising shows.
EMBED = b'{ "input":"x" ,"dimensions":1e2,"model":"text-embed-3"}'
FORM = (
    b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\ntext-embed-3\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--B--\r\n'
)
FORM_TYPE = (("Content-Type", "multipart/form-data; boundary=B"),)


@pytest.fixture
async def special() -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
def proxy(proxy_server: ProxyServer, special: FakeUpstream) -> Proxy:
    return proxy_server(
        server={"max_parse_bytes": 2048},
        upstreams={"special": UpstreamConfig(base_url=special.base_url)},
        routes=[Route(match=Match(model="text-embed-*"), policy="off", upstream="special")],
    )


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        ("/v1/embeddings", JSON, EMBED),
        ("/v1/audio/speech", JSON, EMBED),
        ("/v1/audio/transcriptions", FORM_TYPE, FORM),
        ("/v1/something/new", JSON, EMBED),
        ("/openai/deployments/text-embed-3/embeddings", JSON, b'{"input":"x"}'),
    ],
)
async def test_the_model_decides_and_the_body_is_the_same(
    proxy: Proxy,
    upstream: FakeUpstream,
    special: FakeUpstream,
    target: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
) -> None:
    assert (await ask(proxy, "POST", target, headers, body)).status == 200
    assert [request.body for request in special.received] == [body]
    assert upstream.received == []
    record = await proxy.sink.next()
    assert (record.upstream, record.model) == ("special", "text-embed-3")


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        ("/v1/embeddings", JSON, EMBED.replace(b"text-", b"other-")),
        ("/v1/embeddings", JSON, b"not JSON"),
        ("/v1/embeddings", JSON, EMBED[:-1] + b',"x":"' + b"x" * 4000 + b'"}'),
        ("/v1/files", FORM_TYPE, FORM),
        ("/v1/files", (("Content-Type", "application/octet-stream"),), EMBED),
    ],
)
async def test_a_model_that_is_another_or_not_known_takes_the_next_route(
    proxy: Proxy,
    upstream: FakeUpstream,
    special: FakeUpstream,
    target: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
) -> None:
    assert (await ask(proxy, "POST", target, headers, body)).status == 200
    assert [request.body for request in upstream.received] == [body]
    assert special.received == []
    assert (await proxy.sink.next()).upstream == "main"


async def test_an_upload_is_not_held_back_for_its_model(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    reader, writer = await proxy.connect()
    writer.write(
        b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Length: 10\r\n\r\nhalf "
    )
    upstream.reads_bodies = False
    (request,) = await upstream.wait_for(1)  # before the other half was sent
    assert request.target == "/v1/files"
    writer.close()
    del reader


async def test_a_route_for_every_model_takes_what_names_none(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(routes=[Route(match=Match(model="*"), policy="off", upstream="main")])
    # `*` takes what names no model too, so nothing has to be read for it
    assert (await ask(proxy, "POST", "/v1/embeddings", JSON, b"{}")).status == 200
    assert len(upstream.received) == 1


async def test_only_routes_for_models(upstream: FakeUpstream, proxy_server: ProxyServer) -> None:
    config = {"match": Match(model="text-*", path="/v1/*"), "policy": "off", "upstream": "main"}
    proxy = proxy_server(routes=[Route(**config)], catch_all=False)
    assert (await ask(proxy, "POST", "/v1/embeddings", JSON, EMBED)).status == 200
    refused = await ask(proxy, "POST", "/v1/embeddings", JSON, b'{"model":"gpt-4o"}')
    own_error(refused, 404, "no_route")
    assert b"'gpt-4o'" in refused.body
    assert [request.body for request in upstream.received] == [EMBED]
