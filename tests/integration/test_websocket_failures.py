"""Websockets that cannot be opened, and ends that break the rules."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received
from tests.integration.fake_websocket import (
    FakeSocket,
    accepting,
    echo,
    open_socket,
    refusal,
)
from tests.integration.test_failures import closed_port


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 429, 503])
async def test_a_refusal_passes_with_its_status(
    proxy: Proxy, upstream: FakeUpstream, status: int
) -> None:
    body = b'{"error":{"message":"theirs"}}'

    async def refuse(request: Received, connection: Connection) -> None:
        await connection.answer(status, body, [*JSON, ("Retry-After", "7")])

    upstream.handler = refuse
    answer = await refusal(proxy)
    assert (answer.status_code, answer.body) == (status, body)
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/json"
    assert len(upstream.received) == 1
    record = await proxy.sink.next()
    assert (record.status, record.ending) == (status, Ending.FINISHED)


async def wrong_token(request: Received, connection: Connection) -> None:
    given = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "x")]
    await connection.head(101, given)
    await connection.until_closed()


async def silent(request: Received, connection: Connection) -> None:
    await connection.until_closed()


async def hangs_up(request: Received, connection: Connection) -> None:
    connection.drop()


async def half_a_refusal(request: Received, connection: Connection) -> None:
    await connection.head(403, [("Content-Length", "100")])
    await connection.send(b"half")
    connection.drop()


async def no_http(request: Received, connection: Connection) -> None:
    await connection.send(b"HELLO\r\n\r\n")
    await connection.until_closed()


@pytest.mark.parametrize(
    ("handler", "status", "code", "ending"),
    [
        (wrong_token, 502, "upstream_protocol_error", Ending.UPSTREAM_CUT),
        (no_http, 502, "upstream_protocol_error", Ending.UPSTREAM_CUT),
        (hangs_up, 502, "upstream_disconnected", Ending.UPSTREAM_CUT),
        (half_a_refusal, 502, "upstream_cut", Ending.UPSTREAM_CUT),
        (silent, 504, "upstream_timeout", Ending.UPSTREAM_TIMEOUT),
        (None, 502, "upstream_unreachable", Ending.UPSTREAM_UNREACHABLE),
    ],
)
async def test_a_handshake_that_fails(
    proxy_server: ProxyServer,
    upstream: FakeUpstream,
    handler: Any,
    status: int,
    code: str,
    ending: Ending,
) -> None:
    options: dict[str, Any] = {"read_timeout_seconds": 0.5, "connect_retries": 0}
    if handler is None:
        with closed_port() as port:
            options["base_url"] = f"http://127.0.0.1:{port}/v1"
    else:
        upstream.handler = handler
    proxy = proxy_server(upstream_options=options)
    answer = await refusal(proxy)
    assert answer.status_code == status
    assert f'"code":"{code}"'.encode() in answer.body
    assert answer.headers["x-request-id"].startswith("req_")
    record = await proxy.sink.next()
    assert (record.status, record.ending) == (status, ending)
    assert proxy.sink.empty


async def test_a_client_that_leaves_before_the_answer(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = silent
    opening = asyncio.create_task(open_socket(proxy).__aenter__())
    await upstream.wait_for(1)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE
    await soon(upstream.connections[0].closed.wait())
    assert proxy.sink.empty


async def test_fallback_before_the_socket_opens(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def full(request: Received, connection: Connection) -> None:
        await connection.answer(503, b"full")

    with closed_port() as port:
        down = UpstreamConfig(base_url=f"http://127.0.0.1:{port}/v1", connect_retries=0)
    busy, good = FakeUpstream(), upstream
    await busy.start()
    busy.handler, good.handler = full, accepting(echo)
    route = Route(
        match=Match(),
        policy="half",
        upstream=["down", "busy", "main"],
        fallback_on=["connect", "503"],
    )
    upstreams = {"down": down, "busy": UpstreamConfig(base_url=busy.base_url)}
    proxy = proxy_server(upstreams=upstreams, routes=[route])
    async with open_socket(proxy) as socket:
        await socket.send("x")
        assert await soon(socket.recv()) == "x"
    record = await proxy.sink.next()
    assert (record.upstream, record.tries) == ("main", 3)
    # a call is known to the upstream that has it
    assert (await refusal(proxy, "/v1/realtime?call_id=c1")).status_code == 502
    await busy.close()


async def test_sockets_count_as_connections(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.handler = accepting(echo)
    proxy = proxy_server(server={"max_connections": 1})
    async with open_socket(proxy) as socket:
        await socket.send("x")
        assert await soon(socket.recv()) == "x"
        answer = await refusal(proxy)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await proxy.sink.next()).status == 503
    assert (await proxy.sink.next()).status == 101
    async with open_socket(proxy):
        pass


@pytest.mark.parametrize(
    "target", ["/", "/metrics", "/v2/realtime", "/v1/%2e%2e/x", "/openai/deployments/../realtime"]
)
async def test_other_paths_are_not_served(
    proxy: Proxy, upstream: FakeUpstream, target: str
) -> None:
    answer = await refusal(proxy, target)
    assert answer.status_code == 404
    assert b'"code":"unknown_url"' in answer.body
    assert upstream.received == []


async def test_a_route_that_is_not_there(proxy_server: ProxyServer) -> None:
    route = Route(match=Match(model="gpt-4o"), policy="off", upstream="main")
    proxy = proxy_server(routes=[route], catch_all=False)
    answer = await refusal(proxy)
    assert answer.status_code == 404
    assert b'"code":"no_route"' in answer.body


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (b"\x83\x80\0\0\0\0", 1002),  # no such opcode
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
        (b"\x81\x81\0\0\0\0\xff", 1007),  # no UTF-8
        (b"\x80\x81\0\0\0\0x", 1002),  # goes on with nothing
        (b"\x88\x82\0\0\0\0\x03\xed", 1002),  # a close code that may not be sent
    ],
)
async def test_a_client_that_breaks_the_protocol(
    proxy: Proxy, upstream: FakeUpstream, frames: bytes, code: int
) -> None:
    seen: list[Any] = []

    async def play(socket: FakeSocket) -> None:
        seen.append(await socket.until_closed())

    upstream.handler = accepting(play)
    reader, writer = await proxy.connect()
    writer.write(
        b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await soon(reader.readuntil(b"\r\n\r\n"))
    writer.write(frames)
    answer = await soon(reader.read(-1))
    assert answer[0] == 0x88
    assert int.from_bytes(answer[2:4], "big") == code
    await proxy.sink.next()
    assert [closed.code for closed in seen] == [code]
    writer.close()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Sec-WebSocket-Version": "8"}, b"426"),
        ({"Host": "\xff"}, b""),
        ({"Origin": "x" * 70_000}, b"431"),
    ],
)
async def test_a_handshake_that_is_none(
    proxy: Proxy, upstream: FakeUpstream, changes: dict[str, str], status: bytes
) -> None:
    headers = {
        "Host": "x",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    } | changes
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    answer = await proxy.raw(f"GET /v1/realtime HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
    assert answer.partition(b" ")[2][:3] == status
    assert upstream.received == []


async def test_an_upstream_that_breaks_the_protocol(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def play(socket: FakeSocket) -> None:
        await socket.connection.send(b"\x83\x00")
        await socket.until_closed()

    upstream.handler = accepting(play)
    async with open_socket(proxy) as socket:
        with pytest.raises(ConnectionClosedError):
            await soon(socket.recv())
        assert socket.close_code == 1011
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_CUT
