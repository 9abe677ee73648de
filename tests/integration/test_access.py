"""Proxy keys on a real server: who is let in, and that no proxy key ever reaches an upstream."""

import json
from typing import Any

import anthropic
import openai
import pytest

from policies.types import Match, Route
from proxy.access import digest_of, new_key
from proxy.config_upstream import Auth, UpstreamConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.raw_client import Answer, ask, chat

KEY = new_key()
BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
SWAP = [("Authorization", f"Bearer {KEY}")]
PASS = [("X-Tersely-Key", KEY), ("Authorization", "Bearer sk-own")]


def keys(**options: Any) -> dict[str, Any]:
    return {"keys": {"ci": {"sha256": digest_of(KEY), "tenant": "team-a"} | options}}


@pytest.fixture
def proxy(proxy_server: ProxyServer) -> Proxy:
    """One with a key, whose upstream has a key of its own."""
    return proxy_server(access=keys(), upstream_options={"api_key": "sk-ours"})


def error_of(answer: Answer, status: int, code: str) -> dict[str, Any]:
    assert answer.status == status, answer.body
    error: dict[str, Any] = json.loads(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert KEY.encode() not in answer.body
    return error


def assert_key_stayed(upstream: FakeUpstream) -> None:
    for request in upstream.received:
        assert KEY not in request.target
        assert not any(KEY in value for _, value in request.headers)
        assert request.value("x-tersely-key") is None


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key", "Api-Key"])
async def test_a_swap_sends_the_upstreams_key_instead(
    proxy: Proxy, upstream: FakeUpstream, header: str
) -> None:
    value = f"Bearer {KEY}" if header == "Authorization" else KEY
    assert (await chat(proxy, BODY, [(header, value)])).status == 200
    assert upstream.received[0].values("authorization") == ["Bearer sk-ours"]
    assert_key_stayed(upstream)
    record = await proxy.sink.next()
    assert record.tenant == "team-a"


async def test_a_pass_through_leaves_the_clients_key_alone(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(access=keys())
    assert (await chat(proxy, BODY, PASS)).status == 200
    assert upstream.received[0].values("authorization") == ["Bearer sk-own"]
    assert_key_stayed(upstream)


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/embeddings", "/v1/files"])
async def test_an_upstream_without_a_key_is_sent_no_proxy_key(
    proxy_server: ProxyServer, upstream: FakeUpstream, target: str
) -> None:
    proxy = proxy_server(access=keys())
    error = error_of(await ask(proxy, "POST", target, SWAP, BODY), 403, "provider_key_required")
    assert "x-tersely-key" in error["message"]
    assert upstream.received == []
    assert (await proxy.sink.next()).ending is Ending.REFUSED


async def test_an_upstream_that_wants_no_key_gets_none(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(access=keys(), upstream_options={"auth": Auth.NONE})
    assert (await chat(proxy, BODY, SWAP)).status == 200
    assert upstream.received[0].value("authorization") is None


async def test_a_fallback_without_a_key_is_passed_over(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    other = UpstreamConfig(base_url=upstream.base_url)
    route = Route(match=Match(), policy="half", upstream=["main", "other"], fallback_on=["503"])
    proxy = proxy_server(
        access=keys(),
        upstream_options={"api_key": "sk-ours"},
        upstreams={"other": other},
        routes=[route],
    )

    async def busy(request: Any, connection: Any) -> None:
        await connection.answer(503, b"{}")

    upstream.handler = busy
    assert (await chat(proxy, BODY, SWAP)).status == 503
    assert len(upstream.received) == 1
    assert_key_stayed(upstream)


@pytest.mark.parametrize(
    "target", ["/v1/chat/completions", "/v1/models", "/v1/compress", "/v1/anything/else"]
)
@pytest.mark.parametrize("headers", [[], [("Authorization", "Bearer sk-own")]])
async def test_without_a_key_nothing_goes_on(
    proxy: Proxy, upstream: FakeUpstream, target: str, headers: list[tuple[str, str]]
) -> None:
    answer = await ask(proxy, "POST", target, headers, BODY)
    error = error_of(answer, 401, "invalid_api_key")
    assert error["type"] == "invalid_request_error"
    assert answer.value("www-authenticate") == 'Bearer realm="tersely"'
    assert upstream.received == []
    record = await proxy.sink.next()
    assert (record.tenant, record.ending, record.status) == ("unauthenticated", "refused", 401)
    assert proxy.sink.empty


async def test_azures_urls_ask_for_a_key_too(proxy: Proxy, upstream: FakeUpstream) -> None:
    target = "/openai/deployments/gpt-4o/chat/completions?api-version=1"
    error_of(await ask(proxy, "POST", target, [], BODY), 401, "invalid_api_key")
    answer = await ask(proxy, "POST", target, [("api-key", KEY)], BODY)
    assert answer.status == 200
    assert_key_stayed(upstream)


async def test_a_key_in_the_query_does_not_leave(proxy: Proxy, upstream: FakeUpstream) -> None:
    answer = await ask(proxy, "GET", f"/v1/models?api_key={KEY}", SWAP)
    error_of(answer, 400, "misplaced_proxy_key")
    assert upstream.received == []


async def test_probes_stay_open(proxy: Proxy) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = await ask(proxy, "GET", path)
        assert answer.status in (200, 503)
        assert b"team-a" not in answer.body


async def test_control_headers_need_a_key_that_may_send_them(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    bypass = [*SWAP, ("x-tersely-bypass", "true")]
    strict = proxy_server(access=keys(), upstream_options={"api_key": "k"})
    error_of(await chat(strict, BODY, bypass), 403, "control_header_not_allowed")
    free = proxy_server(access=keys(control_headers=True), upstream_options={"api_key": "k"})
    answer = await chat(free, BODY, bypass)
    assert answer.value("x-tersely-outcome") == "bypassed"
    assert len(upstream.received) == 1


async def test_policies_of_a_key(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    proxy = proxy_server(
        access=keys(control_headers=True, policies=["half"]), upstream_options={"api_key": "k"}
    )
    assert (await chat(proxy, BODY, SWAP)).status == 200
    for header in (("x-tersely-policy", "shadow"), ("x-tersely-bypass", "true")):
        error_of(await chat(proxy, BODY, [*SWAP, header]), 403, "policy_not_allowed")
    assert len(upstream.received) == 1
    assert proxy.compressor.calls == []  # refused before anything was compressed


async def test_anthropics_clients_are_refused_in_their_own_shape(proxy: Proxy) -> None:
    answer = await ask(proxy, "POST", "/v1/messages", [("x-api-key", "sk-ant")], BODY)
    assert answer.status == 401
    error = json.loads(answer.body)
    assert (error["type"], error["error"]["type"]) == ("error", "authentication_error")


class TestModels:
    @pytest.fixture
    def proxy(self, proxy_server: ProxyServer) -> Proxy:
        return proxy_server(
            access=keys(models=["gpt-4o*", "text-embedding-*"]),
            upstream_options={"api_key": "k"},
            server={"max_parse_bytes": 2000},
        )

    @pytest.mark.parametrize(
        ("method", "target", "body"),
        [
            ("POST", "/v1/chat/completions", BODY),
            ("POST", "/v1/embeddings", b'{"model":"text-embedding-3-small","input":"x"}'),
            ("POST", "/v1/chat/completions", BODY.replace(b"gpt-4o", b"openai/gpt-4o-mini")),
            ("GET", "/v1/models", None),
            ("POST", "/v1/files", b"x" * 5000),
            ("POST", "/v1/responses/r_1/cancel", None),
        ],
    )
    async def test_allowed(
        self, proxy: Proxy, upstream: FakeUpstream, method: str, target: str, body: bytes | None
    ) -> None:
        answer = await ask(proxy, method, target, SWAP, body)
        assert answer.status == 200
        assert upstream.received[0].body == (body or b"")

    @pytest.mark.parametrize(
        ("method", "target", "body", "code"),
        [
            (
                "POST",
                "/v1/chat/completions",
                BODY.replace(b"gpt-4o", b"gpt-5"),
                "model_not_allowed",
            ),
            ("POST", "/v1/embeddings", b'{"model":"other"}', "model_not_allowed"),
            ("POST", "/v1/embeddings", b'{"model":"gpt-4o","model":"o1"}', "model_not_known"),
            (
                "POST",
                "/v1/responses",
                b'{"model":"gpt-4o","tools":[{"type":"image_generation","model":"gpt-image-1"}]}',
                "model_not_allowed",
            ),
            ("POST", "/v1/embeddings", b'{"input":"x"}', "model_not_known"),
            ("POST", "/v1/chat/completions", b'{"model":"gpt-4o"', "model_not_known"),
            (
                "POST",
                "/v1/chat/completions",
                BODY.replace(b"Hi.", b"x" * 3000),
                "model_not_known",
            ),
            (
                "POST",
                "/v1/embeddings",
                b'{"model":"gpt-4o","a":"' + b"x" * 3000 + b'"}',
                "model_not_known",
            ),
            ("POST", "/v1/batches", b'{"input_file_id":"f"}', "model_not_known"),
            ("GET", "/v1/realtime?model=gpt-realtime", None, "model_not_allowed"),
            (
                "POST",
                "/openai/deployments/gpt-5/chat/completions",
                BODY,
                "model_not_allowed",
            ),
        ],
    )
    async def test_refused(
        self,
        proxy: Proxy,
        upstream: FakeUpstream,
        method: str,
        target: str,
        body: bytes | None,
        code: str,
    ) -> None:
        answer = await ask(proxy, method, target, SWAP, body)
        assert error_of(answer, 403, code)["param"] == "model"
        assert upstream.received == []

    async def test_a_large_chunked_body_is_refused(
        self, proxy: Proxy, upstream: FakeUpstream
    ) -> None:
        piece = b'{"model":"gpt-4o","x":"' + b"x" * 3000
        request = (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Authorization: Bearer " + KEY.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'%x\r\n%b\r\n2\r\n"}\r\n0\r\n\r\n' % (len(piece), piece)
        )
        assert b"model_not_known" in await proxy.raw(request)
        assert upstream.received == []


async def test_the_official_clients_see_their_own_error(proxy: Proxy) -> None:
    async with openai.AsyncOpenAI(
        base_url=proxy.base_url, api_key="sk-wrong", max_retries=0
    ) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.models.list()
        assert caught.value.code == "invalid_api_key"
    async with anthropic.AsyncAnthropic(
        base_url=proxy.root, api_key="sk-wrong", max_retries=0
    ) as other:
        with pytest.raises(anthropic.AuthenticationError):
            await other.messages.create(
                model="claude", max_tokens=5, messages=[{"role": "user", "content": "Hi."}]
            )


async def test_the_official_client_works_both_ways(
    proxy: Proxy, proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    messages: Any = [{"role": "user", "content": "Hi."}]
    async with openai.AsyncOpenAI(base_url=proxy.base_url, api_key=KEY) as client:
        answer = await client.chat.completions.create(model="gpt-4o", messages=messages)
        assert answer.choices[0].message.content == "Hello there."
    second = proxy_server(access=keys())
    async with openai.AsyncOpenAI(
        base_url=second.base_url, api_key="sk-own", default_headers={"x-tersely-key": KEY}
    ) as client:
        await client.chat.completions.create(model="gpt-4o", messages=messages)
    assert [request.value("authorization") for request in upstream.received] == [
        "Bearer sk-ours",
        "Bearer sk-own",
    ]
    assert_key_stayed(upstream)
