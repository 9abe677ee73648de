"""Clients that take their time to send: each head and body has only so much of it."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    FakeUpstream,
)
from tests.integration.raw_client import parse_answer

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"


def assert_too_late(data: bytes) -> None:
    answer = parse_answer(data)
    assert answer.status == 408
    assert answer.complete
    assert json.loads(answer.body)["error"]["code"] == "request_timeout"


@pytest.fixture
def proxy(proxy_server: ProxyServer) -> Proxy:
    return proxy_server(server={"head_timeout_seconds": 0.5, "body_timeout_seconds": 0.5})


class Received(asyncio.Protocol):
    """What has come on a connection, also where a reset follows it.

    A drip that meets a closed socket is answered with a reset, and a stream reader then hides what
    it had received before.
    """

    def __init__(self) -> None:
        self.data = b""
        self.closed = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set_result(None)


async def until_closed(proxy: Proxy, first: bytes, drips: Sequence[bytes] = ()) -> bytes:
    loop = asyncio.get_running_loop()
    transport, received = await loop.create_connection(Received, "127.0.0.1", proxy.port)
    transport.write(first)
    for drip in drips:
        await asyncio.sleep(0.05)
        if received.closed.done():
            break
        transport.write(drip)
    await soon(received.closed)
    return received.data


async def test_a_silent_connection_is_closed(proxy: Proxy) -> None:
    assert await until_closed(proxy, b"") == b""


@pytest.mark.parametrize(
    ("start", "drip"), [(b"GET /", b"v"), (GET, b"X: y\r\n"), (GET + b"X-A: b", b"c")]
)
async def test_a_head_has_its_time(proxy: Proxy, start: bytes, drip: bytes) -> None:
    # a little more now and then does not win more of it
    data = await until_closed(proxy, start, [drip] * 60)
    assert_too_late(data)
    assert proxy.sink.empty


@pytest.mark.parametrize("drips", [[], [b"x"] * 60])
@pytest.mark.parametrize("target", [b"/v1/chat/completions", b"/v1/files"])
async def test_a_body_has_its_time(proxy: Proxy, target: bytes, drips: list[bytes]) -> None:
    head = b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    data = await until_closed(proxy, head + b"{", drips)
    assert_too_late(data)
    record = await proxy.sink.next()
    assert record.ending == "client_gone"
    assert proxy.sink.empty


async def test_a_second_request_has_its_own(proxy: Proxy, upstream: FakeUpstream) -> None:
    reader, writer = await proxy.connect()
    writer.write(GET + b"\r\n")
    await soon(reader.readuntil(b"]}"))
    writer.write(b"GET /v1/")
    data = await soon(reader.read(-1))
    writer.close()
    assert_too_late(data)
