"""The client's side of one exchange, and the relay of an answer to it, unbuffered."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any

from starlette.types import Receive, Send

from proxy.errors import ClientGone
from proxy.upstream import UpstreamResponse
from proxy.usage import Tap

Message = MutableMapping[str, Any]


class Client:
    """One request's client: the only reader of `receive`, the only writer to `send`.

    A disconnect is seen wherever the exchange stands. While the body is read it raises ClientGone;
    from then on `watch` cancels the task that serves the request. `gone` tells the two apart from
    other cancellations. Made in that task.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self.gone = False
        self.started = False
        self._finished = False
        self._receive = receive
        self._send = send
        self._served_by = asyncio.current_task()
        self._watcher: asyncio.Task[None] | None = None
        self._ahead: asyncio.Task[Message] | None = None

    async def read_body(self, limit: int) -> tuple[bytes, bool]:
        """Return the body and True, or as much as shows that it is over `limit` and False."""
        message = await self._next()
        body = message.get("body", b"")
        if not message.get("more_body", False) and len(body) <= limit:
            return body, True
        pieces, size = [body], len(body)
        more = message.get("more_body", False)
        while more and size <= limit:
            message = await self._next()
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            more = message.get("more_body", False)
        return b"".join(pieces), size <= limit

    def rest(self, first: bytes = b"") -> AsyncIterator[bytes]:
        """Return the body as it will arrive, after `first`; the client is watched from now on."""
        return self._pieces(first, self._read_ahead())

    def _read_ahead(self) -> asyncio.Task[Message]:
        # One message ahead of the writer, so that a disconnect is seen while the upstream is being
        # connected or is slow to take what it has been given.
        self._ahead = asyncio.create_task(self._read_and_watch())
        return self._ahead

    async def _read_and_watch(self) -> Message:
        message = await self._read()
        if not message.get("more_body", False):
            self.watch()
        return message

    async def _read(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._leave()
        return message

    async def _pieces(self, first: bytes, ahead: asyncio.Task[Message]) -> AsyncIterator[bytes]:
        more = True
        try:
            if first:
                yield first
            while more:
                message = await ahead
                if message["type"] == "http.disconnect":
                    raise ClientGone
                if more := message.get("more_body", False):
                    ahead = self._read_ahead()
                if body := message.get("body", b""):
                    yield body
        finally:
            # An upstream may answer without reading it all: take the rest, so that the client can
            # finish sending and see the answer, and so that its leaving is noticed.
            self.watch()

    async def _next(self) -> Message:
        message = await self._read()
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message

    def watch(self) -> None:
        """From now on cancel the serving task when the client disconnects."""
        if self._watcher is None and not self.gone and not self._finished:
            self._watcher = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        if self._ahead is not None:
            await asyncio.wait((self._ahead,))
        while not self.gone and not self._finished:
            await self._read()

    def _leave(self) -> None:
        # After the end of an answer every server reports a disconnect; that one means nothing.
        if self._finished or self.gone:
            return
        self.gone = True
        if self._served_by is not None and self._served_by is not asyncio.current_task():
            self._served_by.cancel()

    def check(self) -> None:
        """Raise ClientGone when it is, for where a cancellation may have been swallowed."""
        if self.gone:
            raise ClientGone

    def release(self) -> None:
        """Stop watching."""
        self._finished = True
        for task in (self._watcher, self._ahead):
            if task is not None:
                task.cancel()

    async def start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send the head of the answer."""
        self.started = True
        await self._out({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, chunk: bytes) -> None:
        """Send a piece of the body; waits while the client is slow to read."""
        await self._out({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self, chunk: bytes = b"") -> None:
        """Send the last piece and end the answer. Without this the connection is cut instead."""
        self._finished = not self.gone
        await self._out({"type": "http.response.body", "body": chunk, "more_body": False})

    async def _out(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:  # how servers of ASGI 2.4 report a disconnect; uvicorn keeps silent
            self.gone = True
            raise ClientGone from None


async def relay_body(response: UpstreamResponse, client: Client, tap: Tap) -> None:
    """Pass the body on, each piece as it arrives; raises what UpstreamResponse.chunks raises."""
    async for chunk in response.chunks():
        if out := tap.feed(chunk):
            await client.write(out)
    rest = tap.finish()
    await client.finish(rest)
