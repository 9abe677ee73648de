"""The clocks of a connection, without waiting for any. What they do on a real one is in
tests/integration/test_slow_clients.py."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from proxy.http_protocol import GuardedProtocol, guarded

HEAD = b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


async def waiting_app(scope: Any, receive: Callable[[], Any], send: Any) -> None:
    """Take nothing of the body and answer nothing."""
    await asyncio.Event().wait()


@pytest.fixture
async def connection() -> Any:
    """A protocol and its transport."""
    kind = guarded(max_head_bytes=65536, head_seconds=60, body_seconds=60)
    config = uvicorn.Config(waiting_app, ws="none", lifespan="off")
    state = ServerState()
    protocol: Any = kind(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
    transport = Transport()
    protocol.connection_made(transport)
    yield protocol, transport
    protocol.connection_lost(None)
    for task in list(state.tasks):
        task.cancel()
    await asyncio.gather(*state.tasks, return_exceptions=True)


Pair = tuple[GuardedProtocol, Transport]


async def test_a_head_has_a_clock_and_an_answer_none(connection: Pair) -> None:
    protocol, _ = connection
    assert protocol._timer is not None
    protocol.data_received(b"GET /v1/models HTTP/1.1\r\n")
    assert protocol._timer is not None
    protocol.data_received(b"Host: x\r\n\r\n")
    assert protocol._timer is None


async def test_a_body_has_a_clock_until_it_is_complete(connection: Pair) -> None:
    protocol, _ = connection
    protocol.data_received(HEAD.replace(b"1000000", b"2"))
    assert protocol._timer is not None
    protocol.data_received(b"a")
    assert protocol._timer is not None
    protocol.data_received(b"b")
    assert protocol._timer is None


async def test_each_byte_wins_a_hundredth_of_a_second_and_no_more(connection: Pair) -> None:
    protocol, _ = connection
    protocol.data_received(HEAD + b"a")
    now = asyncio.get_running_loop().time()
    protocol._body_deadline = now + 1
    protocol.data_received(b"b" * 10)
    assert protocol._body_deadline == pytest.approx(now + 1.1)
    protocol.data_received(b"b" * 50_000)
    assert protocol._body_deadline <= asyncio.get_running_loop().time() + 60


async def test_what_the_upstream_does_not_take_is_not_the_clients_fault(connection: Pair) -> None:
    protocol, transport = connection
    protocol.data_received(HEAD)
    protocol.data_received(b"a" * 70_000)
    assert transport.paused
    protocol._body_deadline = 0
    protocol._body_late()
    assert not transport.closed
    assert protocol._timer is not None
    protocol.flow.resume_reading()
    protocol._body_deadline = 0
    protocol._body_late()
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 408 ")
