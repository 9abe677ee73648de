import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from policies.types import Route
from proxy.config_upstream import UpstreamConfig
from proxy.errors import UpstreamDisconnected, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from proxy.outgoing import Outgoing
from proxy.upstream import UpstreamRequest
from proxy.upstreams import Upstreams
from proxy.websocket import SocketOptions


class Scripted:
    """Answers with each step in turn, the last one for ever: a status, or an error to raise."""

    def __init__(self, *steps: int | UpstreamError) -> None:
        self.steps = list(steps) or [200]
        self.sent: list[UpstreamRequest] = []
        self.closed_answers = 0
        self.offered: list[Sequence[str]] = []
        self.running = False

    async def start(self) -> None:
        self.running = True

    async def close(self) -> None:
        self.running = False

    async def open(self, request: UpstreamRequest, options: SocketOptions) -> Any:
        self.offered.append(options.subprotocols)
        return await self.send(request)

    async def send(self, request: UpstreamRequest) -> Any:
        self.sent.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, UpstreamError):
            raise step
        return Answer(self, step)


class Answer:
    headers: Sequence[tuple[bytes, bytes]] = ()

    def __init__(self, upstream: Scripted, status: int) -> None:
        self.status = status
        self._upstream = upstream

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b""

    def close(self) -> None:
        self._upstream.closed_answers += 1


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def upstreams(clock: Clock | None = None, **scripted: Scripted) -> Upstreams:
    config = UpstreamConfig(base_url="http://x/v1", connect_retries=0, circuit_failures=2)
    return Upstreams(
        dict.fromkeys(scripted, config), given=scripted, clock=clock or Clock(), wall_clock=Clock()
    )


def outgoing(**members: Any) -> Outgoing:
    defaults: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/chat/completions",
        "target": "/chat/completions",
        "headers": [],
        "fields": {},
        "body": b"{}",
        "tenant": "t",
        "max_bytes": 1000,
        "model": "m",
    }
    return Outgoing(**defaults | members)


def route(upstream: Any, **members: Any) -> Route:
    return Route(policy="off", upstream=upstream, **members)


DOWN = UpstreamUnreachable("down")


async def test_all_are_started_and_closed() -> None:
    a, b = Scripted(), Scripted()
    both = upstreams(a=a, b=b)
    await both.start()
    assert (a.running, b.running) == (True, True)
    await both.close()
    assert (a.running, b.running) == (False, False)


@pytest.mark.parametrize(
    ("fallback_on", "error", "goes_on"),
    [
        (["connect"], DOWN, True),
        (["connect"], UpstreamTimeout("silent"), False),
        (["timeout"], UpstreamTimeout("silent"), True),
        (["timeout"], DOWN, False),
        (["disconnect"], UpstreamDisconnected("gone"), True),
        ([], DOWN, False),
    ],
)
async def test_causes(fallback_on: list[str], error: UpstreamError, goes_on: bool) -> None:
    a, b = Scripted(error), Scripted()
    request = outgoing()
    both = upstreams(a=a, b=b)
    if goes_on:
        assert (await both.send(route(["a", "b"], fallback_on=fallback_on), request)).status == 200
    else:
        with pytest.raises(type(error)):
            await both.send(route(["a", "b"], fallback_on=fallback_on), request)
    assert (request.tries, request.upstream) == ((2, "b") if goes_on else (1, "a"))


async def test_an_answer_that_is_passed_over_is_closed() -> None:
    a, b, c = Scripted(503), Scripted(503), Scripted(503)
    three = upstreams(a=a, b=b, c=c)
    answer = await three.send(route(["a", "b", "c"], fallback_on=["503"]), outgoing())
    assert answer.status == 503
    assert [a.closed_answers, b.closed_answers, c.closed_answers] == [1, 1, 0]


async def test_an_upstream_set_aside_is_passed_over_and_tried_once_later() -> None:
    clock = Clock()
    a, b = Scripted(DOWN, DOWN, DOWN, 200), Scripted()
    both = upstreams(clock, a=a, b=b)
    where = route(["a", "b"])
    for _ in range(4):
        await both.send(where, outgoing())
    assert (len(a.sent), len(b.sent)) == (2, 4)
    assert both.degraded() == {
        "upstream a": "it failed several times in a row; the last time: down"
    }
    clock.now += 5
    await both.send(where, outgoing())
    await both.send(where, outgoing())
    assert (len(a.sent), len(b.sent)) == (3, 6)
    clock.now += 10
    await both.send(where, outgoing())
    await both.send(where, outgoing())
    assert (len(a.sent), len(b.sent)) == (5, 6)
    assert both.degraded() == {}


async def test_with_all_set_aside_the_first_is_asked() -> None:
    a, b = Scripted(DOWN), Scripted(DOWN)
    both = upstreams(a=a, b=b)
    for _ in range(5):
        with pytest.raises(UpstreamUnreachable):
            await both.send(route(["a", "b"]), outgoing())
    assert (len(a.sent), len(b.sent)) == (5, 2)


async def test_the_only_upstream_is_always_asked() -> None:
    a = Scripted(DOWN)
    one = upstreams(a=a)
    for _ in range(5):
        with pytest.raises(UpstreamUnreachable):
            await one.send(route("a"), outgoing())
    assert len(a.sent) == 5
    assert set(one.degraded()) == {"upstream a"}


async def pieces() -> AsyncIterator[bytes]:
    yield b"one "
    yield b"two"


@pytest.mark.parametrize(
    ("members", "movable"),
    [
        ({}, True),
        ({"body": None, "method": "GET", "path": "/v1/models"}, True),
        ({"body": pieces()}, False),
        ({"path": "/v1/files"}, False),
        ({"path": "/v1/responses"}, True),
        ({"body": b'{"store":true}'}, False),
        ({"body": None, "method": "GET", "path": "/v1/chat/completions/c"}, False),
        ({"path": "/v1/responses/resp_1", "body": pieces()}, False),
    ],
)
async def test_what_can_be_answered_by_another(members: dict[str, Any], movable: bool) -> None:
    a, b = Scripted(DOWN), Scripted()
    request = outgoing(**members)
    if movable:
        await upstreams(a=a, b=b).send(route(["a", "b"]), request)
    else:
        with pytest.raises(UpstreamUnreachable):
            await upstreams(a=a, b=b).send(route(["a", "b"]), request)
    assert len(b.sent) == movable


async def key(**members: Any) -> bytes:
    request = outgoing(**members)
    return request.key(await request.kept())


async def test_what_an_upstream_keeps_is_found_there_again() -> None:
    kept = [await key(path=path, model=m) for path in ("/v1/files", "/v1/responses") for m in "ab"]
    kept += [await key(body=b'{"store":true}', conversation=one) for one in (b"1", b"2")]
    assert len(set(kept)) == 1
    assert await key(path="/v1/files", tenant="other") != kept[0]
    assert await key(conversation=b"1") != await key(conversation=b"2")


def socket_request(**members: Any) -> Outgoing:
    defaults = {"method": "GET", "path": "/v1/realtime", "target": "/realtime", "body": None}
    return outgoing(**defaults | {"subprotocols": ("realtime",)} | members)


OPTIONS = SocketOptions(subprotocols=(), max_message_bytes=1000, ping_seconds=0)


async def test_a_websocket_is_tried_elsewhere_until_it_opens() -> None:
    a, b, c = Scripted(DOWN), Scripted(503), Scripted(101)
    three = upstreams(a=a, b=b, c=c)
    asked = socket_request()
    where = route(["a", "b", "c"], fallback_on=["connect", "503"])
    assert (await three.open(where, asked, OPTIONS)).status == 101
    assert (asked.tries, asked.upstream) == (3, "c")
    assert [up.offered for up in (a, b, c)] == [[("realtime",)]] * 3


@pytest.mark.parametrize(
    "members",
    [{"target": "/realtime?call_id=c"}, {"fields": {"authorization": "Bearer ek_1"}}],
)
async def test_what_is_kept_for_a_websocket_is_looked_for_there_only(members: Any) -> None:
    a, b = Scripted(DOWN), Scripted(101)
    with pytest.raises(UpstreamUnreachable):
        await upstreams(a=a, b=b).open(route(["a", "b"]), socket_request(**members), OPTIONS)
    assert b.sent == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, False), ({"api_key": "k"}, True), ({"auth": "none"}, True), ({"auth": "bearer"}, False)],
)
def test_whether_a_key_is_ours(options: Any, expected: bool) -> None:
    configs = {
        "a": UpstreamConfig(base_url="http://x/v1"),
        "b": UpstreamConfig(base_url="http://x/v1", **options),
    }
    assert Upstreams(configs).own_key(route(["a", "b"])) is expected


async def test_every_failure_is_told() -> None:
    told: list[tuple[str, str]] = []
    config = UpstreamConfig(base_url="http://x/v1", connect_retries=1)
    steps = {"a": Scripted(DOWN), "b": Scripted(UpstreamTimeout("x"), 500, 429, 404, 200)}
    both = Upstreams(
        dict.fromkeys(steps, config), given=steps, on_failure=lambda *event: told.append(event)
    )
    where = route(["a", "b"])
    with pytest.raises(UpstreamTimeout):
        await both.send(where, outgoing())
    for _ in range(4):
        await both.send(route("b"), outgoing())
    assert told == [
        ("a", "connect"),
        ("a", "connect"),
        ("b", "timeout"),
        ("b", "500"),
        ("b", "429"),
    ]


# Connections, for real.


def closed_socket() -> socket.socket:
    """A port that is taken, and refuses connections until it is listened on."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


@pytest.mark.parametrize("body", [b"one two", pieces()])
async def test_a_later_try_sends_the_whole_body_once(body: Any) -> None:
    bound = closed_socket()
    seen: list[bytes] = []
    servers: list[asyncio.Server] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        while not data.endswith((b"one two", b"0\r\n\r\n")):
            data += await reader.read(65536)
        seen.append(data)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()

    url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    one = Upstreams({"a": UpstreamConfig(base_url=url, connect_retries=5)})
    await one.start()
    upstream = one._members["a"].upstream
    once = upstream.send

    async def then_listen(request: UpstreamRequest) -> Any:
        try:
            return await once(request)
        except UpstreamUnreachable:
            servers.append(await asyncio.start_server(serve, sock=bound))
            raise

    upstream.send = then_listen  # type: ignore[method-assign]  # opens the port between two tries
    request = outgoing(body=body)
    response = await one.send(route("a"), request)
    assert b"".join([chunk async for chunk in response.chunks()]) == b"ok"
    assert (request.tries, len(servers)) == (2, 1)
    (data,) = seen
    assert data.count(b"one") == data.count(b"two") == 1
    await one.close()
    servers[0].close()


async def test_a_connection_is_tried_as_often_as_told() -> None:
    bound = closed_socket()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    one = Upstreams({"a": UpstreamConfig(base_url=url, connect_retries=2)})
    await one.start()
    request = outgoing()
    with pytest.raises(UpstreamUnreachable, match="'a' at http://127"):
        await one.send(route("a"), request)
    assert request.tries == 3
    await one.close()
    bound.close()
