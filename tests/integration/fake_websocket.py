"""The two ends of a websocket: a handler of FakeUpstream, and a client by a library."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from wsproto.frame_protocol import FrameProtocol, Opcode

from proxy.websocket import Closed
from tests.integration.conftest import Proxy, soon
from tests.integration.fake_upstream import Connection, Handler, Received

Play = Callable[["FakeSocket"], Awaitable[None]]
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class FakeSocket:
    """An accepted websocket; a test says what it does."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.answers_pings = True
        self.pinged = asyncio.Event()
        self._frames = FrameProtocol(client=False, extensions=[])
        self._waiting: list[str | bytes | Closed] = []
        self._parts: list[Any] = []

    async def receive(self) -> str | bytes | Closed | None:
        """Return the next message or close frame; None when the connection ended without one."""
        while not self._waiting:
            try:
                data = await self.connection.reader.read(65536)
            except ConnectionError:
                data = b""
            if not data:
                self.connection.closed.set()
                return None
            self._frames.receive_bytes(data)
            for frame in self._frames.received_frames():
                await self._take(frame)
        return self._waiting.pop(0)

    async def _take(self, frame: Any) -> None:
        if frame.opcode is Opcode.CLOSE:
            self._waiting.append(Closed(int(frame.payload[0]), frame.payload[1] or ""))
        elif frame.opcode is Opcode.PING:
            self.pinged.set()
            if self.answers_pings:
                await self.connection.send(self._frames.pong(bytes(frame.payload)))
        elif frame.opcode is not Opcode.PONG:
            self._parts.append(frame.payload)
            if frame.message_finished:
                joined = type(self._parts[0])().join(self._parts)
                self._waiting.append(joined if isinstance(joined, str) else bytes(joined))
                self._parts = []

    async def send(self, message: str | bytes, *, finished: bool = True) -> None:
        await self.connection.send(self._frames.send_data(message, finished))

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        await self.connection.send(self._frames.close(code, reason))

    async def until_closed(self) -> Closed | None:
        """Return how it was closed, or None where it was dropped."""
        while not isinstance(found := await self.receive(), Closed | None):
            pass
        return found


def accepting(
    play: Play, *, subprotocol: str | None = None, headers: Sequence[tuple[str, str]] = ()
) -> Handler:
    """Return a handler that accepts a websocket and plays its part; then the connection ends."""

    async def handler(request: Received, connection: Connection) -> None:
        key = request.value("sec-websocket-key") or ""
        token = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        given = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", token),
            *([("Sec-WebSocket-Protocol", subprotocol)] if subprotocol else []),
            *headers,
        ]
        await connection.head(101, given, "Switching Protocols")
        await play(FakeSocket(connection))
        connection.drop()

    return handler


async def echo(socket: FakeSocket) -> None:
    """Send every message back, and the close frame."""
    while not isinstance(message := await socket.receive(), Closed | None):
        await socket.send(message)
    if message is not None:
        await socket.close(message.code, message.reason)


def open_socket(
    proxy: Proxy, target: str = "/v1/realtime?model=gpt-realtime", **options: Any
) -> AbstractAsyncContextManager[ClientConnection]:
    """Connect to the proxy as a client, without looking for another proxy on the way."""
    url = f"ws://127.0.0.1:{proxy.port}{target}"
    return connect(
        url, **{"proxy": None, "compression": None, "close_timeout": 5, "max_size": None} | options
    )


async def refusal(proxy: Proxy, *arguments: Any, **options: Any) -> Any:
    """Return the answer to a handshake that is to be refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(proxy, *arguments, **options):
            pass
    return refused.value.response


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """Return how the proxy closes."""

    async def read() -> None:
        while True:
            await socket.recv()

    with pytest.raises(ConnectionClosed):
        await soon(read())
    return socket.close_code or 0, socket.close_reason or ""
