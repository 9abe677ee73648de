"""What the client and the record say when an upstream has a bad day."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Received,
    chat_answer,
)
from tests.integration.raw_client import Answer, ask, chat

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hi."}]}'


def own_error(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is the proxy's own, in OpenAI's shape, and return the error."""
    assert answer.status == status
    assert answer.value("content-type") == "application/json"
    assert (answer.value("x-request-id") or "").startswith("req_")
    error: dict[str, Any] = json.loads(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    return error


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections and that nobody else is given meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/threads/runs"])
async def test_an_upstream_that_is_down_is_502(proxy_server: ProxyServer, target: str) -> None:
    with closed_port() as port:
        proxy = proxy_server(upstream_options={"base_url": f"http://127.0.0.1:{port}/v1"})
        answer = await ask(proxy, "POST", target, body=BODY)
    error = own_error(answer, 502, "upstream_unreachable")
    assert "'main'" in error["message"]
    assert str(port) in error["message"]
    # It was tried twice already, so the client's own retries would only multiply that.
    assert answer.value("x-should-retry") == "false"
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.UPSTREAM_UNREACHABLE, 502)
    assert record.upstream_ms is None
    assert proxy.sink.empty


async def test_a_name_that_does_not_resolve_is_502(proxy_server: ProxyServer) -> None:
    options = {"base_url": "http://no-such-host.invalid/v1", "connect_retries": 0}
    answer = await chat(proxy_server(upstream_options=options), BODY)
    own_error(answer, 502, "upstream_unreachable")
    assert answer.value("x-should-retry") is None


async def test_only_failed_connections_are_tried_again(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    accepted = 0

    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(no_tls, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    options = {"base_url": f"https://127.0.0.1:{port}/v1", "connect_retries": 3}
    answer = await chat(proxy_server(upstream_options=options), BODY)
    own_error(answer, 502, "upstream_unreachable")
    assert accepted == 4
    server.close()


async def test_nothing_is_sent_to_a_server_nobody_vouches_for(
    proxy_server: ProxyServer, upstream: FakeUpstream, tmp_path: Path
) -> None:
    context = self_signed(tmp_path)
    secure = FakeUpstream()
    await secure.start(ssl=context)
    proxy = proxy_server(upstream_options={"base_url": secure.base_url.replace("http:", "https:")})
    answer = await chat(proxy, BODY)
    error = own_error(answer, 502, "upstream_unreachable")
    assert "has a certificate that is not trusted" in error["message"]
    assert secure.received == []
    await secure.close()


async def test_a_private_authority_can_be_named(
    proxy_server: ProxyServer, upstream: FakeUpstream, tmp_path: Path
) -> None:
    secure = FakeUpstream()
    await secure.start(ssl=self_signed(tmp_path))
    url = secure.base_url.replace("http:", "https:")
    proxy = proxy_server(
        upstream_options={"base_url": url, "ca_file": tmp_path / "server.pem"},
        upstreams={"other": UpstreamConfig(base_url=url)},
        routes=[Route(match=Match(model="other"), policy="half", upstream="other")],
    )
    assert (await chat(proxy, BODY)).status == 200
    # it is trusted by that upstream alone, and only under its own name
    answer = await chat(proxy, BODY.replace(b"gpt-4o", b"other"))
    own_error(answer, 502, "upstream_unreachable")
    proxy = proxy_server(
        upstream_options={
            "base_url": url.replace("127.0.0.1", "localhost"),
            "ca_file": tmp_path / "server.pem",
        }
    )
    own_error(await chat(proxy, BODY), 502, "upstream_unreachable")
    assert len(secure.received) == 1
    await secure.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server context with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
async def test_a_request_that_may_have_been_read_is_never_sent_twice(
    proxy: Proxy, upstream: FakeUpstream, method: str
) -> None:
    async def drop(request: Received, connection: Connection) -> None:
        connection.drop()

    upstream.handler = drop
    target = "/v1/chat/completions" if method == "POST" else "/v1/x"
    answer = await ask(proxy, method, target, body=BODY)
    own_error(answer, 502, "upstream_disconnected")
    assert len(upstream.received) == 1
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.UPSTREAM_CUT, 502)
    assert not record.accepted


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_not_even_on_a_connection_from_the_pool(
    proxy: Proxy, upstream: FakeUpstream, method: str
) -> None:
    async def drop_second(request: Received, connection: Connection) -> None:
        if connection.served == 2:
            connection.drop()
        else:
            await connection.answer(200, b"first")

    upstream.handler = drop_second
    assert (await ask(proxy, method, "/v1/x", body=BODY)).body == b"first"
    answer = await ask(proxy, method, "/v1/x", body=BODY)
    own_error(answer, 502, "upstream_disconnected")
    assert len(upstream.received) == 2
    assert len(upstream.connections) == 1


async def test_connections_are_reused(proxy: Proxy, upstream: FakeUpstream) -> None:
    for _ in range(5):
        assert (await chat(proxy, BODY)).status == 200
    assert len(upstream.connections) == 1


async def test_a_reset_before_the_head_is_a_disconnect(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def reset(request: Received, connection: Connection) -> None:
        raw = connection.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.writer.transport.abort()

    upstream.handler = reset
    own_error(await chat(proxy, BODY), 502, "upstream_disconnected")
    assert len(upstream.received) == 1


async def test_silence_is_504(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    proxy = proxy_server(upstream_options={"read_timeout_seconds": 0.1})
    error = own_error(await chat(proxy, BODY), 504, "upstream_timeout")
    assert "read_timeout_seconds" in error["message"]
    assert len(upstream.received) == 1
    await soon(upstream.connections[0].closed.wait())
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.UPSTREAM_TIMEOUT, 504)


async def test_an_upstream_that_takes_no_body_is_504(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.reads_bodies = False
    gate = asyncio.Event()

    async def stuck(request: Received, connection: Connection) -> None:
        await gate.wait()

    upstream.handler = stuck
    proxy = proxy_server(upstream_options={"read_timeout_seconds": 0.2})
    reader, writer = await proxy.connect()
    writer.write(b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n")
    writer.write(b"x" * 30_000_000)
    head = await soon(reader.readuntil(b"\r\n\r\n"))
    assert b" 504 " in head
    assert b'"code":"upstream_timeout"' in await soon(reader.readuntil(b"}}"))
    writer.transport.abort()
    gate.set()
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_TIMEOUT


async def test_waiting_for_a_free_connection_counts_as_connecting(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    gate = asyncio.Event()

    async def gated(request: Received, connection: Connection) -> None:
        await gate.wait()
        await connection.answer(200, chat_answer(), JSON)

    upstream.handler = gated
    options = {"max_connections": 1, "connect_timeout_seconds": 0.1, "connect_retries": 0}
    proxy = proxy_server(upstream_options=options)
    first = asyncio.create_task(chat(proxy, BODY))
    await upstream.wait_for(1)
    error = own_error(await chat(proxy, BODY), 502, "upstream_unreachable")
    assert "connect_timeout_seconds" in error["message"]
    gate.set()
    assert (await first).status == 200
    assert len(upstream.received) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 300_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_http_is_502(
    proxy: Proxy, upstream: FakeUpstream, garbage: bytes
) -> None:
    async def babble(request: Received, connection: Connection) -> None:
        await connection.send(garbage)

    upstream.handler = babble
    own_error(await chat(proxy, BODY), 502, "upstream_protocol_error")
    assert (await proxy.sink.next()).status == 502
    assert len(upstream.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 529])
async def test_errors_of_the_upstream_come_back_as_they_are_after_one_try(
    proxy: Proxy, upstream: FakeUpstream, status: int
) -> None:
    body = b'{"error" : {"message":"theirs", "code" : 7}, "extra":1e2}'

    async def fail(request: Received, connection: Connection) -> None:
        headers = [("Retry-After", "17"), ("X-Request-Id", "req_theirs"), *JSON]
        await connection.answer(status, body, headers)

    upstream.handler = fail
    answer = await chat(proxy, STREAM)
    assert (answer.status, answer.body) == (status, body)
    assert answer.value("retry-after") == "17"
    assert answer.values("x-request-id") == ["req_theirs"]
    assert len(upstream.received) == 1
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.FINISHED, status)


async def test_an_error_page_that_is_no_json_comes_back_too(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def page(request: Received, connection: Connection) -> None:
        await connection.answer(503, b"<html>\xff", [("Content-Type", "text/html")])

    upstream.handler = page
    answer = await chat(proxy, BODY)
    assert (answer.status, answer.body) == (503, b"<html>\xff")
    assert answer.value("content-type") == "text/html"


async def test_invalid_events_pass_untouched(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    stream = (
        b"garbage\xff\xfe\n\n: trailing comment\n\ndata: {not json\n\nda"
        b'ta: {"usage":null\n\n\n\n\r\rdata:[DONE]'
    )

    async def invalid(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for byte in stream:
            await connection.chunk(bytes([byte]))
        await connection.last_chunk()

    upstream.handler = invalid
    for mode in ("observe", "ask"):
        proxy = proxy_server(upstream_options={"usage": mode})
        answer = await chat(proxy, STREAM)
        assert (answer.body, answer.complete) == (stream, True)


async def test_a_bug_is_500_without_its_text_and_is_recorded(
    proxy: Proxy, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("proxy.headers.to_upstream", broken)
    answer = await chat(proxy, BODY)
    own_error(answer, 500, "internal_error")
    assert b"secret" not in answer.body
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.INTERNAL_ERROR, 500)
    assert proxy.sink.empty


async def test_a_bug_in_preparing_sends_the_original(
    proxy: Proxy, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("proxy.pipeline.Pipeline.prepare", broken)
    answer = await chat(proxy, BODY)
    assert (answer.status, answer.body) == (200, chat_answer())
    assert answer.value("x-tersely-outcome") == "failed_open"
    assert upstream.received[0].body == BODY
    assert (await proxy.sink.next()).report.note is not None
