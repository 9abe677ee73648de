"""`via: litellm` against servers that speak their providers' own protocols."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from policies.types import Route
from proxy.config_upstream import UpstreamConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, FakeUpstream
from tests.integration.providers import (
    anthropic,
    litellm_proxy,
    ollama,
)
from tests.integration.raw_client import Answer, ask
from tests.integration.test_failures import closed_port, own_error
from tests.integration.test_openai_client import CHAT, HALF

ROOT = Path(__file__).parents[2]
TOOLS: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
BODY: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi."}]}


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream) -> Any:
    return partial(litellm_proxy, proxy_server, upstream)


@pytest.fixture
async def client(start: Any) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=start().base_url, api_key="sk-client", max_retries=0) as client:
        yield client


async def post(proxy: Proxy, target: str = "/v1/chat/completions", **members: Any) -> Answer:
    return await ask(proxy, "POST", target, JSON, json.dumps(BODY | members).encode())


def events(answer: Answer) -> list[Any]:
    lines = answer.body.decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


async def test_chat(start: Any, upstream: FakeUpstream) -> None:
    proxy = start()
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client") as client:
        raw = await client.chat.completions.with_raw_response.create(**CHAT)
    answer = raw.parse()
    assert answer.choices[0].message.content == "Hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer._request_id == "req_anthropic"
    assert raw.headers["x-tersely-outcome"] == "compressed"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 15
    (request,) = upstream.received
    assert request.json["messages"][0]["content"] == [{"type": "text", "text": HALF}]
    assert request.json["model"] == "gpt-4o"
    assert request.values("x-api-key") == ["sk-client"]
    assert request.value("authorization") is None
    record = await proxy.sink.next()
    assert (record.upstream, record.model, record.ending) == (
        "provider",
        "gpt-4o",
        Ending.FINISHED,
    )
    assert (record.usage.prompt_tokens, record.usage.cached_tokens) == (15, 3)
    assert record.tokens_saved > 0


async def test_a_plain_answer_has_openais_shape(start: Any) -> None:
    answer = await post(start(), tools=TOOLS)
    body = json.loads(answer.body)
    assert body["object"] == "chat.completion"
    (choice,) = body["choices"]
    assert choice == {
        "index": 0,
        "finish_reason": "tool_calls",
        "logprobs": None,
        "message": {
            "role": "assistant",
            "content": "Hello",
            "refusal": None,
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "f", "arguments": '{"a": 1}'},
                }
            ],
        },
    }


async def test_a_stream(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(**CHAT, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)


async def test_a_stream_with_tools(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(**CHAT, stream=True, tools=TOOLS)
    deltas = [chunk.choices[0].delta async for chunk in stream]
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    assert calls[0].id == "toolu_1"
    assert calls[0].function is not None
    assert calls[0].function.name == "f"
    arguments = "".join((call.function and call.function.arguments) or "" for call in calls)
    assert json.loads(arguments) == {"a": 1}


async def test_usage_comes_exactly_as_asked(start: Any) -> None:
    proxy = start()
    asked = await post(proxy, stream=True, stream_options={"include_usage": True})
    *before, last = events(asked)
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in before)
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 15
    assert (await proxy.sink.next()).usage.completion_tokens == 7
    for options in (None, {"include_usage": False}, {}):
        answer = await post(proxy, stream=True, stream_options=options)
        assert all("usage" not in chunk and chunk["choices"] for chunk in events(answer))
    assert asked.value("content-type") == "text/event-stream; charset=utf-8"


async def test_the_proxys_own_wish_for_usage_is_not_seen(start: Any) -> None:
    proxy = start(usage="ask")
    answer = await post(proxy, stream=True)
    assert all("usage" not in chunk and chunk["choices"] for chunk in events(answer))
    assert (await proxy.sink.next()).usage.prompt_tokens == 15


async def test_parameters_that_the_provider_lacks(start: Any, upstream: FakeUpstream) -> None:
    extra: dict[str, Any] = {"seed": 1, "temperature": 0.5, "metadata": {"a": "b"}, "top_k": 4}
    answer = await post(start(), **extra)
    assert answer.status == 200
    assert answer.value("x-litellm-dropped-params") == "metadata, seed"
    sent = upstream.received[0].json
    assert (sent["temperature"], sent["top_k"]) == (0.5, 4)
    assert not {"seed", "metadata"} & sent.keys()
    answer = await post(start(drop_params=False), seed=1)
    error = own_error_of_provider(answer, 400)
    assert "seed" in error["message"]


def own_error_of_provider(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status == status
    error: dict[str, Any] = json.loads(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize("stream", [False, True])
async def test_ollama(start: Any, upstream: FakeUpstream, stream: bool) -> None:
    proxy = start("ollama_chat/llama3", ollama, auth="none")
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client") as client:
        if stream:
            chunks = await client.chat.completions.create(**CHAT, stream=True)
            text = "".join([c.choices[0].delta.content or "" async for c in chunks])
        else:
            text = (await client.chat.completions.create(**CHAT)).choices[0].message.content or ""
    assert text == "Hello"
    (request,) = upstream.received
    assert request.json["model"] == "llama3"
    assert request.json["messages"][0]["content"] == HALF
    assert "sk-client" not in str(request.headers)


async def test_embeddings(start: Any, upstream: FakeUpstream) -> None:
    proxy = start("ollama/e", ollama)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client") as client:
        answer = await client.embeddings.create(model="e", input="x")
    assert answer.data[0].embedding == [0.5, -0.5]
    assert upstream.received[0].json["input"] == ["x"]


@pytest.mark.parametrize("stream", [False, True])
async def test_completions(start: Any, stream: bool) -> None:
    proxy = start()
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client") as client:
        if stream:
            options: Any = {"include_usage": True}
            chunks = await client.completions.create(
                model="m", prompt="x", stream=True, stream_options=options
            )
            *pieces, last = [chunk async for chunk in chunks]
            text = "".join([chunk.choices[0].text for chunk in pieces])
            assert last.choices == []
            assert last.usage is not None
            assert last.usage.completion_tokens == 7
        else:
            text = (await client.completions.create(model="m", prompt="x")).choices[0].text
    assert text == "Hello"


async def test_it_stands_in_for_an_upstream_that_is_down(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.handler = anthropic
    with closed_port() as port:
        down = UpstreamConfig(base_url=f"http://127.0.0.1:{port}/v1", connect_retries=0)
        spare = UpstreamConfig(
            via="litellm",
            base_url=upstream.base_url.removesuffix("/v1"),
            models={"gpt-4o": "anthropic/claude"},
        )
        proxy = proxy_server(
            upstreams={"a": down, "b": spare},
            routes=[Route(policy="half", upstream=["a", "b"])],
        )
        assert (await post(proxy)).status == 200
        # a model that it does not have leaves the first one's error as it is
        own_error(await post(proxy, model="other"), 502, "upstream_unreachable")
    assert [request.json["model"] for request in upstream.received] == ["claude"]


async def test_it_is_passed_by_where_it_has_not_the_path(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    with closed_port() as port:
        down = UpstreamConfig(base_url=f"http://127.0.0.1:{port}/v1", connect_retries=0)
        spare = UpstreamConfig(via="litellm", models={"*": "anthropic/{model}"})
        proxy = proxy_server(
            upstreams={"a": down, "b": spare},
            routes=[Route(policy="half", upstream=["a", "b"])],
        )
        for path in ("/v1/messages", "/v1/moderations"):
            # what is down may be up again, so the client may try again: no 404
            answer = await post(proxy, path)
            assert (answer.status, (await proxy.sink.next()).upstream) == (502, "a")
    # and where it is the first, another one that has the path is asked
    other = UpstreamConfig(base_url=upstream.base_url)
    proxy = proxy_server(
        upstreams={"b": spare, "c": other},
        routes=[Route(policy="half", upstream=["b", "c"])],
    )
    assert (await post(proxy, "/v1/moderations")).status == 200
    assert [request.target for request in upstream.received] == ["/v1/moderations"]
