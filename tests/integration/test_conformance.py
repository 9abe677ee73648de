"""Faults that drop-in proxies are known for, each with a test that this one does not have it."""

import asyncio
import gzip
import json
import socket
from typing import Any

import pytest

from proxy.savings import Treatment
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, chat_answer
from tests.integration.raw_client import ask, chat

LONG = " ".join(f"w{number}" for number in range(40))
BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": LONG}]}).encode()


async def test_nothing_is_injected(proxy: Proxy, upstream: FakeUpstream) -> None:
    await chat(proxy, BODY.replace(b'"model"', b'"tools":[],"stream":true,"model"'))
    assert set(upstream.received[0].json) == {"tools", "stream", "model", "messages"}
    assert upstream.received[0].json["tools"] == []


@pytest.mark.parametrize(
    "stream", [b"", b'"stream":false,', b'"stream" : true,', b'"stream":null,']
)
async def test_stream_goes_on_as_the_client_wrote_it(
    proxy: Proxy, upstream: FakeUpstream, stream: bytes
) -> None:
    answer = await chat(proxy, BODY.replace(b'"model"', stream + b'"model"'))
    assert answer.value("x-tersely-outcome") == "compressed"
    (request,) = upstream.received
    assert request.body.startswith(b"{" + stream + b'"model": "gpt-4o"')
    assert request.body.count(b'"stream') == bool(stream)


async def test_messages_keep_their_number_order_and_roles(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    roles = ["developer", "user", "system", "assistant", "tool", "user", "system"]
    messages = [{"role": role, "content": LONG} for role in roles]
    await chat(proxy, json.dumps({"model": "gpt-4o", "messages": messages}).encode())
    sent = upstream.received[0].json["messages"]
    assert [message["role"] for message in sent] == roles
    changed = [message["role"] for message in sent if message["content"] != LONG]
    assert changed == ["user", "tool", "user"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_failed_answer_is_not_asked_for_again(
    proxy: Proxy, upstream: FakeUpstream, status: int
) -> None:
    async def fail(request: Received, connection: Connection) -> None:
        await connection.answer(status, b'{"error":{"code":"bad"}}', JSON)

    upstream.handler = fail
    for target in ("/v1/chat/completions", "/v1/responses", "/v1/embeddings"):
        assert (await ask(proxy, "POST", target, body=BODY)).status == status
    assert len(upstream.received) == 3


def with_image(size: int) -> bytes:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * size}}
    content = [{"type": "text", "text": LONG}, image]
    return json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}
    ).encode()


async def test_a_body_of_50_mb_passes_and_holds_nobody_up(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    body = with_image(50_000_000)
    started, probes = asyncio.Event(), 0

    async def others() -> None:
        nonlocal probes
        reader, writer = await proxy.connect()
        started.set()
        while len(upstream.received) < 1:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b'"ok"}')
            probes += 1
        writer.close()

    probing = asyncio.create_task(others())
    await started.wait()
    answer = await chat(proxy, body)
    await probing
    assert answer.status == 200
    assert answer.value("x-tersely-outcome") == "compressed"
    received = upstream.received[0].body
    assert len(received) < len(body)
    assert received[-50_000_000:] == body[-50_000_000:]
    assert probes >= 5  # as many as ten times that while nothing else runs here


async def test_an_answer_is_not_labelled_with_an_encoding_it_does_not_have(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    packed = gzip.compress(b'{"id":"resp_1"}')

    async def compressed(request: Received, connection: Connection) -> None:
        await connection.answer(200, packed, [*JSON, ("Content-Encoding", "gzip")])

    upstream.handler = compressed
    answer = await ask(proxy, "GET", "/v1/responses/resp_1", [("Accept-Encoding", "gzip")])
    assert answer.value("content-encoding") == "gzip"
    assert gzip.decompress(answer.body) == b'{"id":"resp_1"}'


async def test_request_ids_and_custom_headers_keep_their_names(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    headers = [("OpenAI-Organization", "org"), ("X-My-Trace", "t")]
    answer = await chat(proxy, BODY, headers)
    assert answer.values("x-request-id") == ["req_upstream"]
    assert upstream.received[0].value("openai-organization") == "org"
    assert upstream.received[0].value("x-my-trace") == "t"


async def test_an_unknown_route_is_the_upstreams_to_refuse(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def unknown(request: Received, connection: Connection) -> None:
        await connection.answer(404, b'{"error":{"message":"theirs"}}', JSON)

    upstream.handler = unknown
    answer = await ask(proxy, "POST", "/v1/nothing/here", body=b"{}")
    assert (answer.status, answer.body) == (404, b'{"error":{"message":"theirs"}}')


async def test_no_answer_waits_for_a_delayed_acknowledgement(proxy: Proxy) -> None:
    reader, writer = await proxy.connect()
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    await soon(reader.readuntil(b'"ok"}'))
    (connection,) = proxy.server.server_state.connections
    raw = connection.transport.get_extra_info("socket")
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()


async def test_the_usage_in_the_answer_stays_the_providers(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    answer = await chat(proxy, BODY)
    assert answer.body == chat_answer()
    assert (await proxy.sink.next()).report.treatment is Treatment.COMPRESSED


async def test_proxy_settings_of_the_environment_are_not_followed(
    proxy_server: ProxyServer, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await chat(proxy_server(), BODY)).status == 200
    assert len(upstream.received) == 1


async def test_requests_side_by_side_get_their_own_answers(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def echo(request: Received, connection: Connection) -> None:
        await asyncio.sleep(0)
        await connection.answer(200, chat_answer(content=request.json["user"]), JSON)

    upstream.handler = echo

    async def one(number: int) -> Any:
        body = BODY.replace(b'"model"', b'"user":"u%d","model"' % number)
        return json.loads((await chat(proxy, body)).body)["choices"][0]["message"]["content"]

    assert await asyncio.gather(*map(one, range(100))) == [f"u{number}" for number in range(100)]
    ids = {(await proxy.sink.next()).id for _ in range(100)}
    assert len(ids) == 100
