"""The client's end of a websocket, and the relay of messages both ways."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Send

from proxy.errors import ClientGone, UpstreamCut
from proxy.websocket import CloseCode, Closed, End, EndGone, Message

# Until then an end whose connection has gone says how; it knows already.
_LAST_WORD_SECONDS = 5.0


class ClientSocket:
    """A client's websocket, from its opening handshake on, over ASGI.

    https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
    """

    def __init__(self, receive: Receive, send: Send, *, can_refuse: bool) -> None:
        """Take `can_refuse` where the server has the extension `websocket.http.response`."""
        self._receive = receive
        self._send = send
        self._can_refuse = can_refuse
        self._ahead: Message | Closed | None = None
        self.accepted = False

    async def connected(self) -> None:
        """Wait for the opening handshake."""
        await self._receive()

    async def gone(self) -> None:
        """Wait for the client to leave, for as long as the handshake is not answered."""
        self._ahead = await self._next()
        if not isinstance(self._ahead, Closed):
            # It speaks before it may. That is kept; leaving is seen once there is an answer.
            await asyncio.get_running_loop().create_future()

    async def refuse(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Answer the handshake as an HTTP request, where the server can do that."""
        if not self._can_refuse:
            await self._out({"type": "websocket.close", "code": 1008})
            return
        start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        await self._out(start)
        await self._out({"type": "websocket.http.response.body", "body": body})

    async def accept(self, subprotocol: str | None, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Answer the handshake with a socket."""
        accept = {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
        await self._out(accept)
        self.accepted = True

    async def receive(self) -> Message | Closed:
        """Return the next message, or how the client closed; see End.receive."""
        found, self._ahead = self._ahead, None
        return found if found is not None else await self._next()

    async def _next(self) -> Message | Closed:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            return Closed(
                int(message.get("code") or CloseCode.NONE_GIVEN), message.get("reason") or ""
            )
        text: str | None = message.get("text")
        return bytes(message["bytes"]) if text is None else text

    async def send(self, message: Message) -> None:
        """Send a message; see End.send."""
        kind = "text" if isinstance(message, str) else "bytes"
        try:
            await self._out({"type": "websocket.send", kind: message})
        except ClientGone:
            raise EndGone from None

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame, where the client is still there."""
        try:
            await self._out({"type": "websocket.close", "code": code, "reason": reason})
        except ClientGone:
            return

    async def _out(self, message: AsgiMessage) -> None:
        try:
            await self._send(message)
        except (OSError, RuntimeError):
            # Of ASGI 2.4 and, after a close frame of the server's own, of uvicorn.
            raise ClientGone from None


@dataclass(frozen=True, slots=True)
class RelayEnd:
    """Who closed a socket, and how."""

    by_client: bool
    closed: Closed


async def relay(client: End, upstream: End, look: Callable[[Message], None]) -> RelayEnd:
    """Pass messages on, each as it comes, until one end closes; then close the other so.

    `look` sees what the upstream sends. A message is taken from an end once the one before has
    been taken by the other, so nothing piles up. Raises UpstreamError, with the client still open.
    """
    up = asyncio.create_task(_pass_on(client, upstream, lambda _: None))
    down = asyncio.create_task(_pass_on(upstream, client, look))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        # An end that takes nothing any more has closed, which the other task has seen or will see.
        if up.done() and _is_gone(up):
            await asyncio.wait((down,), timeout=_LAST_WORD_SECONDS)
        elif down.done() and _is_gone(down):
            await asyncio.wait((up,), timeout=_LAST_WORD_SECONDS)
        if up.done() and not _is_gone(up):
            closed = up.result()
            told = closed.passed_on()
            await upstream.close(told.code, told.reason)
            return RelayEnd(by_client=True, closed=closed)
        if down.done() and not _is_gone(down):
            closed = down.result()
            told = closed.passed_on()
            await upstream.close(told.code, told.reason)  # echoes its own close frame
            await client.close(told.code, told.reason)
            return RelayEnd(by_client=False, closed=closed)
        if up.done():
            raise UpstreamCut("the upstream takes no more messages on the websocket")
        lost = Closed(CloseCode.LOST)
        await upstream.close(lost.passed_on().code, "")
        return RelayEnd(by_client=True, closed=lost)
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


def _is_gone(task: "asyncio.Task[Closed]") -> bool:
    return isinstance(task.exception(), EndGone)


async def _pass_on(source: End, target: End, look: Callable[[Message], None]) -> Closed:
    while True:
        message = await source.receive()
        if isinstance(message, Closed):
            return message
        look(message)
        await target.send(message)
