"""A raw TCP server that speaks the OpenAI API and misbehaves on request.

It keeps what it received as bytes, so that tests see what no HTTP library has tidied up.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 5,
    "total_tokens": 25,
    "prompt_tokens_details": {"cached_tokens": 8},
}


@dataclass
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def value(self, name: str) -> str | None:
        found = self.values(name)
        return found[0] if found else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Connection:
    """One accepted connection; a handler answers on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(
        self, status: int = 200, headers: Sequence[tuple[str, str]] = (), reason: str = "OK"
    ) -> None:
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def answer(
        self, status: int = 200, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Send a whole answer with a content-length."""
        await self.head(status, [*headers, ("content-length", str(len(body)))])
        await self.send(body)

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def last_chunk(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def begin_stream(self, headers: Sequence[tuple[str, str]] = ()) -> None:
        fixed = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]
        await self.head(200, [*fixed, *headers])

    async def until_closed(self) -> None:
        """Return when the proxy has closed the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.closed.set()

    def drop(self) -> None:
        self.writer.close()


Handler = Callable[[Received, Connection], Awaitable[None]]


def chat_answer(model: str = "gpt-4o", content: str = "Hello there.") -> bytes:
    """A chat completion, formatted as no JSON library would, so that re-serialising shows."""
    return (
        f'{{"id" :"chatcmpl-1", "object":"chat.completion","created":1e9,"model":"{model}",'
        f'"choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},'
        f'"finish_reason":"stop"}}],  "usage":{json.dumps(USAGE)},'
        '"big":123456789012345678901234567890}'
    ).encode()


def chat_events(
    words: Sequence[str] = ("Hel", "lo", "."), *, include_usage: bool = False
) -> Iterator[bytes]:
    """The events of a streamed chat completion, as OpenAI sends them."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    null: dict[str, Any] = {"usage": None} if include_usage else {}
    for word in words:
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        yield _event(base | {"choices": [choice]} | null)
    yield _event(base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]} | null)
    if include_usage:
        yield _event(base | {"choices": [], "usage": USAGE})
    yield b"data: [DONE]\n\n"


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


async def well_behaved(request: Received, connection: Connection) -> None:
    """Answer as the API would, stream or not."""
    if not request.target.endswith("/chat/completions"):
        await connection.answer(200, b'{"object":"list","data":[]}', JSON)
        return
    asked = request.json
    if not asked.get("stream"):
        await connection.answer(200, chat_answer(asked["model"]), [*JSON, *OPENAI_HEADERS])
        return
    await connection.begin_stream(OPENAI_HEADERS)
    options = asked.get("stream_options") or {}
    for event in chat_events(include_usage=options.get("include_usage", False)):
        await connection.chunk(event)
    await connection.last_chunk()


JSON = (("Content-Type", "application/json"),)
OPENAI_HEADERS = (
    ("X-Request-Id", "req_upstream"),
    ("OpenAI-Processing-Ms", "12"),
    ("X-RateLimit-Remaining-Requests", "99"),
)


# The last two: what was left unread is no request, and the test is over.
_CONNECTION_OVER = (
    ConnectionError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
    asyncio.CancelledError,
)


class FakeUpstream:
    """Serves `handler`, one call a request; `received` and `connections` are the record."""

    def __init__(self) -> None:
        self.handler: Handler = well_behaved
        self.reads_bodies = True
        self.received: list[Received] = []
        self.connections: list[Connection] = []
        self.base_url = ""
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Event()
        self._serving: set[asyncio.Task[Any]] = set()

    async def start(self, **listen: Any) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, **listen)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}/v1"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving)
        for connection in self.connections:
            connection.writer.transport.abort()  # `close` would wait for what was not taken

    async def wait_for(self, count: int = 1) -> list[Received]:
        """Return the requests once there are `count`."""
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self.connections.append(connection)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while (request := await self._read(reader)) is not None:
                self.received.append(request)
                connection.served += 1
                self._arrived.set()
                await self.handler(request, connection)
        except _CONNECTION_OVER:
            pass
        finally:
            self._serving.discard(task)
            connection.closed.set()
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (ln.partition(":") for ln in lines)]
        request = Received(method, target, headers)
        if self.reads_bodies:
            request.body = await read_body(request, reader)
        return request


async def read_body(request: Received, reader: asyncio.StreamReader) -> bytes:
    """Read a request's body by its own framing."""
    if request.value("transfer-encoding") == "chunked":
        pieces = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readuntil(b"\r\n")
        return b"".join(pieces)
    return await reader.readexactly(int(request.value("content-length") or 0))
