"""Requests that are meant to do harm, on a real server: refused, or passed on as harmless bytes."""

import asyncio
import gzip
import json
import zlib

import pytest
import zstandard

from proxy.savings import Treatment
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    Connection,
    FakeUpstream,
    Received,
)
from tests.integration.raw_client import Answer, ask, chat, parse_answer

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n\r\n"


async def sent(proxy: Proxy, request: bytes) -> Answer:
    """Send bytes to a server that has to answer and close by itself."""
    return parse_answer(await proxy.raw(request))


def error_of(answer: Answer, status: int, code: str) -> str:
    assert answer.status == status
    assert answer.complete
    assert answer.value("content-type") == "application/json"
    error = json.loads(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    return str(error["message"])


SMUGGLED = [
    # two lengths
    POST + LENGTH + CHUNKED + b"\r\n0\r\n\r\n",
    POST + CHUNKED + LENGTH + b"\r\n0\r\n\r\n",
    POST + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY,
    POST + LENGTH + LENGTH + b"\r\n" + BODY,
    # odd lengths
    POST + b"Content-Length: 5, 5\r\n\r\nabcde",
    POST + b"Content-Length: +5\r\n\r\nabcde",
    POST + b"Content-Length: -5\r\n\r\nabcde",
    POST + b"Content-Length: 0x5\r\n\r\nabcde",
    POST + b"Content-Length: 99999999999999999999\r\n\r\nabcde",
    # hidden or doubled transfer codings
    POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    POST + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"POST /v1/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    # chunks
    POST + CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\n-5\r\nabcde\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\n5\r\nabcdefgh\r\n0\r\n\r\n",
    POST + CHUNKED + b"\r\n5\nabcde\n0\n\n",
    # lines
    POST + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    b"GET /v1/models HTTP/1.1\nHost: x\n\n",
    GET + b"X-A: a\rb\r\n\r\n",
    GET + b"X-A: a\nX-B: b\r\n\r\n",
    GET + b"X-A: a\0b\r\n\r\n",
    GET + b": v\r\n\r\n",
    GET + b"X(A): v\r\n\r\n",
    GET + b"no colon\r\n\r\n",
    # request lines
    b"GET /v1/mod\0els HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/mod els HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"FOO /v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get /v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/models HTTP/1.2\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    # hosts
    b"GET /v1/models HTTP/1.1\r\n\r\n",
    GET + b"Host: y\r\n\r\n",
]


async def test_what_requests_are_smuggled_with_is_refused(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    hidden = b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    for request in SMUGGLED:
        answer = await sent(proxy, request + hidden)
        assert answer.status == 400, request
        error_of(answer, 400, "bad_http")
        assert upstream.received == [], request
    assert (await ask(proxy, "GET", "/v1/models")).status == 200


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity", b"xchunked", b"chunked, gzip"])
async def test_other_transfer_codings_are_not_guessed_at(
    proxy: Proxy, upstream: FakeUpstream, coding: bytes
) -> None:
    request = POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n"
    answer = await sent(proxy, request)
    assert answer.status in (400, 501)
    assert upstream.received == []


@pytest.mark.parametrize("line", [b"GET /v1/models", b"GET /v1/models HTTP/2.0"])
async def test_other_versions_are_refused(
    proxy: Proxy, upstream: FakeUpstream, line: bytes
) -> None:
    error_of(await sent(proxy, line + b"\r\n\r\n"), 505, "bad_http")
    assert upstream.received == []


async def test_http_1_0_is_served_and_closed(proxy: Proxy, upstream: FakeUpstream) -> None:
    answer = await sent(proxy, b"GET /v1/models HTTP/1.0\r\n\r\n")
    assert answer.status == 200
    assert answer.value("connection") == "close"
    assert len(upstream.received) == 1


async def test_trailers_and_chunk_extensions_end_here(proxy: Proxy, upstream: FakeUpstream) -> None:
    chunk = b"%x;a=b\r\n%b\r\n" % (len(BODY), BODY)
    trailer = b"0\r\nX-Tersely-Bypass: true\r\nAuthorization: Bearer evil\r\n\r\n"
    answer = await sent(proxy, POST + CHUNKED + CLOSE + chunk + trailer)
    assert answer.status == 200
    assert answer.value("x-tersely-outcome") != "bypassed"
    (request,) = upstream.received
    assert request.body == BODY
    assert request.value("authorization") is None


async def test_what_follows_a_body_is_a_request_of_its_own(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, request.target.encode())

    upstream.handler = handler
    first = b"POST /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    second = b"GET /v1/b HTTP/1.1\r\nHost: x\r\n" + CLOSE
    data = await proxy.raw(first + second)
    assert data.count(b"HTTP/1.1 200") == 2
    assert [(r.target, r.body) for r in upstream.received] == [("/v1/a", b"abc"), ("/v1/b", b"")]


async def test_a_bad_request_behind_another_does_not_mix_into_its_answer(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    going = asyncio.Event()

    async def slow(request: Received, connection: Connection) -> None:
        await connection.head(200, [("Content-Length", "4")])
        await connection.send(b"ab")
        await going.wait()
        await connection.send(b"cd")

    upstream.handler = slow
    reader, writer = await proxy.connect()
    writer.write(GET + b"\r\n")
    head = await soon(reader.readuntil(b"ab"))
    writer.write(b"nonsense\r\n\r\n")
    rest = await soon(reader.read(-1))
    going.set()
    writer.close()
    assert b"200" in head
    assert rest == b""  # cut, and nothing that could be taken for the answer


@pytest.mark.parametrize(
    "extra",
    [
        b"X-A: " + b"a" * 300_000 + b"\r\n",
        b"X-A: b\r\n" * 300,
        b"".join(b"X-%d: %b\r\n" % (n, b"v" * 500) for n in range(200)),
    ],
)
async def test_large_heads_are_refused(proxy: Proxy, upstream: FakeUpstream, extra: bytes) -> None:
    reader, writer = await proxy.connect()
    writer.write(GET + extra + CLOSE)
    data = await soon(reader.readuntil(b"}}"))
    writer.close()
    error_of(parse_answer(data), 431, "head_too_large")
    assert upstream.received == []


@pytest.mark.parametrize(
    "start",
    [
        b"GET /v1/models?",
        GET + b"X-A: ",
        POST + CHUNKED + b"\r\n0\r\nX-A: ",  # a trailer
        POST + CHUNKED + b"\r\n5;a=",  # a chunk's extension
    ],
)
async def test_a_head_without_an_end_is_not_collected(proxy: Proxy, start: bytes) -> None:
    reader, writer = await proxy.connect()
    writer.write(start)
    try:
        for _ in range(100):  # a tenth of what would be sent is enough
            writer.write(b"a" * 10_000)
            await writer.drain()
            await asyncio.sleep(0)
            if reader.at_eof():
                break
        data = await soon(reader.read(-1))
    except ConnectionError:
        data = b""
    writer.close()
    assert not data or data.startswith(b"HTTP/1.1 431")


async def test_heads_up_to_the_limit_are_served(proxy: Proxy, upstream: FakeUpstream) -> None:
    headers = [(f"X-{number}", "v" * 200) for number in range(250)]
    assert (await ask(proxy, "GET", "/v1/models?" + "q" * 5000, headers)).status == 200
    assert len(upstream.received[0].target) > 5000


BOMB = b" " * 30_000_000


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BOMB)),
        ("deflate", zlib.compress(BOMB)),
        ("zstd", zstandard.compress(BOMB)),
        ("gzip, gzip", gzip.compress(gzip.compress(BOMB))),
        ("gzip", gzip.compress(BOMB[:10_000_000]) * 10),
    ],
    ids=["gzip", "deflate", "zstd", "nested", "members"],
)
async def test_bombs_are_passed_on_unopened(
    proxy_server: ProxyServer, upstream: FakeUpstream, coding: str, body: bytes
) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, b"{}")

    upstream.handler = handler
    proxy = proxy_server(server={"max_parse_bytes": 1_000_000})
    answer = await chat(proxy, body, [("Content-Encoding", coding)])
    assert answer.status == 200
    assert upstream.received[0].body == body
    record = await proxy.sink.next()
    assert record.report.treatment is Treatment.PASSED
    assert record.report.note is not None
    assert "max_parse_bytes" in record.report.note or "stacked" in record.report.note


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"messages":['])
async def test_deep_json_is_passed_on_unread(
    proxy: Proxy, upstream: FakeUpstream, opening: bytes
) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(400, b"{}")

    upstream.handler = handler
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":' + opening * 200_000
    assert (await chat(proxy, body)).status == 400
    assert upstream.received[0].body == body
    record = await proxy.sink.next()
    assert record.report.treatment is Treatment.PASSED
    assert record.report.note


PATH_TRICKS = [
    "/v1/models%00.json",
    "/v1/models%0d%0aX-Evil:%201",
    "/v1/models%250aX",
    "/v1/%7f",
    "/v1/..",
    "/v1/%2e%2e/admin",
    "/v1/%252e%252e/admin",
    "/v1/..%5cadmin",
    "/v1/..\\admin",
    "/v1/x/..;a=b/admin",
    "//evil.test/v1/models",
    "/\\evil.test/v1/models",
    "/v1%2fmodels",
    "/V1/models",
    "/./v1/models",
    "*",
]


async def test_path_tricks_lead_nowhere(proxy: Proxy, upstream: FakeUpstream) -> None:
    for target in PATH_TRICKS:
        answer = await ask(proxy, "GET", target)
        assert answer.status == 404, target
        error_of(answer, 404, "unknown_url")
        assert upstream.received == [], target


async def test_a_query_passes_encoded_as_it_came(proxy: Proxy, upstream: FakeUpstream) -> None:
    target = "/v1/models?after=%0d%0aX-Evil:%201&x=%00&y=../.."
    assert (await ask(proxy, "GET", target)).status == 200
    assert upstream.received[0].target == target
    assert upstream.received[0].value("x-evil") is None


async def test_trace_is_not_passed_on(proxy: Proxy, upstream: FakeUpstream) -> None:
    error_of(await ask(proxy, "TRACE", "/v1/models"), 405, "method_not_allowed")
    assert upstream.received == []
    assert (await proxy.sink.next()).status == 405


async def test_addresses_come_from_the_config_alone(proxy: Proxy, upstream: FakeUpstream) -> None:
    headers = [
        ("Host", "evil.test"),
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("X-Original-URL", "http://evil.test/"),
        ("X-Rewrite-URL", "/admin"),
        ("Forwarded", "host=evil.test"),
        ("OpenAI-Base-URL", "http://evil.test"),
        ("X-Base-URL", "http://evil.test"),
        ("X-Tersely-Upstream", "http://evil.test"),
        ("X-Upstream", "http://evil.test"),
    ]
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers)
    start = b"GET http://evil.test:99/v1/models HTTP/1.1\r\n"
    answer = await sent(proxy, start + lines + CLOSE)
    assert answer.status == 200
    (request,) = upstream.received
    assert request.target == "/v1/models"
    assert request.values("host") == [upstream.base_url[len("http://") : -len("/v1")]]
    body = BODY.replace(b'"model"', b'"api_base":"http://evil.test","base_url":"x","model"')
    assert (await chat(proxy, body)).status == 200
    assert upstream.received[1].body == body
    assert (await proxy.sink.next()).upstream == "main"
