"""Websockets, on real connections: what passes, and how they end."""

import asyncio
from typing import Any

import pytest

from proxy.savings import Ending, Treatment
from proxy.websocket import Closed
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import FakeUpstream, well_behaved
from tests.integration.fake_websocket import (
    FakeSocket,
    accepting,
    closing,
    echo,
    open_socket,
)
from tests.integration.raw_client import ask

MESSAGES = [
    "",
    "text",
    "\ufeff line\r\nbreaks \u2028 and 日本語 \U0001f600 \x00",
    b"",
    bytes(range(256)),
    '{"type":"x", "n":1e5}',
    "x" * 70_000,
    b"\xff" * 1_500_000,
]


async def test_messages_pass_both_ways_as_they_are(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = accepting(echo)
    async with open_socket(proxy) as socket:
        for message in MESSAGES:
            await socket.send(message)
        assert [await soon(socket.recv()) for _ in MESSAGES] == MESSAGES
        await socket.send(["frag", "men", "ted"])
        assert await soon(socket.recv()) == "fragmented"
    record = await proxy.sink.next()
    assert (record.method, record.path, record.model) == ("GET", "/v1/realtime", "gpt-realtime")
    assert (record.status, record.ending, record.stream) == (101, Ending.FINISHED, True)
    assert (record.upstream, record.tries, record.tokens_saved) == ("main", 1, 0)
    assert record.report.treatment is Treatment.PASSED
    assert record.report.note == "a websocket; the client closed it with 1000"
    assert proxy.sink.empty


async def test_the_handshake_passes_on(proxy: Proxy, upstream: FakeUpstream) -> None:
    given = [("OpenAI-Version", "1"), ("X-Request-Id", "req_1"), ("Set-Cookie", "a=1")]
    upstream.handler = accepting(echo, subprotocol="realtime", headers=given)
    headers = [
        ("Authorization", "Bearer sk-client"),
        ("OpenAI-Beta", "realtime=v1"),
        ("X-Tersely-Bypass", "true"),
        ("Proxy-Thing", "1"),
    ]
    offered = ["realtime", "openai-insecure-api-key.ek_1", "openai-beta.realtime-v1"]
    target = "/v1/realtime?model=gpt-4o%2Drealtime&x=%20y"
    async with open_socket(
        proxy, target, subprotocols=offered, additional_headers=headers, user_agent_header="me/1"
    ) as socket:
        assert socket.subprotocol == "realtime"
        response = socket.response
        assert response is not None
        assert response.headers["openai-version"] == "1"
        assert response.headers["x-request-id"] == "req_1"
        assert response.headers.get_all("sec-websocket-protocol") == ["realtime"]
    (request,) = upstream.received
    assert request.target == target
    assert [v.strip() for v in request.value("sec-websocket-protocol").split(",")] == offered  # type: ignore[union-attr]
    sent = {name.lower(): value for name, value in request.headers}
    assert sent.pop("sec-websocket-key")
    assert sent == {
        "host": upstream.base_url.removeprefix("http://").removesuffix("/v1"),
        "authorization": "Bearer sk-client",
        "openai-beta": "realtime=v1",
        "user-agent": "me/1",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-protocol": sent["sec-websocket-protocol"],
    }


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1000, "", (1000, "")),
        (1001, "leaving", (1001, "leaving")),
        (3001, "é" * 60, (3001, "é" * 60)),
        (4999, "mine", (4999, "mine")),
        (None, "", (1000, "")),
    ],
)
async def test_close_codes_pass_both_ways(
    proxy: Proxy,
    upstream: FakeUpstream,
    code: int | None,
    reason: str,
    told: tuple[int, str],
) -> None:
    seen: list[Closed | None] = []

    async def close_first(socket: FakeSocket) -> None:
        await socket.close(code, reason if code else None)
        seen.append(await socket.until_closed())

    async def close_second(socket: FakeSocket) -> None:
        seen.append(await socket.until_closed())

    upstream.handler = accepting(close_first)
    async with open_socket(proxy) as socket:
        assert await closing(socket) == told
    record = await proxy.sink.next()
    assert record.report.note == f"a websocket; the upstream closed it with {code or 1005}"
    assert record.ending is Ending.FINISHED
    assert seen == [Closed(*told)]

    upstream.handler = accepting(close_second)
    async with open_socket(proxy) as socket:
        if code is None:
            socket.protocol.send_close()
            socket.send_data()
        else:
            await socket.close(code, reason)
        assert (await proxy.sink.next()).ending is Ending.FINISHED
    assert seen[1:] == [Closed(*told)]


async def test_a_connection_that_drops_is_closed_on_the_other_side(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    seen: list[Any] = []

    async def drop(socket: FakeSocket) -> None:
        await socket.send("half", finished=False)

    async def wait(socket: FakeSocket) -> None:
        await socket.send("here")
        seen.append(await socket.until_closed())

    upstream.handler = accepting(drop)
    async with open_socket(proxy) as socket:
        code, reason = await closing(socket)
    assert code == 1011
    assert "upstream 'main' dropped the websocket" in reason
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_CUT

    upstream.handler = accepting(wait)
    async with open_socket(proxy) as socket:
        assert await soon(socket.recv()) == "here"
        socket.transport.abort()
        record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, 101)
    assert seen == [Closed(1001)]
    assert proxy.sink.empty


async def test_a_message_over_the_limit(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    seen: list[Any] = []

    async def play(socket: FakeSocket) -> None:
        await socket.send(b"x" * 2000)
        assert await socket.receive() == "y" * 2000
        await socket.send("more")
        seen.append(await socket.until_closed())

    async def too_much(socket: FakeSocket) -> None:
        await socket.send("x" * 2001)
        seen.append(await socket.until_closed())

    proxy = proxy_server(server={"max_websocket_message_bytes": 2000})
    upstream.handler = accepting(play)
    async with open_socket(proxy) as socket:
        assert await soon(socket.recv()) == b"x" * 2000
        await socket.send("y" * 2000)
        assert await soon(socket.recv()) == "more"
        await socket.send(["é" * 500, "é" * 500, "z"])
        assert (await closing(socket))[0] == 1009
    await proxy.sink.next()
    upstream.handler = accepting(too_much)
    async with open_socket(proxy) as socket:
        code, reason = await closing(socket)
    assert code == 1009
    assert "server.max_websocket_message_bytes" in reason
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_CUT
    assert [closed.code for closed in seen] == [1009, 1009]


async def test_nothing_piles_up_for_a_client_that_does_not_read(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    piece, count, sent = b"x" * 65_536, 800, 0

    async def flood(socket: FakeSocket) -> None:
        nonlocal sent
        for _ in range(count):
            await socket.send(piece)
            sent += 1
        await socket.until_closed()

    upstream.handler = accepting(flood)
    async with open_socket(proxy, max_queue=1) as socket:
        before = -1
        while sent != before:  # until nothing more is taken
            before = sent
            await asyncio.sleep(0.3)
        assert 0 < sent < count * 3 // 4
        for _ in range(count):
            assert await soon(socket.recv()) == piece
    assert (await proxy.sink.next()).ending is Ending.FINISHED


async def test_shutting_down_closes_both_ends(proxy: Proxy, upstream: FakeUpstream) -> None:
    seen: list[Any] = []

    async def play(socket: FakeSocket) -> None:
        await socket.send("here")
        seen.append(await socket.until_closed())

    upstream.handler = accepting(play)
    async with open_socket(proxy) as socket:
        assert await soon(socket.recv()) == "here"
        proxy.server.should_exit = True
        assert await closing(socket) == (1001, "Tersely is shutting down")
    record = await proxy.sink.next()
    assert record.ending is Ending.FINISHED
    await asyncio.to_thread(proxy.stop)
    assert seen == [Closed(1001, "Tersely is shutting down")]


async def test_an_upstream_that_gives_no_sign_of_life_is_given_up(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def deaf(socket: FakeSocket) -> None:
        socket.answers_pings = False
        await socket.until_closed()

    proxy = proxy_server(server={"websocket_ping_seconds": 0.5})
    upstream.handler = accepting(deaf)
    async with open_socket(proxy) as socket:
        code, reason = await closing(socket)
    assert (code, reason) == (1011, "upstream 'main' gave no sign of life on the websocket")
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_TIMEOUT


async def test_a_client_that_gives_no_sign_of_life_is_given_up(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    seen: list[Any] = []

    async def alive(socket: FakeSocket) -> None:
        seen.append(await socket.until_closed())

    # The upstream has half of it to answer.
    proxy = proxy_server(server={"websocket_ping_seconds": 1.5})
    upstream.handler = accepting(alive)
    reader, writer = await proxy.connect()
    writer.write(
        b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert (await soon(reader.read(-1))).startswith(b"HTTP/1.1 101 ")  # a ping, then the end
    writer.close()
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE
    assert seen == [Closed(1001)]


async def test_who_gives_a_sign_of_life_stays(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    pinged = asyncio.Event()

    async def play(socket: FakeSocket) -> None:
        socket.pinged = pinged
        await echo(socket)

    proxy = proxy_server(server={"websocket_ping_seconds": 1})
    upstream.handler = accepting(play)
    async with open_socket(proxy, ping_interval=None) as socket:
        await soon(pinged.wait())
        pinged.clear()
        await soon(pinged.wait())
        await socket.send("still")
        assert await soon(socket.recv()) == "still"


async def test_sockets_leave_requests_their_connections(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(upstream_options={"max_connections": 1, "connect_timeout_seconds": 2})
    upstream.handler = accepting(echo)
    async with open_socket(proxy), open_socket(proxy):
        upstream.handler = well_behaved
        assert (await ask(proxy, "GET", "/v1/models")).status == 200
