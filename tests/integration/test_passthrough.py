"""Everything under /v1 that is not compressed goes through byte for byte, both ways."""

import asyncio
import hashlib
import resource

import pytest

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from proxy.savings import Ending, Treatment
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import Connection, FakeUpstream, Received
from tests.integration.raw_client import ask, parse_answer, request_bytes

ODD_BODY = bytes(range(256)) * 5


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_and_an_unknown_route_pass(
    proxy: Proxy, upstream: FakeUpstream, method: str
) -> None:
    async def echo(request: Received, connection: Connection) -> None:
        await connection.answer(207, request.body[::-1], [("Content-Type", "x/y")])

    upstream.handler = echo
    answer = await ask(proxy, method, "/v1/no/such/route", body=ODD_BODY)
    assert (answer.status, answer.body) == (207, ODD_BODY[::-1])
    assert answer.value("content-type") == "x/y"
    (request,) = upstream.received
    assert (request.method, request.target) == (method, "/v1/no/such/route")
    assert request.body == ODD_BODY
    record = await proxy.sink.next()
    assert (record.method, record.path) == (method, "/v1/no/such/route")
    assert record.ending is Ending.FINISHED
    assert record.report.treatment is Treatment.PASSED
    assert record.status == 207
    assert record.upstream == "main"


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
async def test_a_request_without_a_body_stays_one(
    proxy: Proxy, upstream: FakeUpstream, method: str
) -> None:
    await ask(proxy, method, "/v1/models")
    (request,) = upstream.received
    assert request.body == b""
    assert request.value("transfer-encoding") is None
    assert request.value("content-type") is None


@pytest.mark.parametrize(
    "target",
    [
        "/v1/files/a%20b%2Fc?x=%zz&y=%2F&z=a+b",
        "/v1/files/%E4%BD%A0?q=%00",
        "/v1//models",
        "/v1/a;b=c/d:e@f!$&'()*,=~",
        '/v1/x?q={"a":[1]}|^`',
        "/v1/x?a=1&a=2&&b",
        "/v1/files/report..final.txt",
        "/v1",
        "/v1/",
    ],
)
async def test_the_target_goes_out_as_it_came(
    proxy: Proxy, upstream: FakeUpstream, target: str
) -> None:
    await ask(proxy, "GET", target)
    assert upstream.received[0].target == target


async def test_the_base_url_has_its_own_path(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    base = upstream.base_url.removesuffix("/v1") + "/proj%2F1/openai/v3/"
    proxy = proxy_server(upstream_options={"base_url": base})
    await ask(proxy, "GET", "/v1/models?limit=1")
    assert upstream.received[0].target == "/proj%2F1/openai/v3/models?limit=1"


@pytest.mark.parametrize(
    "target",
    [
        "/v1/../admin",
        "/v1/..",
        "/v1/x/../../admin",
        "/v1/%2e%2e/admin",
        "/v1/.%2E/admin",
        "/v1/..%2fadmin",
        "/v1/..%5cadmin",
        "/v1/..\\admin",
        "/v1/..;/admin",
        "/v1/%252e%252e/admin",
        "//v1/models",
        "//evil.example/v1/models",
        "/v1x/models",
        "/V1/models",
        "/%761/models",
        "/admin",
        "/",
        "/v1%2fmodels",
    ],
)
async def test_no_path_leads_out_of_the_upstreams_base(
    proxy: Proxy, upstream: FakeUpstream, target: str
) -> None:
    answer = await ask(proxy, "GET", target)
    assert answer.status == 404
    assert b'"type":"invalid_request_error"' in answer.body
    assert upstream.received == []


async def test_an_absolute_target_reaches_only_the_configured_upstream(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    await ask(proxy, "GET", "http://evil.example/v1/models")
    assert upstream.received[0].target == "/v1/models"
    assert upstream.received[0].value("host") in upstream.base_url


async def test_a_download_is_relayed_as_it_arrives(proxy: Proxy, upstream: FakeUpstream) -> None:
    gate = asyncio.Event()

    async def gated(request: Received, connection: Connection) -> None:
        await connection.head(200, [("Content-Type", "audio/mpeg"), ("Content-Length", "8")])
        await connection.send(b"\x00\xff\r\n")
        await gate.wait()
        await connection.send(b"\r\n\x01\x02")

    upstream.handler = gated
    reader, writer = await proxy.connect()
    writer.write(request_bytes("GET", "/v1/files/f/content"))
    head = await soon(reader.readuntil(b"\r\n\r\n"))
    assert b"content-length: 8" in head
    assert await soon(reader.readexactly(4)) == b"\x00\xff\r\n"
    gate.set()
    assert await soon(reader.read(-1)) == b"\r\n\x01\x02"
    writer.close()


async def test_events_of_other_apis_are_relayed_as_they_arrive(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    events = [
        b"event: response.created\r\ndata: {}\r\n\r\n",
        b": keep-alive\n\n",
        b'event: ping\ndata: {"usage":null}\n\n',
        b"data: not json at all\n",
    ]
    gates = [asyncio.Event() for _ in events]

    async def gated(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for gate, event in zip(gates, events, strict=True):
            await gate.wait()
            await connection.chunk(event)
        await connection.last_chunk()

    upstream.handler = gated
    reader, writer = await proxy.connect()
    writer.write(request_bytes("POST", "/v1/threads/runs", body=b"{}"))
    head = await soon(reader.readuntil(b"\r\n\r\n"))
    assert b"x-accel-buffering: no" in head
    assert b"cache-control: no-cache" in head
    for gate, event in zip(gates, events, strict=True):
        gate.set()
        expected = b"%x\r\n%b\r\n" % (len(event), event)
        assert await soon(reader.readexactly(len(expected))) == expected
    assert await soon(reader.read(-1)) == b"0\r\n\r\n"
    writer.close()


async def test_a_large_upload_is_streamed_in_bounded_memory(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    size, piece = 100 * 1024 * 1024, bytes(range(256)) * 4096
    digest, sent = hashlib.sha256(), hashlib.sha256()
    upstream.reads_bodies = False
    held = []

    async def swallow(request: Received, connection: Connection) -> None:
        assert request.value("content-length") == str(size)
        assert request.value("content-type") == "multipart/form-data; boundary=x"
        left = size
        while left:
            data = await connection.reader.read(min(left, 262144))
            left -= len(data)
            digest.update(data)
        await connection.answer(200, b"stored")

    upstream.handler = swallow
    reader, writer = await proxy.connect()
    headers = [("Content-Type", "multipart/form-data; boundary=x"), ("Content-Length", str(size))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    writer.write(request_bytes("POST", "/v1/files", headers))
    for _ in range(size // len(piece)):
        writer.write(piece)
        sent.update(piece)
        await writer.drain()
        held.append(1)
    answer = parse_answer(await soon(reader.read(-1)))
    writer.close()
    assert answer.body == b"stored"
    assert digest.digest() == sent.digest()
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 40


async def test_an_upload_stops_while_the_upstream_does_not_read(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.reads_bodies = False
    gate, size, piece = asyncio.Event(), 64 * 1024 * 1024, b"x" * 1024 * 1024

    async def later(request: Received, connection: Connection) -> None:
        await gate.wait()
        await connection.reader.readexactly(size)
        await connection.answer(200, b"stored")

    upstream.handler = later
    reader, writer = await proxy.connect()
    writer.write(request_bytes("POST", "/v1/files", [("Content-Length", str(size))]))
    taken = 0

    async def upload() -> None:
        nonlocal taken
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
            taken += len(piece)

    uploading = asyncio.create_task(upload())
    await soon(upstream.wait_for())
    done, _ = await asyncio.wait([uploading], timeout=0.5)
    assert not done
    assert taken < size // 2
    gate.set()
    await soon(uploading)
    assert b"stored" in await soon(reader.read(-1))
    writer.close()


async def test_a_chunked_upload_stays_chunked(proxy: Proxy, upstream: FakeUpstream) -> None:
    data = request_bytes("POST", "/v1/files", [("Transfer-Encoding", "chunked")])
    answer = parse_answer(await proxy.raw(data + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    assert answer.status == 200
    (request,) = upstream.received
    assert request.value("transfer-encoding") == "chunked"
    assert request.value("content-length") is None
    assert request.body == b"abcde"


async def test_an_early_answer_to_an_upload_is_seen(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.reads_bodies = False

    async def refuse(request: Received, connection: Connection) -> None:
        await connection.answer(413, b"too large for me", [("Connection", "close")])
        await connection.until_closed()

    upstream.handler = refuse
    size = 8 * 1024 * 1024
    reader, writer = await proxy.connect()
    headers = [("Content-Length", str(size))]
    writer.write(request_bytes("POST", "/v1/files", headers) + b"the first bytes")
    head = await soon(reader.readuntil(b"\r\n\r\n"))
    assert b" 413 " in head
    assert await soon(reader.readexactly(16)) == b"too large for me"
    writer.close()
    assert (await proxy.sink.next()).status == 413


async def test_expect_100_continue_is_answered_here_and_not_forwarded(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    reader, writer = await proxy.connect()
    headers = [("Expect", "100-continue"), ("Content-Length", "4")]
    writer.write(request_bytes("POST", "/v1/files", headers))
    assert await soon(reader.readuntil(b"\r\n\r\n")) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"data")
    assert b" 200 " in await soon(reader.readuntil(b"\r\n\r\n"))
    writer.close()
    assert upstream.received[0].value("expect") is None
    assert upstream.received[0].body == b"data"


async def test_head_keeps_the_length_and_sends_no_body(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def head(request: Received, connection: Connection) -> None:
        await connection.head(200, [("Content-Length", "1234"), ("ETag", '"x"')])

    upstream.handler = head
    answer = await ask(proxy, "HEAD", "/v1/files/f/content")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.value("content-length") == "1234"
    assert answer.value("etag") == '"x"'


@pytest.mark.parametrize(
    ("status", "headers"),
    [(204, []), (304, [("ETag", '"x"')]), (304, [("Content-Length", "99")])],
)
async def test_answers_without_a_body(
    proxy: Proxy, upstream: FakeUpstream, status: int, headers: list[tuple[str, str]]
) -> None:
    async def bodiless(request: Received, connection: Connection) -> None:
        await connection.head(status, headers)

    upstream.handler = bodiless
    answer = await ask(proxy, "GET", "/v1/x")
    assert (answer.status, answer.body) == (status, b"")
    assert (await proxy.sink.next()).ending is Ending.FINISHED


async def test_interim_answers_are_passed_over(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def hints(request: Received, connection: Connection) -> None:
        await connection.head(103, [("Link", "</a>; rel=preload")], "Early Hints")
        await connection.head(100, [], "Continue")
        await connection.answer(200, b"final")

    upstream.handler = hints
    answer = await ask(proxy, "GET", "/v1/x")
    assert (answer.status, answer.body) == (200, b"final")


async def test_an_answer_that_ends_with_the_connection_is_whole(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def old_style(request: Received, connection: Connection) -> None:
        await connection.head(200, [("Connection", "close")])
        await connection.send(b"until the end")
        connection.drop()

    upstream.handler = old_style
    answer = await ask(proxy, "GET", "/v1/x")
    assert (answer.body, answer.complete) == (b"until the end", True)


async def test_redirects_are_the_clients_to_follow(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def redirect(request: Received, connection: Connection) -> None:
        await connection.answer(307, b"", [("Location", "/v1/elsewhere")])

    upstream.handler = redirect
    answer = await ask(proxy, "POST", "/v1/x", body=b"1")
    assert answer.status == 307
    assert answer.value("location") == "/v1/elsewhere"
    assert len(upstream.received) == 1


async def test_a_compressed_download_is_not_unpacked(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def packed(request: Received, connection: Connection) -> None:
        await connection.answer(200, b"\x1f\x8b not really gzip", [("Content-Encoding", "gzip")])

    upstream.handler = packed
    answer = await ask(proxy, "GET", "/v1/x", [("Accept-Encoding", "gzip, br")])
    assert answer.body == b"\x1f\x8b not really gzip"
    assert answer.value("content-encoding") == "gzip"
    assert upstream.received[0].value("accept-encoding") == "gzip, br"


async def test_routes_choose_the_upstream_by_path_and_header(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    other = FakeUpstream()
    await other.start()
    proxy = proxy_server(
        upstreams={"other": UpstreamConfig(base_url=other.base_url)},
        routes=[
            Route(match=Match(path="/v1/audio/*"), policy="off", upstream="other"),
            Route(match=Match(headers={"X-Team": "b*"}), policy="off", upstream="other"),
        ],
    )
    await ask(proxy, "GET", "/v1/audio/voices")
    await ask(proxy, "GET", "/v1/models", [("x-team", "blue")])
    await ask(proxy, "GET", "/v1/models", [("x-team", "red")])
    assert [request.target for request in other.received] == ["/v1/audio/voices", "/v1/models"]
    assert len(upstream.received) == 1
    await other.close()
