import asyncio

import pytest

from proxy.config_upstream import UpstreamConfig
from proxy.errors import UpstreamCut
from proxy.upstream import AiohttpUpstream, UpstreamRequest


async def test_what_arrived_before_a_cut_is_handed_out_before_the_error() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    upstream = AiohttpUpstream("a", UpstreamConfig(base_url=url))
    await upstream.start()
    response = await upstream.send(UpstreamRequest("GET", "/x", []))
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
