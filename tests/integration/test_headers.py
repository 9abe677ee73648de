"""Which headers pass, both ways, and which must not."""

import hashlib

import pytest

from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, chat_answer
from tests.integration.raw_client import ask, chat

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
SDK_HEADERS = [
    ("authorization", "Bearer sk-client"),
    ("openai-organization", "org-1"),
    ("openai-project", "proj-1"),
    ("openai-beta", "assistants=v2"),
    ("idempotency-key", "abc"),
    ("x-client-request-id", "mine"),
    ("x-stainless-lang", "python"),
    ("x-stainless-retry-count", "0"),
    ("user-agent", "OpenAI/Python 2"),
    ("accept", "application/json"),
    ("x-custom", "one"),
    ("x-custom", "two"),
    ("cookie", "a=1; b=2"),
    ("x-api-key", "sk-ant"),
    ("x-empty", ""),
    ("x-utf8", "caf\u00c3\u00a9"),  # the bytes of UTF-8, as latin-1 puts them on the wire
]


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/threads/runs"])
async def test_request_headers_go_out_in_order_with_nothing_added(
    proxy: Proxy, upstream: FakeUpstream, target: str
) -> None:
    await ask(proxy, "POST", target, SDK_HEADERS, BODY)
    received = [(name.lower(), value) for name, value in upstream.received[0].headers]
    assert [pair for pair in received if pair in SDK_HEADERS] == SDK_HEADERS
    added = {name for name, _ in received} - {name for name, _ in SDK_HEADERS}
    compressed = {"accept-encoding"} if "chat" in target else set()
    assert added == {"host", "content-length"} | compressed


async def test_a_compressed_route_asks_for_an_answer_it_can_read(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    await chat(proxy, BODY, [("Accept-Encoding", "gzip, deflate")])
    assert upstream.received[0].values("accept-encoding") == ["identity"]


async def test_hop_by_hop_request_headers_stop_here(proxy: Proxy, upstream: FakeUpstream) -> None:
    headers = [
        ("Connection", "keep-alive, X-Secret-Hop"),
        ("Keep-Alive", "timeout=5"),
        ("TE", "trailers"),
        ("Trailer", "X-Sum"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("Proxy-Connection", "keep-alive"),
        ("X-Secret-Hop", "1"),
        ("X-Kept", "1"),
    ]
    await ask(proxy, "GET", "/v1/models", headers)
    names = {name.lower() for name, _ in upstream.received[0].headers}
    assert names == {"host", "x-kept"}


async def test_connection_cannot_strip_the_framing(proxy: Proxy, upstream: FakeUpstream) -> None:
    headers = [("Connection", "content-length")]
    await ask(proxy, "POST", "/v1/x", headers, b"body")
    assert upstream.received[0].body == b"body"


@pytest.mark.parametrize(
    ("method", "protocol", "body"),
    [
        ("GET", "h2c", None),
        ("POST", "websocket", b"{}"),
        ("GET", "websocket", b"{}"),
        ("GET", "websocket/13", None),
    ],
)
async def test_a_request_for_another_protocol_is_an_ordinary_request(
    proxy: Proxy, upstream: FakeUpstream, method: str, protocol: str, body: bytes | None
) -> None:
    headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", protocol),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    answer = await ask(proxy, method, "/v1/realtime?model=x", headers, body)
    assert answer.status == 200
    assert upstream.received[0].value("upgrade") is None
    assert upstream.received[0].target == "/v1/realtime?model=x"


async def test_control_headers_stop_here_and_bad_ones_are_refused(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    headers = [("X-Tersely-Bypass", "true"), ("X-Tersely-Unknown", "1")]
    assert (await chat(proxy, BODY, headers)).value("x-tersely-outcome") == "bypassed"
    assert not [name for name, _ in upstream.received[0].headers if "tersely" in name.lower()]
    refused = await chat(proxy, BODY, [("X-Tersely-Rate", "7")])
    assert refused.status == 400
    assert b'"type":"invalid_request_error"' in refused.body
    assert len(upstream.received) == 1


async def test_response_headers_come_back_whole(proxy: Proxy, upstream: FakeUpstream) -> None:
    headers = [
        ("X-Request-Id", "req_upstream"),
        ("OpenAI-Processing-Ms", "12"),
        ("X-RateLimit-Limit-Requests", "100"),
        ("X-RateLimit-Reset-Tokens", "6m0s"),
        ("Retry-After-Ms", "250"),
        ("X-Should-Retry", "true"),
        ("Set-Cookie", "a=1; Path=/; HttpOnly"),
        ("Set-Cookie", "b=2"),
        ("Server", "upstream/1"),
        ("Date", "Mon, 01 Jan 2029 00:00:00 GMT"),
        ("X-Long", "x" * 60_000),
        ("X-Latin", "caf\xe9"),
        ("X-Tersely-Policy", "of another Tersely"),
    ]
    hops = [
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authenticate", "Basic"),
        ("Upgrade", "h2c"),
    ]

    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, chat_answer(), [*JSON, *headers, *hops])

    upstream.handler = handler
    answer = await chat(proxy, BODY)
    expected = [(name.lower(), value) for name, value in headers[:-1]]
    assert [pair for pair in answer.headers if pair in expected] == expected
    for name in ("x-hop", "keep-alive", "proxy-authenticate", "upgrade"):
        assert answer.values(name) == []
    for name in ("date", "server", "x-tersely-policy"):
        assert len(answer.values(name)) == 1
    assert answer.values("x-tersely-policy") == ["half"]
    assert answer.body == chat_answer()


async def test_many_headers_fit(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, b"", [(f"X-{number}", "v") for number in range(1000)])

    upstream.handler = handler
    answer = await ask(proxy, "GET", "/v1/x")
    assert answer.value("x-999") == "v"


async def test_the_configured_key_takes_the_place_of_the_clients(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(upstream_options={"api_key": "sk-ours"})
    await chat(proxy, BODY, [("Authorization", "Bearer sk-client"), ("X-Api-Key", "sk-client")])
    await ask(proxy, "GET", "/v1/models")
    for request in upstream.received:
        assert request.values("authorization") == ["Bearer sk-ours"]
        assert "sk-client" not in str(request.headers)


async def test_tenants_are_told_apart_by_their_key(proxy: Proxy) -> None:
    for headers in (
        [("Authorization", "Bearer a")],
        [("Authorization", "Bearer b")],
        [("X-Api-Key", "a")],
        [],
    ):
        await ask(proxy, "GET", "/v1/models", headers)
    tenants = [(await proxy.sink.next()).tenant for _ in range(4)]
    assert tenants[0] == f"t-{hashlib.sha256(b'Bearer a').hexdigest()[:12]}"
    assert tenants[3] == "anonymous"
    assert len(set(tenants)) == 4


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_cookie_goes_from_one_client_to_another(
    proxy_server: ProxyServer, upstream: FakeUpstream, host: str
) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, b"", [("Set-Cookie", "session=secret; Path=/")])

    upstream.handler = handler
    base = upstream.base_url.replace("127.0.0.1", host)
    proxy = proxy_server(upstream_options={"base_url": base})
    for _ in range(3):
        answer = await ask(proxy, "GET", "/v1/models")
        assert answer.values("set-cookie") == ["session=secret; Path=/"]
    assert [request.value("cookie") for request in upstream.received] == [None] * 3


async def test_a_malformed_cookie_comes_back_as_it_is(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, b"", [("Set-Cookie", "a b=@@; ;;=x")])

    upstream.handler = handler
    assert (await ask(proxy, "GET", "/v1/x")).values("set-cookie") == ["a b=@@; ;;=x"]


async def test_a_header_no_server_may_send_is_left_out(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        await connection.answer(200, b"fine", [("X-Odd", "a\x01b"), ("X-Even", "b")])

    upstream.handler = handler
    answer = await ask(proxy, "GET", "/v1/x")
    assert answer.body == b"fine"
    assert answer.values("x-odd") == []
    assert answer.values("x-even") == ["b"]
