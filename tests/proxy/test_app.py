"""The application as ASGI, with everything outside it made up."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from policies.types import Policy, Route
from proxy.app import create_app
from proxy.config import Config
from proxy.config_upstream import UpstreamConfig
from proxy.errors import UpstreamTimeout
from proxy.savings import Ending
from proxy.upstream import UpstreamRequest
from tests.fakes import FakeCompressor, FakeSink

CONFIG = Config(
    upstreams={"main": UpstreamConfig(base_url="http://upstream.test/v1")},
    policies={"off": Policy(name="off", mode="off")},
    routes=(Route(policy="off", upstream="main"),),
)
Message = MutableMapping[str, Any]


class MadeUpAnswer:
    status = 200
    headers: Sequence[tuple[bytes, bytes]] = ((b"content-type", b"text/plain"),)

    def __init__(self) -> None:
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"made "
        yield b"up"

    def close(self) -> None:
        self.closed = True


class MadeUpUpstream:
    def __init__(self) -> None:
        self.sent: list[UpstreamRequest] = []
        self.answer = MadeUpAnswer()
        self.open = False

    async def start(self) -> None:
        self.open = True

    async def send(self, request: UpstreamRequest) -> MadeUpAnswer:
        self.sent.append(request)
        return self.answer

    async def close(self) -> None:
        self.open = False


class Asgi:
    """One request of an ASGI server; `fails_at` raises OSError there, as ASGI 2.4 wants."""

    def __init__(self, app: Starlette, *, fails_at: str | None = None) -> None:
        self._app = app
        self._fails_at = fails_at
        self.messages: list[Message] = []
        self._asked = False

    async def get(self, path: str) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"a=b",
            "headers": [(b"host", b"x")],
            "root_path": "",
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._asked:
            await asyncio.Event().wait()
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == self._fails_at:
            raise OSError("the client has gone")
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


@pytest.fixture
def upstream() -> MadeUpUpstream:
    return MadeUpUpstream()


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


@pytest.fixture
def app(upstream: MadeUpUpstream, sink: FakeSink) -> Starlette:
    return create_app(
        CONFIG, upstreams={"main": upstream}, compressor=FakeCompressor(), sinks=[sink]
    )


async def test_every_part_can_be_given(
    app: Starlette, upstream: MadeUpUpstream, sink: FakeSink
) -> None:
    server = Asgi(app)
    await server.get("/v1/models")
    assert server.body == b"made up"
    (request,) = upstream.sent
    assert (request.method, request.target, request.headers) == ("GET", "/models?a=b", [])
    assert upstream.answer.closed
    assert [record.ending for record in sink.records] == [Ending.FINISHED]


async def test_the_lifespan_starts_and_closes_them(
    upstream: MadeUpUpstream, sink: FakeSink
) -> None:
    compressor = FakeCompressor()
    app = create_app(CONFIG, upstreams={"main": upstream}, compressor=compressor, sinks=[sink])
    async with app.router.lifespan_context(app):
        assert upstream.open
        assert sink.started
        async with asyncio.timeout(5):
            while not compressor.started:
                await asyncio.sleep(0)
    assert not upstream.open
    assert sink.closed
    assert compressor.closed


@pytest.mark.parametrize("at", ["http.response.start", "http.response.body"])
async def test_a_server_that_reports_a_disconnect_when_sending(
    app: Starlette, upstream: MadeUpUpstream, sink: FakeSink, at: str
) -> None:
    await Asgi(app, fails_at=at).get("/v1/models")
    assert [record.ending for record in sink.records] == [Ending.CLIENT_GONE]
    assert upstream.answer.closed


async def test_a_client_that_leaves_before_it_is_told_of_a_failure(
    app: Starlette, upstream: MadeUpUpstream, sink: FakeSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(request: UpstreamRequest) -> MadeUpAnswer:
        raise UpstreamTimeout("too slow")

    monkeypatch.setattr(upstream, "send", fail)
    await Asgi(app, fails_at="http.response.start").get("/v1/models")
    assert [record.ending for record in sink.records] == [Ending.UPSTREAM_TIMEOUT]


async def test_a_server_that_cannot_refuse_a_websocket_closes_it(app: Starlette) -> None:
    server = Asgi(app)
    scope = {"type": "websocket", "path": "/x", "raw_path": b"/x", "headers": []}
    await app(scope, server._receive, server._send)
    assert server.messages == [{"type": "websocket.close", "code": 1008}]
