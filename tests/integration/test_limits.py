"""Limits on a real server: what is refused, how, and that the count is the provider's own."""

import json
from typing import Any

import openai
import pytest

from proxy.access import digest_of, new_key
from proxy.config import CacheConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    JSON,
    USAGE,
    Connection,
    FakeUpstream,
    Received,
    chat_events,
    well_behaved,
)
from tests.integration.raw_client import Answer, ask, chat, request_bytes

KEY, OTHER = new_key(), new_key()
ASK = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi there."}]}'
STREAM = ASK.replace(b'"model"', b'"stream":true,"stream_options":{"include_usage":true},"model"')
SWAP = [("Authorization", f"Bearer {KEY}")]
USED = USAGE["prompt_tokens"] + USAGE["completion_tokens"]  # type: ignore[operator]


def limited(**limits: int) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "a": {"sha256": digest_of(KEY), "tenant": "team", "limits": limits},
        "b": {"sha256": digest_of(OTHER), "tenant": "team", "limits": limits},
    }
    return {"keys": keys}


def start(proxy_server: ProxyServer, **limits: int) -> Proxy:
    return proxy_server(access=limited(**limits), upstream_options={"api_key": "k"})


def of_limits(answer: Answer) -> dict[str, str]:
    prefix = "x-tersely-ratelimit-"
    return {
        name.removeprefix(prefix): value
        for name, value in answer.headers
        if name.startswith(prefix) and "reset" not in name
    }


async def test_requests_of_a_tenant_are_counted_over_its_keys(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = start(proxy_server, requests_per_minute=2)
    first = await chat(proxy, ASK, SWAP)
    assert of_limits(first) == {"limit-requests": "2", "remaining-requests": "1"}
    other = [("Authorization", f"Bearer {OTHER}")]
    assert (await ask(proxy, "GET", "/v1/models", other)).status == 200
    answer = await chat(proxy, ASK, SWAP)
    assert answer.status == 429
    error = json.loads(answer.body)["error"]
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "requests")
    assert "'team'" in error["message"]
    assert 1 <= int(answer.value("retry-after") or 0) <= 120
    assert of_limits(answer) == {"limit-requests": "2", "remaining-requests": "0"}
    assert len(upstream.received) == 2
    assert [(await proxy.sink.next()).status for _ in range(3)] == [200, 200, 429]
    assert proxy.sink.empty


@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_tokens_are_those_of_the_answer(proxy_server: ProxyServer, body: bytes) -> None:
    proxy = start(proxy_server, tokens_per_minute=10_000, tokens_per_day=20_000)
    assert (await chat(proxy, body, SWAP)).status == 200
    await proxy.sink.next()
    second = of_limits(await ask(proxy, "GET", "/v1/models", SWAP))
    assert second["remaining-tokens"] == str(10_000 - USED)
    assert second["remaining-tokens-day"] == str(20_000 - USED)


async def test_tokens_of_paths_that_are_not_compressed_count_too(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def embed(request: Received, connection: Connection) -> None:
        body = b'{"data":[],"usage":{"prompt_tokens":70,"total_tokens":70}}'
        await connection.answer(200, body, [("Content-Type", "application/json")])

    upstream.handler = embed
    proxy = start(proxy_server, tokens_per_minute=100)
    body = b'{"model":"text-embedding-3-small","input":"x"}'
    assert (await ask(proxy, "POST", "/v1/embeddings", SWAP, body)).status == 200
    assert (await proxy.sink.next()).usage.prompt_tokens == 70
    answer = await ask(proxy, "POST", "/v1/embeddings", SWAP, body)
    assert of_limits(answer)["remaining-tokens"] == "30"
    await proxy.sink.next()
    assert (await ask(proxy, "POST", "/v1/embeddings", SWAP, body)).status == 429
    assert upstream.received[0].body == body


async def remaining(proxy: Proxy) -> int:
    """Return what is left of the day's tokens once the request before has been counted."""
    answer = await ask(proxy, "GET", "/v1/models", SWAP)
    await proxy.sink.next()
    return int(of_limits(answer)["remaining-tokens-day"])


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        (b"", []),
        (b'"stream_options":{"include_usage":false},', []),
        (b"", [("x-tersely-bypass", "true")]),
    ],
    ids=["silent", "declined", "bypass"],
)
async def test_a_stream_tells_its_usage_whatever_the_client_says(
    proxy_server: ProxyServer, upstream: FakeUpstream, options: bytes, headers: Any
) -> None:
    access = limited(tokens_per_day=10_000)
    access["keys"]["a"]["control_headers"] = True
    proxy = proxy_server(access=access, upstream_options={"api_key": "k"})
    body = ASK.replace(b'"model"', options + b'"stream":true,"model"')
    answer = await chat(proxy, body, [*SWAP, *headers])
    assert answer.body == b"".join(chat_events())
    assert upstream.received[0].json["stream_options"]["include_usage"] is True
    await proxy.sink.next()
    assert await remaining(proxy) == 10_000 - USED


async def test_what_was_streamed_counts_where_usage_may_not_be_asked_for(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def speak(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for event in chat_events(["four"] * 500):
            await connection.chunk(event)
        await connection.last_chunk()

    upstream.handler = speak
    proxy = proxy_server(
        access=limited(tokens_per_day=10_000), upstream_options={"api_key": "k", "usage": "never"}
    )
    body = ASK.replace(b'"model"', b'"stream":true,"model"')
    assert (await chat(proxy, body, SWAP)).status == 200
    assert upstream.received[0].body == body
    record = await proxy.sink.next()
    assert record.usage.completion_tokens is None
    assert await remaining(proxy) == 10_000 - 500 - record.report.tokens_sent


async def test_a_stream_that_is_left_counts_as_far_as_it_came(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def speak(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for event in chat_events(["four"] * 100):
            await connection.chunk(event)
        await connection.until_closed()

    upstream.handler = speak
    proxy = start(proxy_server, tokens_per_day=10_000)
    reader, writer = await proxy.connect()
    body = ASK.replace(b'"model"', b'"stream":true,"model"')
    writer.write(request_bytes("POST", "/v1/chat/completions", SWAP, body))
    await soon(reader.readuntil(b'"finish_reason":"stop"'))
    writer.close()
    record = await proxy.sink.next()
    assert record.ending is Ending.CLIENT_GONE
    upstream.handler = well_behaved
    assert await remaining(proxy) == 10_000 - 100 - record.report.tokens_sent


@pytest.mark.parametrize(
    "target", ["/v1/images/generations", "/v1/audio/transcriptions", "/v1/responses/compact"]
)
async def test_usage_is_read_in_either_spelling(
    proxy_server: ProxyServer, upstream: FakeUpstream, target: str
) -> None:
    usage = {"input_tokens": 50, "output_tokens": 4000, "total_tokens": 4050}

    async def answer(request: Received, connection: Connection) -> None:
        # images are long, and their usage stands at the end
        body = json.dumps({"data": [{"b64_json": "A" * 300_000}], "usage": usage}).encode()
        await connection.answer(200, body, JSON)

    upstream.handler = answer
    proxy = start(proxy_server, tokens_per_day=10_000)
    assert (await ask(proxy, "POST", target, SWAP, b'{"model":"m"}')).status == 200
    assert (await proxy.sink.next()).usage.completion_tokens == 4000
    assert await remaining(proxy) == 10_000 - 4050


@pytest.mark.parametrize("target", ["/v1/chat/completions/c_1", "/v1/responses/resp_1"])
async def test_reading_a_stored_answer_uses_nothing(
    proxy_server: ProxyServer, upstream: FakeUpstream, target: str
) -> None:
    async def stored(request: Received, connection: Connection) -> None:
        usage = dict.fromkeys(("prompt_tokens", "input_tokens", "output_tokens"), 70)
        await connection.answer(200, json.dumps({"usage": usage}).encode(), JSON)

    upstream.handler = stored
    proxy = start(proxy_server, tokens_per_day=10_000)
    assert (await ask(proxy, "GET", target, SWAP)).status == 200
    await proxy.sink.next()
    assert await remaining(proxy) == 10_000


@pytest.mark.parametrize("asked", [b'"background":true', b'"background":true,"stream":true'])
async def test_a_background_response_counts_once_when_its_usage_is_told(
    proxy_server: ProxyServer, upstream: FakeUpstream, asked: bytes
) -> None:
    usage: dict[str, int] | None = None

    async def serve(request: Received, connection: Connection) -> None:
        response = {"id": "resp_1", "object": "response", "output": [], "usage": usage}
        if b'"stream"' not in request.body:
            await connection.answer(200, json.dumps(response).encode(), JSON)
            return
        event = {"type": "response.created", "response": response}
        await connection.begin_stream()
        await connection.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")
        connection.drop()

    upstream.handler = serve
    proxy = start(proxy_server, tokens_per_day=10_000)
    body = b'{"model":"gpt-4o","input":"Hi there.",' + asked + b"}"
    await ask(proxy, "POST", "/v1/responses", SWAP, body)
    prompt = (await proxy.sink.next()).report.tokens_sent
    assert await remaining(proxy) == 10_000 - prompt
    await ask(proxy, "GET", "/v1/responses/resp_1", SWAP)  # in progress
    await proxy.sink.next()
    assert await remaining(proxy) == 10_000 - prompt
    usage = {"input_tokens": 50, "output_tokens": 4000}
    for method, target in (
        ("GET", "/v1/responses/resp_1"),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
    ):
        await ask(proxy, method, target, SWAP)
        await proxy.sink.next()
        assert await remaining(proxy) == 10_000 - 4050


async def test_what_the_upstream_refuses_is_given_back(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def busy(request: Received, connection: Connection) -> None:
        await connection.answer(429, b"{}")

    upstream.handler = busy
    proxy = start(proxy_server, tokens_per_minute=10)
    for _ in range(8):
        assert (await chat(proxy, ASK, SWAP)).status == 429
        await proxy.sink.next()
    assert len(upstream.received) == 8


async def test_a_prompt_over_the_limit_is_not_sent(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = start(proxy_server, tokens_per_minute=5)
    answer = await chat(proxy, ASK.replace(b"Hi there.", b"word " * 100), SWAP)
    assert answer.status == 429
    assert b"Request too large" in answer.body
    assert answer.value("retry-after") is None
    assert answer.value("x-should-retry") == "false"
    assert upstream.received == []


async def test_the_prompt_counts_as_it_is_sent(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    """Compressed to a half, it is within a limit that the original is over."""
    text = "alpha beta gamma delta " * 20
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}).encode()
    proxy = start(proxy_server, tokens_per_minute=60)
    answer = await chat(proxy, body, SWAP)
    assert answer.status == 200, answer.body
    assert int(answer.value("x-tersely-tokens-before") or 0) > 60


async def test_without_keys_each_client_is_counted(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(access={"limits": {"requests_per_minute": 1}})
    for key in ("a", "b"):
        assert (await chat(proxy, ASK, [("Authorization", f"Bearer sk-{key}")])).status == 200
    assert (await chat(proxy, ASK, [("Authorization", "Bearer sk-a")])).status == 429
    assert len(upstream.received) == 2


async def test_nothing_is_said_where_there_are_no_limits(proxy: Proxy) -> None:
    assert of_limits(await chat(proxy, ASK)) == {}


async def test_copies_share_their_counts(proxy_server: ProxyServer, valkey_url: str) -> None:
    cache = CacheConfig(url=valkey_url, call_budget_ms=5000)
    access = limited(requests_per_minute=2)
    for key in access["keys"].values():
        key["tenant"] = "of-copies"
    copies = [
        proxy_server(access=access, upstream_options={"api_key": "k"}, cache=cache)
        for _ in range(2)
    ]
    statuses = [(await ask(copies[n % 2], "GET", "/v1/models", SWAP)).status for n in range(4)]
    assert statuses == [200, 200, 429, 429]


async def test_a_dead_redis_does_not_open_the_gate(proxy_server: ProxyServer) -> None:
    cache = CacheConfig(url="redis://127.0.0.1:1", call_budget_ms=50)
    proxy = proxy_server(
        access=limited(requests_per_minute=1), upstream_options={"api_key": "k"}, cache=cache
    )
    statuses = [(await ask(proxy, "GET", "/v1/models", SWAP)).status for _ in range(2)]
    assert statuses == [200, 429]
    ready = json.loads((await ask(proxy, "GET", "/readyz")).body)
    assert ready["degraded"]["limits"].startswith("each copy counts for itself")


async def test_the_official_client_sees_a_rate_limit_error(proxy_server: ProxyServer) -> None:
    proxy = start(proxy_server, requests_per_minute=1)
    async with openai.AsyncOpenAI(base_url=proxy.base_url, api_key=KEY, max_retries=0) as client:
        await client.models.list()
        with pytest.raises(openai.RateLimitError) as caught:
            await client.models.list()
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"]


async def test_compressing_alone_counts_as_a_request(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = start(proxy_server, requests_per_minute=1, tokens_per_minute=1000)
    body = b'{"model":"gpt-4o","text":"one two three","rate":0.5}'
    first = await ask(proxy, "POST", "/v1/compress", SWAP, body)
    assert first.status == 200, first.body
    second = await ask(proxy, "POST", "/v1/compress", SWAP, body)
    assert second.status == 429
    # nothing was billed
    assert of_limits(second)["remaining-tokens"] == "1000"
    assert upstream.received == []
