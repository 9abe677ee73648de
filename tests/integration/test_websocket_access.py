"""Who may open a websocket, with which key, and what its upstream is told."""

import asyncio
import json
from typing import Any

import openai
import pytest

from policies.types import Match, Route
from proxy.access import digest_of, new_key
from proxy.config_upstream import UpstreamConfig
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import FakeUpstream, Received
from tests.integration.fake_websocket import FakeSocket, accepting, echo, open_socket, refusal

KEY, OTHER = new_key(), new_key()
ACCESS = {
    "keys": {
        "all": {"sha256": digest_of(KEY), "tenant": "team"},
        "some": {"sha256": digest_of(OTHER), "models": ["gpt-realtime*"]},
    }
}
OWN = {"api_key": "sk-own"}
TARGET = "/v1/realtime?model=gpt-realtime"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def offered(request: Received) -> list[str]:
    return [name.strip() for name in (request.value("sec-websocket-protocol") or "").split(",")]


def chosen(options: dict[str, Any]) -> str | None:
    return "realtime" if "subprotocols" in options else None


async def opened(proxy: Proxy, target: str = TARGET, **options: Any) -> None:
    async with open_socket(proxy, target, **options) as socket:
        await socket.send("x")
        assert await soon(socket.recv()) == "x"


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": bearer(KEY)},
        {"additional_headers": {"api-key": KEY}},
        {"subprotocols": ["realtime", f"openai-insecure-api-key.{KEY}", "beta"]},
    ],
)
async def test_a_swap_sends_the_upstreams_key(
    proxy_server: ProxyServer, upstream: FakeUpstream, options: dict[str, Any]
) -> None:
    upstream.handler = accepting(
        echo, subprotocol="realtime" if "subprotocols" in options else None
    )
    proxy = proxy_server(access=ACCESS, upstream_options=OWN)
    await opened(proxy, **options)
    (request,) = upstream.received
    assert request.values("authorization") == ["Bearer sk-own"]
    assert request.value("api-key") is None
    assert offered(request) == (["realtime", "beta"] if "subprotocols" in options else [""])
    assert KEY not in str(request)
    record = await proxy.sink.next()
    assert (record.tenant, record.model) == ("team", "gpt-realtime")


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"additional_headers": bearer("sk-client")}, ("Bearer sk-client", [""])),
        (
            {"subprotocols": ["realtime", "openai-insecure-api-key.sk-client"]},
            (None, ["realtime", "openai-insecure-api-key.sk-client"]),
        ),
    ],
)
async def test_a_pass_through_leaves_the_clients_key_alone(
    proxy_server: ProxyServer, upstream: FakeUpstream, options: dict[str, Any], sent: Any
) -> None:
    upstream.handler = accepting(
        echo, subprotocol="realtime" if "subprotocols" in options else None
    )
    proxy = proxy_server(access=ACCESS)
    headers = options.pop("additional_headers", {}) | {"x-tersely-key": KEY}
    await opened(proxy, additional_headers=headers, **options)
    (request,) = upstream.received
    assert (request.value("authorization"), offered(request)) == sent
    assert "tsly_" not in str(request)


async def test_an_own_key_replaces_the_clients_in_every_place(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.handler = accepting(echo, subprotocol="realtime")
    proxy = proxy_server(upstream_options=OWN)
    subprotocols = ["realtime", "openai-insecure-api-key.sk-client"]
    await opened(proxy, f"{TARGET}&api-key=sk-client&x=1", subprotocols=subprotocols)
    (request,) = upstream.received
    assert "sk-client" not in str(request)
    assert request.target == f"{TARGET}&x=1"


@pytest.mark.parametrize(
    ("target", "options", "status", "code"),
    [
        (TARGET, {}, 401, "invalid_api_key"),
        (TARGET, {"additional_headers": bearer("tsly_unknown")}, 401, "invalid_api_key"),
        (
            TARGET,
            {"subprotocols": ["realtime", f"openai-insecure-api-key.{KEY[:-1]}"]},
            401,
            "invalid_api_key",
        ),
        (
            TARGET,
            {
                "subprotocols": [f"openai-insecure-api-key.{KEY}"],
                "additional_headers": {"x-tersely-key": KEY},
            },
            401,
            "invalid_api_key",
        ),
        (
            TARGET,
            {
                "subprotocols": [f"openai-insecure-api-key.{OTHER}"],
                "additional_headers": bearer(KEY),
            },
            400,
            "misplaced_proxy_key",
        ),
        (
            TARGET,
            {"subprotocols": [KEY], "additional_headers": bearer(KEY)},
            400,
            "misplaced_proxy_key",
        ),
        pytest.param(
            f"{TARGET}&api-key={KEY}",
            {"additional_headers": bearer(KEY)},
            *(400, "misplaced_proxy_key"),
            id="key_in_the_query",
        ),
        (
            "/v1/realtime?model=gpt-4o",
            {"additional_headers": bearer(OTHER)},
            403,
            "model_not_allowed",
        ),
        (
            f"{TARGET}&deployment=gpt-4o",
            {"additional_headers": bearer(OTHER)},
            403,
            "model_not_allowed",
        ),
        ("/v1/realtime", {"additional_headers": bearer(OTHER)}, 403, "model_not_known"),
        (
            TARGET,
            {"additional_headers": bearer(KEY) | {"x-tersely-bypass": "true"}},
            403,
            "control_header_not_allowed",
        ),
    ],
)
async def test_what_is_refused(
    proxy_server: ProxyServer,
    upstream: FakeUpstream,
    target: str,
    options: dict[str, Any],
    status: int,
    code: str,
) -> None:
    proxy = proxy_server(access=ACCESS, upstream_options=OWN)
    answer = await refusal(proxy, target, **options)
    assert (answer.status_code, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert upstream.received == []
    assert (await proxy.sink.next()).status == status
    assert proxy.sink.empty


async def test_a_model_that_is_allowed(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    upstream.handler = accepting(echo)
    proxy = proxy_server(access=ACCESS, upstream_options=OWN)
    await opened(proxy, additional_headers=bearer(OTHER))


async def test_a_swap_needs_a_key_of_the_upstreams(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(access=ACCESS)
    answer = await refusal(proxy, additional_headers=bearer(KEY))
    assert answer.status_code == 403
    assert b'"code":"provider_key_required"' in answer.body
    assert upstream.received == []


@pytest.mark.parametrize(
    ("origin", "own", "keys", "allowed"),
    [
        ("https://evil.example", True, False, False),
        ("null", True, False, False),
        ("http://[", True, False, False),
        ("http://localhost.evil.example", True, False, False),
        ("http://localhost:3000", True, False, True),
        ("http://127.0.0.1:5173", True, False, True),
        ("https://app.example", False, False, True),  # it has to bring a key of its own
        ("https://app.example", True, True, True),
    ],
)
async def test_web_pages_from_elsewhere(
    proxy_server: ProxyServer,
    upstream: FakeUpstream,
    origin: str,
    own: bool,
    keys: bool,
    allowed: bool,
) -> None:
    upstream.handler = accepting(echo)
    proxy = proxy_server(upstream_options=OWN if own else {}, access=ACCESS if keys else {})
    headers = (bearer(KEY) if keys else bearer("sk-dummy")) | {"Origin": origin}
    if allowed:
        await opened(proxy, additional_headers=headers)
        assert upstream.received[0].value("origin") == origin
    else:
        answer = await refusal(proxy, additional_headers=headers)
        assert answer.status_code == 403
        assert b'"code":"origin_not_allowed"' in answer.body
        assert upstream.received == []


DONE = {
    "type": "response.done",
    "response": {
        "object": "realtime.response",
        "usage": {
            "total_tokens": 130,
            "input_tokens": 100,
            "output_tokens": 30,
            "input_token_details": {"cached_tokens": 64},
        },
    },
}


async def test_usage_is_read_and_counts_at_once(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def play(socket: FakeSocket) -> None:
        await socket.send(json.dumps({"type": "response.text.delta", "delta": "response.done"}))
        await socket.send(json.dumps(DONE))
        await socket.send(b'{"type":"response.done"}')
        await socket.send(json.dumps(DONE))
        await socket.until_closed()

    upstream.handler = accepting(play)
    limits = {"tokens_per_minute": 200, "requests_per_minute": 3}
    proxy = proxy_server(access={"limits": limits})
    async with open_socket(proxy) as socket:
        response = socket.response
        assert response is not None
        assert response.headers["x-tersely-ratelimit-remaining-requests"] == "2"
        for _ in range(4):
            await soon(socket.recv())
        answer = await refusal(proxy)  # while the first is still open
        assert (answer.status_code, answer.headers["x-tersely-ratelimit-remaining-tokens"]) == (
            429,
            "0",
        )
        assert int(answer.headers["retry-after"]) > 0
        assert (await proxy.sink.next()).status == 429
    record = await proxy.sink.next()
    usage = record.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (200, 60, 128)


async def sees_a_session(socket: FakeSocket) -> None:
    """Do as the realtime API does, as far as the official client looks."""
    await socket.send(json.dumps({"type": "session.created", "event_id": "e1", "session": {}}))
    while isinstance(message := await socket.receive(), str):
        event = json.loads(message)
        if event["type"] == "response.create":
            delta = {"type": "response.output_text.delta", "delta": "Hi", "event_id": "e2"}
            await socket.send(json.dumps(delta))
            await socket.send(json.dumps(DONE | {"event_id": "e3"}))


async def converse(client: openai.AsyncOpenAI, model: str) -> list[str]:
    async with asyncio.timeout(60):  # its types take seconds to build, once
        return await conversed(client, model)


async def conversed(client: openai.AsyncOpenAI, model: str) -> list[str]:
    seen = []
    options = {"proxy": None}
    async with client.realtime.connect(
        model=model,
        websocket_connection_options=options,  # type: ignore[arg-type]
    ) as connection:
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        await connection.response.create()
        async for event in connection:
            seen.append(event.type)
            if event.type == "response.done":
                break
    return seen


async def test_the_official_client(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    upstream.handler = accepting(sees_a_session)
    proxy = proxy_server()
    async with openai.AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client") as client:
        seen = await converse(client, "gpt-realtime")
    assert seen == ["session.created", "response.output_text.delta", "response.done"]
    (request,) = upstream.received
    assert request.target == TARGET
    assert request.value("authorization") == "Bearer sk-client"
    record = await proxy.sink.next()
    assert (record.usage.prompt_tokens, record.status) == (100, 101)


async def test_the_official_client_of_the_responses_api(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    asked: list[Any] = []
    done: dict[str, Any] = {
        "type": "response.completed",
        "sequence_number": 1,
        "response": {"id": "resp_1", "usage": {"input_tokens": 8, "output_tokens": 2}},
    }

    async def play(socket: FakeSocket) -> None:
        asked.append(await socket.receive())
        await socket.send(json.dumps(done))
        await socket.until_closed()

    upstream.handler = accepting(play)
    proxy = proxy_server()
    async with (
        openai.AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client") as client,
        asyncio.timeout(60),
        client.responses.connect(
            websocket_connection_options={"proxy": None}  # type: ignore[typeddict-unknown-key]
        ) as connection,
    ):
        await connection.response.create(model="gpt-5-mini", input="Hi.")
        event = await connection.recv()
    assert event.type == "response.completed"
    assert upstream.received[0].target == "/v1/responses"
    assert json.loads(asked[0])["model"] == "gpt-5-mini"
    record = await proxy.sink.next()
    assert (record.path, record.usage.prompt_tokens, record.tokens_saved) == ("/v1/responses", 8, 0)


def azure_upstream(upstream: FakeUpstream, **options: Any) -> UpstreamConfig:
    base_url = upstream.base_url.removesuffix("/v1")
    return UpstreamConfig(via="azure", base_url=base_url, api_version="2024-10-01", **options)


@pytest.mark.parametrize("to_azure", [True, False])
async def test_the_official_client_of_azure(
    proxy_server: ProxyServer, upstream: FakeUpstream, to_azure: bool
) -> None:
    upstream.handler = accepting(sees_a_session)
    proxy = proxy_server(
        upstreams={"azure": azure_upstream(upstream)},
        routes=[Route(match=Match(), policy="off", upstream="azure")] if to_azure else [],
        upstream_options={"auth": "bearer", "models": {"my-realtime": "gpt-realtime"}},
    )
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=proxy.root,
        websocket_base_url=f"ws://127.0.0.1:{proxy.port}/openai",  # it would take wss:// else
        api_key="az-client",
        api_version="2025-04-01",
    ) as client:
        assert (await converse(client, "my-realtime"))[-1] == "response.done"
    (request,) = upstream.received
    if to_azure:
        assert request.target == ("/openai/realtime?api-version=2025-04-01&deployment=my-realtime")
        assert request.value("api-key") == "az-client"
    else:
        assert request.target == "/v1/realtime?model=gpt-realtime"
        assert request.value("authorization") == "Bearer az-client"
    assert (await proxy.sink.next()).model == "my-realtime"


async def test_openai_client_to_azure(proxy_server: ProxyServer, upstream: FakeUpstream) -> None:
    upstream.handler = accepting(echo)
    config = azure_upstream(upstream, models={"gpt-*": "my deploy"}, api_key="az-own")
    route = Route(match=Match(model="gpt-realtime"), policy="off", upstream="azure")
    proxy = proxy_server(upstreams={"azure": config}, routes=[route])
    await opened(proxy, f"{TARGET}&x=%20", additional_headers=bearer("sk-client"))
    (request,) = upstream.received
    target = "/openai/realtime?deployment=my%20deploy&x=%20&api-version=2024-10-01"
    assert request.target == target
    assert request.value("api-key") == "az-own"
    assert request.value("authorization") is None
