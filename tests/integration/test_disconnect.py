"""A client that leaves takes its upstream request with it at once, and is still on record."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from proxy.savings import Ending
from tests.fakes import FakeCompressor
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import Connection, FakeUpstream, Received, chat_events
from tests.integration.raw_client import chat, request_bytes

LONG = b"word " * 50
BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"%b"}]}' % LONG
STREAM = BODY.replace(b'"model"', b'"stream":true,"model"')


async def leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_while_compressing(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    compressor = FakeCompressor()
    compressor.hang = True
    proxy = proxy_server(compressor=compressor)
    _, writer = await proxy.connect()
    writer.write(request_bytes("POST", "/v1/chat/completions", body=BODY))
    await until(proxy, lambda: compressor.running == 1)
    await leave(writer)
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, None)
    assert compressor.running == 0
    assert upstream.received == []
    assert proxy.sink.empty


async def until(proxy: Proxy, condition: Callable[[], bool]) -> None:
    """Wait for something inside the proxy that sets no event."""
    reached = asyncio.Event()
    here = asyncio.get_running_loop()

    def look() -> None:
        if condition():
            here.call_soon_threadsafe(reached.set)
        else:
            proxy.call(look)

    proxy.call(look)
    await soon(reached.wait())


@pytest.mark.parametrize("body", [BODY, STREAM])
@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/threads/runs"])
async def test_while_waiting_for_the_head(
    proxy: Proxy, upstream: FakeUpstream, body: bytes, target: str
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    _, writer = await proxy.connect()
    writer.write(request_bytes("POST", target, body=body))
    await upstream.wait_for()
    await leave(writer)
    await soon(upstream.connections[0].closed.wait())
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, None)
    assert proxy.sink.empty


async def test_while_waiting_for_the_head_without_a_body(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    _, writer = await proxy.connect()
    writer.write(request_bytes("GET", "/v1/models"))
    await upstream.wait_for()
    await leave(writer)
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE


async def _stream(request: Received, connection: Connection) -> None:
    await connection.begin_stream()
    await connection.chunk(next(chat_events()))
    await connection.until_closed()


async def _body(request: Received, connection: Connection) -> None:
    await connection.head(200, [("Content-Length", "1000")])
    await connection.send(b"{")
    await connection.until_closed()


@pytest.mark.parametrize("handler", [_stream, _body])
@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/threads/runs"])
async def test_while_the_answer_is_streaming(
    proxy: Proxy,
    upstream: FakeUpstream,
    handler: Callable[[Received, Connection], Awaitable[None]],
    target: str,
) -> None:
    upstream.handler = handler
    reader, writer = await proxy.connect()
    writer.write(request_bytes("POST", target, body=STREAM))
    await soon(reader.readuntil(b"{"))
    await leave(writer)
    await soon(upstream.connections[0].closed.wait())
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, 200)
    assert record.upstream_first_byte_ms is not None
    assert proxy.sink.empty


async def test_while_the_client_is_too_slow_to_read(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def flood(request: Received, connection: Connection) -> None:
        await connection.head(200, [("Content-Length", str(10**9))])
        while True:
            await connection.send(b"x" * 65536)

    upstream.handler = flood
    reader, writer = await proxy.connect()
    writer.write(request_bytes("GET", "/v1/files/f/content"))
    await soon(reader.readuntil(b"xxx"))
    await leave(writer)
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/files"])
async def test_while_uploading(proxy: Proxy, upstream: FakeUpstream, target: str) -> None:
    _, writer = await proxy.connect()
    request = request_bytes("POST", target, [("Content-Length", "100000")])
    writer.write(request + b"x" * 1000)
    if target == "/v1/files":
        async with asyncio.timeout(10):
            while not upstream.connections:
                await asyncio.sleep(0)
    await leave(writer)
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.CLIENT_GONE, None)
    for connection in upstream.connections:
        await soon(connection.closed.wait())
    assert proxy.sink.empty


async def test_while_the_upstream_does_not_take_the_upload(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.reads_bodies = False
    stuck, gate = asyncio.Event(), asyncio.Event()

    async def stop(request: Received, connection: Connection) -> None:
        stuck.set()
        await gate.wait()
        await connection.until_closed()

    upstream.handler = stop
    _, writer = await proxy.connect()
    size = 3_000_000
    writer.write(request_bytes("POST", "/v1/files", [("Content-Length", str(size))]))
    writer.write(b"x" * size)
    await soon(stuck.wait())
    writer.transport.abort()
    gate.set()
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE


async def test_while_a_connection_is_opened(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    gate = asyncio.Event()

    async def gated(request: Received, connection: Connection) -> None:
        await gate.wait()
        await connection.answer(200, b"{}")

    upstream.handler = gated
    proxy = proxy_server(upstream_options={"max_connections": 1, "connect_timeout_seconds": 100})
    first = asyncio.create_task(chat(proxy, BODY))
    await upstream.wait_for()
    for target in ("/v1/chat/completions", "/v1/files"):
        _, writer = await proxy.connect()
        writer.write(request_bytes("POST", target, body=BODY))
        await writer.drain()
        await leave(writer)
        assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE
    gate.set()
    assert (await first).status == 200
    assert (await proxy.sink.next()).ending is Ending.FINISHED
    assert len(upstream.received) == 1


async def test_a_client_that_leaves_after_its_answer_was_served(proxy: Proxy) -> None:
    await chat(proxy, BODY)
    assert (await proxy.sink.next()).ending is Ending.FINISHED
    assert proxy.sink.empty


async def test_requests_cut_off_by_a_shutdown_are_answered_and_on_record(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    waiting = asyncio.create_task(proxy.raw(request_bytes("GET", "/v1/models")))
    await upstream.wait_for()
    await asyncio.to_thread(proxy.stop)
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.INTERNAL_ERROR, 503)
    assert b'"code":"shutting_down"' in await soon(waiting)
    assert proxy.sink.empty
