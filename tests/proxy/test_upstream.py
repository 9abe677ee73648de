import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.config import UpstreamConfig
from proxy.errors import UpstreamCut, UpstreamUnreachable
from proxy.upstream import AiohttpUpstream, UpstreamRequest


def closed_socket() -> socket.socket:
    """A port that is taken, and refuses connections until it is listened on."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


async def pieces() -> AsyncIterator[bytes]:
    yield b"one "
    yield b"two"


@pytest.mark.parametrize("body", [b"one two", pieces()])
async def test_a_later_try_sends_the_whole_body_once(body: Any) -> None:
    bound = closed_socket()
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        while not data.endswith((b"one two", b"0\r\n\r\n")):
            data += await reader.read(65536)
        seen.append(data)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()

    url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    upstream = AiohttpUpstream({"a": UpstreamConfig(base_url=url, connect_retries=5)})
    await upstream.start()
    request = UpstreamRequest("POST", "/x", [("a", "b")], body)
    target = upstream._targets["a"]
    once, servers = target._send, []

    async def then_listen(request: UpstreamRequest) -> Any:
        try:
            return await once(request)
        except UpstreamUnreachable:
            servers.append(await asyncio.start_server(serve, sock=bound))
            raise

    target._send = then_listen  # type: ignore[method-assign]  # opens the port between two tries
    response = await upstream.send("a", request)
    assert b"".join([chunk async for chunk in response.chunks()]) == b"ok"
    assert len(servers) == 1
    (data,) = seen
    assert data.count(b"one") == data.count(b"two") == 1
    await upstream.close()
    servers[0].close()


async def test_an_error_says_how_often_it_was_tried() -> None:
    bound = closed_socket()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    upstream = AiohttpUpstream({"a": UpstreamConfig(base_url=url, connect_retries=2)})
    await upstream.start()
    with pytest.raises(UpstreamUnreachable, match="'a' at http://127") as caught:
        await upstream.send("a", UpstreamRequest("GET", "", []))
    assert caught.value.tries == 3
    await upstream.close()
    bound.close()


async def test_what_arrived_before_a_cut_is_handed_out_before_the_error() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    upstream = AiohttpUpstream({"a": UpstreamConfig(base_url=url)})
    await upstream.start()
    response = await upstream.send("a", UpstreamRequest("GET", "/x", []))
    async with asyncio.timeout(10):
        while response._raw.content.exception() is None:  # type: ignore[attr-defined]  # no event
            await asyncio.sleep(0)
    chunks = response.chunks()
    assert await anext(chunks) == b"half"
    with pytest.raises(UpstreamCut):
        await anext(chunks)
    response.close()
    await upstream.close()
    server.close()
