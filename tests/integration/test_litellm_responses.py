"""The Responses API at a provider that has none, through litellm, by openai's client."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anthropic as sdk
import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from proxy.savings import Ending
from tests.integration.conftest import ProxyServer, soon
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Handler,
    Received,
    well_behaved,
)
from tests.integration.providers import (
    anthropic_error,
    anthropic_event,
    anthropic_message,
    anthropic_stream,
    litellm_proxy,
    ollama,
)
from tests.integration.sdk_clients import HALF, LONG, SAVED, one_record, records

ASKED: dict[str, Any] = {"model": "gpt-4o", "input": LONG, "instructions": "Be brief."}
TOOL: Any = {
    "type": "function",
    "name": "f",
    "strict": False,
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
}
CALL = {"type": "function_call", "call_id": "toolu_1", "name": "g", "arguments": '{"b": 2}'}
RESULT = {"type": "function_call_output", "call_id": "toolu_1", "output": LONG}


class Found(BaseModel):
    a: int


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream) -> Any:
    return partial(litellm_proxy, proxy_server, upstream)


@asynccontextmanager
async def client_of(proxy: Any) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
        yield client


async def test_a_response(start: Any, upstream: FakeUpstream) -> None:
    proxy = start()
    async with client_of(proxy) as client:
        raw = await client.responses.with_raw_response.create(
            **ASKED, temperature=0.5, max_output_tokens=50, store=False, background=False
        )
    answer = raw.parse()
    assert (answer.output_text, answer.status, answer.model) == (
        "Hello",
        "completed",
        "claude-test",
    )
    assert answer.id.startswith("resp_")
    assert (answer.instructions, answer.temperature) == ("Be brief.", 0.5)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (15, 7)
    assert answer.usage.input_tokens_details.cached_tokens == 3
    assert raw.headers["x-litellm-dropped-params"] == "store"
    assert raw.headers["x-tersely-outcome"] == "compressed"
    assert answer._request_id == "req_anthropic"
    (request,) = upstream.received
    assert request.json["system"] == [{"type": "text", "text": "Be brief."}]
    assert request.json["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": HALF}]}
    ]
    assert (request.json["temperature"], request.json["max_tokens"]) == (0.5, 50)
    assert request.values("x-api-key") == ["sk-x"]
    record = await one_record(proxy)
    assert (record.path, record.tokens_saved) == ("/v1/responses", SAVED)
    assert (record.usage.prompt_tokens, record.usage.cached_tokens) == (15, 3)


async def test_a_stream_with_text_and_a_tool_call(start: Any, upstream: FakeUpstream) -> None:
    proxy = start()
    async with (
        client_of(proxy) as client,
        client.responses.stream(**ASKED, tools=[TOOL]) as stream,
    ):
        events: list[Any] = [event async for event in stream]
        final = await stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_item.done") == 2
    text = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert text == ["Hel", "lo"]
    ids = {event.response.id for event in events if hasattr(event, "response")}
    assert ids == {final.id}
    assert final.id.startswith("resp_")
    assert final.output_text == "Hello"
    [call] = [item for item in final.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments), call.call_id) == ("f", {"a": 1}, "toolu_1")
    assert upstream.received[0].json["tools"][0]["name"] == "f"
    record = await one_record(proxy)
    assert (record.stream, record.usage.prompt_tokens, record.usage.completion_tokens) == (
        True,
        15,
        7,
    )


async def test_a_tools_round_trip_sees_no_other_clients_calls(
    start: Any, upstream: FakeUpstream
) -> None:
    proxy = start()
    async with client_of(proxy) as client:
        await client.responses.create(**ASKED, tools=[TOOL])  # f is called, as toolu_1
    transformation = sys.modules[
        "litellm.responses.litellm_completion_transformation.transformation"
    ]
    assert transformation.TOOL_CALLS_CACHE.get_cache(key="toolu_1") is None
    history: Any = [{"role": "user", "content": LONG}, CALL, RESULT]
    async with client_of(proxy) as client:
        await client.responses.create(model="gpt-4o", input=history)
    asked, called, told = upstream.received[1].json["messages"]
    assert asked["content"] == [{"type": "text", "text": HALF}]
    assert called["content"] == [
        {"type": "tool_use", "id": "toolu_1", "name": "g", "input": {"b": 2}}
    ]
    [result] = told["content"]
    assert (result["tool_use_id"], result["content"]) == ("toolu_1", HALF)
    assert [record.tokens_saved for record in await records(proxy, 2)] == [SAVED, 2 * SAVED]


async def test_structured_output(start: Any) -> None:
    async with client_of(start()) as client:
        answer = await client.responses.parse(**ASKED, text_format=Found)
    assert answer.output_parsed == Found(a=1)


@pytest.mark.parametrize("stream", [False, True])
async def test_another_provider(start: Any, upstream: FakeUpstream, stream: bool) -> None:
    proxy = start("ollama_chat/llama3", ollama, auth="none")
    async with client_of(proxy) as client:
        answer = await client.responses.create(**ASKED, stream=stream)
        if stream:
            texts = [e.delta async for e in answer if e.type == "response.output_text.delta"]
            assert texts == ["Hel", "lo"]
        else:
            assert answer.output_text == "Hello"
    assert upstream.received[0].json["messages"][1]["content"] == HALF


CUSTOM: Any = {"type": "custom", "name": "f", "description": "Runs a program."}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}
CUSTOM_CALL = {"type": "custom_tool_call", "call_id": "toolu_1", "name": "f", "input": "print(1)"}
CUSTOM_RESULT = {"type": "custom_tool_call_output", "call_id": "toolu_1", "output": LONG}


async def freeform(request: Received, connection: Connection) -> None:
    """Call the tool with a text, as a custom tool's function is called."""
    arguments = {"content": "print(1)"}
    if request.json.get("stream"):
        await connection.begin_stream()
        for event in anthropic_stream("Hel", tool="f", arguments=json.dumps(arguments)):
            await connection.chunk(event)
        await connection.last_chunk()
        return
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": arguments}
    await connection.answer(200, anthropic_message(call, stop="tool_use"), JSON)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_custom_tool(start: Any, upstream: FakeUpstream, stream: bool) -> None:
    proxy = start(handler=freeform)
    tools: Any = [CUSTOM | {"format": GRAMMAR}]
    history: Any = [{"role": "user", "content": "Hi."}, CUSTOM_CALL, CUSTOM_RESULT]
    options: Any = {
        "input": history,
        "tools": tools,
        "tool_choice": {"type": "custom", "name": "f"},
    }
    async with client_of(proxy) as client:
        if stream:
            async with client.responses.stream(model="gpt-4o", **options) as events:
                kinds = [event.type async for event in events]
                answer: Any = await events.get_final_response()
            assert "response.custom_tool_call_input.done" in kinds
            assert not [kind for kind in kinds if "function_call" in kind]
        else:
            raw = await client.responses.with_raw_response.create(model="gpt-4o", **options)
            answer = raw.parse()
            assert raw.headers["x-litellm-dropped-params"] == "tools.format"
    [call] = [item for item in answer.output if item.type != "message"]
    assert (call.type, call.call_id, call.name, call.input) == (
        "custom_tool_call",
        "toolu_1",
        "f",
        "print(1)",
    )
    (request,) = upstream.received
    [tool] = request.json["tools"]
    assert tool["name"] == "f"
    assert GRAMMAR["definition"] in tool["description"]
    assert request.json["tool_choice"] == {"type": "tool", "name": "f"}
    _, called, told = request.json["messages"]
    assert called["content"][0]["input"] == {"content": "print(1)"}
    assert told["content"][0]["content"] == HALF


async def test_parameters_that_leave_the_answer_as_it_is(
    start: Any, upstream: FakeUpstream
) -> None:
    extra: dict[str, Any] = {
        "context_management": [{"type": "compaction"}],
        "max_tool_calls": 2,
        "prompt_cache_options": {"mode": "explicit"},
        "prompt_cache_retention": "24h",
        "service_tier": "auto",
        "top_logprobs": 2,
    }
    async with client_of(start()) as client:
        raw = await client.responses.with_raw_response.create(
            model="gpt-4o", input="Hi.", extra_body=extra
        )
    assert raw.parse().output_text == "Hello"
    assert set(raw.headers["x-litellm-dropped-params"].split(", ")) == set(extra)
    assert not extra.keys() & upstream.received[0].json.keys()


async def test_the_tier_of_service_goes_on_where_there_are_tiers(
    start: Any, upstream: FakeUpstream
) -> None:
    proxy = start("openai/{model}", well_behaved, base_url=upstream.base_url)
    async with client_of(proxy) as client:
        await client.responses.create(model="gpt-4o", input="Hi.", service_tier="flex")
    assert upstream.received[0].json["service_tier"] == "flex"


PICTURE = {"type": "input_image", "image_url": "http://127.0.0.1:1/x.png"}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": "resp_0"}, "previous_response_id"),
        ({"conversation": "conv_0"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_0"}}, "prompt"),
        ({"moderation": {"model": "omni-moderation-latest"}}, "moderation"),
        ({"input": [CUSTOM_RESULT]}, "input"),
        ({"input": [{"type": "item_reference", "id": "msg_0"}]}, "input"),
        ({"input": [RESULT]}, "input"),
        ({"input": [RESULT, CALL]}, "input"),
        ({"input": ["text"]}, "input"),
        ({"input": 7}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input"),
        ({"input": [{"role": "user", "content": [PICTURE]}]}, "messages"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "messages",
        ),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "http://x"}]}, "tools"),
        ({"api_base": "http://127.0.0.1:1"}, "api_base"),
        ({"custom_llm_provider": "openai"}, "custom_llm_provider"),
    ],
)
async def test_what_is_refused(
    start: Any, upstream: FakeUpstream, members: dict[str, Any], param: str
) -> None:
    proxy = start()
    async with client_of(proxy) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="gpt-4o", input="x", extra_body=members)
    assert caught.value.param == param
    assert upstream.received == []
    assert (await proxy.sink.next()).ending is Ending.REFUSED


@pytest.mark.parametrize("stream", [False, True])
async def test_a_providers_refusal(start: Any, upstream: FakeUpstream, stream: bool) -> None:
    busy = anthropic_error(429, "rate_limit_error", "theirs", ("retry-after", "7"))
    proxy = start(handler=busy)
    async with client_of(proxy) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.responses.create(**ASKED, stream=stream)
    assert (caught.value.code, caught.value.request_id) == ("rate_limit_exceeded", "req_err")
    assert caught.value.response.headers["retry-after"] == "7"
    assert len(upstream.received) == 1
    [record] = await records(proxy)
    assert (record.ending, record.status) == (Ending.FINISHED, 429)


def breaking(ending: str) -> Handler:
    async def handle(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for event in list(anthropic_stream("Hel"))[:4]:
            await connection.chunk(event)
        if ending == "error":
            error = {"type": "overloaded_error", "message": "Overloaded"}
            await connection.chunk(anthropic_event("error", error=error))
        if ending != "cut":
            await connection.until_closed()
        connection.drop()

    return handle


@pytest.mark.parametrize("ending", ["cut", "error"])
async def test_a_stream_that_breaks_off(start: Any, ending: str) -> None:
    proxy = start(handler=breaking(ending))
    async with client_of(proxy) as client:
        stream = await client.responses.create(**ASKED, stream=True)
        with pytest.raises(openai.APIError) as caught:
            _ = [event async for event in stream]
    assert caught.value.code == "upstream_cut"
    assert ("Overloaded" in caught.value.message) == (ending == "error")
    [record] = await records(proxy)
    assert record.ending is Ending.UPSTREAM_CUT


async def test_a_client_that_leaves_ends_the_providers_stream(
    start: Any, upstream: FakeUpstream
) -> None:
    proxy = start(handler=breaking("never"))
    async with client_of(proxy) as client:
        stream = await client.responses.create(**ASKED, stream=True)
        assert (await anext(aiter(stream))).type == "response.created"
        await stream.close()
    await soon(upstream.connections[0].closed.wait())
    [record] = await records(proxy)
    assert record.ending is Ending.CLIENT_GONE


async def test_anthropics_own_api_is_not_there(start: Any, upstream: FakeUpstream) -> None:
    proxy = start()
    async with sdk.AsyncAnthropic(base_url=proxy.root, api_key="sk-ant") as client:
        with pytest.raises(sdk.NotFoundError) as caught:
            await client.messages.create(
                model="gpt-4o", max_tokens=9, messages=[{"role": "user", "content": "Hi."}]
            )
    assert caught.value.type == "not_found_error"
    assert "/v1/chat/completions" in str(caught.value)
    assert upstream.received == []
