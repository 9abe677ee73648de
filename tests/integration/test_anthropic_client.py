"""Anthropic's official client, unmodified, through the proxy."""

import asyncio
import json
from typing import Any

import anthropic
import pytest

from proxy.savings import Ending, Treatment
from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received
from tests.integration.providers import (
    ANTHROPIC_USAGE,
    anthropic_event,
    anthropic_message,
    anthropic_stream,
)
from tests.integration.sdk_clients import (
    HALF,
    KEPT,
    LONG,
    SAVED,
    WEATHER_SCHEMA,
    Ready,
    anthropic_client,
    one_record,
    ready,
    records,
)

POST = "POST /v1/messages"
MESSAGES: Any = [{"role": "user", "content": LONG}]
ASKED: dict[str, Any] = {"model": "claude-test", "max_tokens": 100, "messages": MESSAGES}
WEATHER: Any = {"name": "weather", "description": KEPT, "input_schema": WEATHER_SCHEMA}
CACHED = {"type": "ephemeral"}
HELLO = anthropic_message({"type": "text", "text": "Hello."})


async def test_create(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def answer(request: Received, connection: Connection) -> None:
        headers = [("request-id", "req_a"), ("anthropic-ratelimit-requests-remaining", "9")]
        await connection.answer(200, HELLO, [*JSON, *headers])

    upstream.handler = answer
    async with anthropic_client(proxy) as (client, sent):
        raw = await client.messages.with_raw_response.create(**ASKED, system=KEPT)
    message = await raw.parse()
    assert [block.text for block in message.content if block.type == "text"] == ["Hello."]
    assert message._request_id == raw.headers["request-id"] == "req_a"
    assert raw.headers["anthropic-ratelimit-requests-remaining"] == "9"
    assert raw.headers["x-tersely-outcome"] == "compressed"
    assert raw.headers["x-tersely-tokens-after"] == "100"
    (request,) = sent.arrived(upstream, shortened=True)
    assert (request.json["system"], request.json["messages"][0]["content"]) == (KEPT, HALF)
    assert request.values("authorization") == ["Bearer sk-ant"]
    assert request.value("anthropic-version") == client.default_headers["anthropic-version"]
    assert (request.value("user-agent") or "").startswith("AsyncAnthropic/Python")
    record = await one_record(proxy)
    assert (record.path, record.model, record.tokens_saved) == (
        "/v1/messages",
        "claude-test",
        SAVED,
    )
    assert (record.usage.prompt_tokens, record.usage.cached_tokens) == (15, 3)
    assert record.usage.completion_tokens == ANTHROPIC_USAGE["output_tokens"]


async def test_the_synchronous_client(proxy: Proxy, upstream: FakeUpstream) -> None:
    def ask() -> tuple[str, str]:
        with (
            anthropic.Anthropic(base_url=proxy.root, api_key="sk-ant", max_retries=0) as client,
            client.messages.stream(**ASKED) as stream,
        ):
            return "".join(stream.text_stream), stream.get_final_message().id

    upstream.handler = ready({POST: list(anthropic_stream("Hel", "lo"))})
    assert await asyncio.to_thread(ask) == ("Hello", "msg_1")
    assert upstream.received[0].json["messages"] == [{"role": "user", "content": HALF}]
    assert (await one_record(proxy)).stream


async def test_the_stream_helper_tells_text_and_tool_calls(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.handler = ready({POST: list(anthropic_stream("Hel", "lo", tool="weather"))})
    async with (
        anthropic_client(proxy) as (client, sent),
        client.messages.stream(**ASKED, tools=[WEATHER]) as stream,
    ):
        events = [event async for event in stream]
        final = await stream.get_final_message()
    assert [event.text for event in events if event.type == "text"] == ["Hel", "lo"]
    pieces = [event.partial_json for event in events if event.type == "input_json"]
    assert "".join(pieces) == '{"a":1}'
    assert final.stop_reason == "tool_use"
    assert final.content[-1].to_dict() == {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "weather",
        "input": {"a": 1},
    }
    (request,) = sent.arrived(upstream, shortened=True)
    assert request.json["tools"] == [WEATHER]
    record = await one_record(proxy)
    assert (record.usage.prompt_tokens, record.usage.completion_tokens) == (15, 7)


async def test_a_tools_round_trip_with_thinking(proxy: Proxy, upstream: FakeUpstream) -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": KEPT, "signature": "c2ln" * 40},
        {"type": "redacted_thinking", "data": "ZGF0" * 40},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": KEPT}},
    ]
    upstream.handler = ready({POST: anthropic_message(*blocks, stop="tool_use")})
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png"}}
    picture["source"]["data"] = "iVBO" * 50  # type: ignore[index]
    async with anthropic_client(proxy) as (client, sent):
        first = await client.messages.create(**ASKED, tools=[WEATHER], thinking=thinking)
        said = [block.to_dict() for block in first.content]
        assert said == blocks
        content: Any = [{"type": "text", "text": LONG}, picture]
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": content}
        history: Any = [
            *MESSAGES,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ]
        await client.messages.create(**ASKED | {"messages": history}, tools=[WEATHER])
    _, second = sent.arrived(upstream, shortened=True)
    asked, answered, told = second.json["messages"]
    assert asked["content"] == HALF
    assert answered["content"] == blocks
    assert told["content"][0]["content"] == [{"type": "text", "text": HALF}, picture]
    assert [record.tokens_saved for record in await records(proxy, 2)] == [SAVED, 2 * SAVED]


async def test_cache_control_stays_in_place_and_the_prefix_the_same(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.handler = ready({POST: HELLO})
    system: Any = [
        {"type": "text", "text": KEPT},
        {"type": "text", "text": KEPT, "cache_control": CACHED},
    ]
    tools: Any = [WEATHER | {"cache_control": CACHED}]
    block: Any = {"type": "text", "text": LONG, "cache_control": CACHED | {"ttl": "1h"}}
    history: Any = [{"role": "user", "content": [block]}]
    more: Any = {"system": system, "tools": tools}
    async with anthropic_client(proxy) as (client, sent):
        first = await client.messages.create(**ASKED | {"messages": history}, **more)
        history = [
            *history,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [block]},
        ]
        await client.messages.create(**ASKED | {"messages": history}, **more)
    one, two = sent.arrived(upstream, shortened=True)
    assert one.json["system"] == system
    assert one.json["tools"] == tools
    assert one.json["messages"][0]["content"] == [block | {"text": HALF}]
    assert two.json["messages"][:1] == one.json["messages"]
    whole = one.body[: one.body.index(b"]}]") + 2]  # to the end of its last message
    assert HALF.encode() in whole
    assert two.body.startswith(whole)
    await records(proxy, 2)


async def test_beta_features(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: HELLO})
    async with anthropic_client(proxy) as (client, sent):
        await client.beta.messages.create(**ASKED, betas=["context-1m-2025-08-07", "other"])
    (request,) = sent.arrived(upstream, shortened=True)
    assert request.values("anthropic-beta") == ["context-1m-2025-08-07,other"]
    assert (await one_record(proxy)).tokens_saved == SAVED


FILES_API = "files-api-2025-04-14"
BATCH: dict[str, Any] = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": dict.fromkeys(
        ("processing", "succeeded", "errored", "canceled", "expired"), 0
    ),
    "results_url": None,
}
FILE = {"id": "file_1", "type": "file", "filename": "a.txt", "mime_type": "text/plain"}
CASES: dict[str, tuple[str, Ready, Any, Any]] = {
    "counting tokens": (
        "POST /v1/messages/count_tokens",
        {"input_tokens": 80},
        lambda client: client.messages.count_tokens(model="claude-test", messages=MESSAGES),
        {"input_tokens": 80},
    ),
    "a batch": (
        "POST /v1/messages/batches",
        BATCH,
        lambda client: client.messages.batches.create(
            requests=[{"custom_id": "1", "params": ASKED}]
        ),
        {"id": "msgbatch_1", "processing_status": "in_progress"},
    ),
    "how a batch stands": (
        "GET /v1/messages/batches/msgbatch_1",
        BATCH | {"processing_status": "ended"},
        lambda client: client.messages.batches.retrieve("msgbatch_1"),
        {"processing_status": "ended"},
    ),
    "cancelling a batch": (
        "POST /v1/messages/batches/msgbatch_1/cancel",
        BATCH | {"processing_status": "canceling"},
        lambda client: client.messages.batches.cancel("msgbatch_1"),
        {"processing_status": "canceling"},
    ),
    "a model": (
        "GET /v1/models/claude-test",
        {"id": "claude-test", "type": "model", "display_name": "Claude"},
        lambda client: client.models.retrieve("claude-test"),
        {"display_name": "Claude"},
    ),
    "uploading a file": (
        "POST /v1/files",
        FILE,
        lambda client: client.beta.files.upload(
            file=("a.txt", LONG.encode(), "text/plain"), betas=[FILES_API]
        ),
        {"id": "file_1"},
    ),
    "deleting a file": (
        "DELETE /v1/files/file_1",
        {"id": "file_1", "type": "file_deleted"},
        lambda client: client.beta.files.delete("file_1", betas=[FILES_API]),
        {"type": "file_deleted"},
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_is_passed_on(proxy: Proxy, upstream: FakeUpstream, case: str) -> None:
    line, answer, ask, expected = CASES[case]
    upstream.handler = ready({line: answer})
    async with anthropic_client(proxy) as (client, sent):
        got = await ask(client)
    assert {name: getattr(got, name) for name in expected} == expected
    (request,) = sent.arrived(upstream, shortened=False)
    assert f"{request.method} {request.target}" == line
    if "/files" in line:
        assert request.values("anthropic-beta") == [FILES_API]
    assert (await one_record(proxy, Treatment.PASSED)).method == request.method


async def test_a_file_comes_back_as_it_is(proxy: Proxy, upstream: FakeUpstream) -> None:
    data = bytes(range(256)) * 4
    line = "GET /v1/files/file_1/content"
    upstream.handler = ready({line: (data, "application/pdf")})
    async with anthropic_client(proxy) as (client, _):
        got = await client.beta.files.download("file_1")
        assert await got.read() == data
    await one_record(proxy, Treatment.PASSED)


async def test_a_batchs_results_are_fetched_from_where_anthropic_says(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    """The address is whole, so the client does not ask the proxy."""
    succeeded = {"type": "succeeded", "message": json.loads(HELLO)}
    lines = json.dumps({"custom_id": "1", "result": succeeded}).encode() + b"\n"
    results = "/v1/messages/batches/msgbatch_1/results"
    ended = {"processing_status": "ended"}
    where = upstream.base_url.removesuffix("/v1") + results
    upstream.handler = ready(
        {
            "GET /v1/messages/batches/msgbatch_1": BATCH | ended | {"results_url": where},
            f"GET {results}": (lines, "application/x-jsonl"),
        }
    )
    async with anthropic_client(proxy) as (client, _):
        found = [result async for result in await client.messages.batches.results("msgbatch_1")]
    assert [result.custom_id for result in found] == ["1"]
    _, direct = upstream.received
    assert (direct.target, direct.value("authorization")) == (results, "Bearer sk-ant")
    await one_record(proxy, Treatment.PASSED)  # of the first request alone


@pytest.mark.parametrize("how", ["break", "cancel"])
async def test_a_stream_that_is_left_in_the_middle_frees_the_upstream(
    proxy: Proxy, upstream: FakeUpstream, how: str
) -> None:
    async def endless(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        events = list(anthropic_stream("Hel", "lo"))
        await connection.chunk(b"".join(events[:4]))
        await connection.until_closed()

    upstream.handler = endless
    seen = asyncio.Event()

    async def read() -> None:
        async with (
            anthropic_client(proxy) as (client, _),
            client.messages.stream(**ASKED) as stream,
        ):
            async for text in stream.text_stream:
                assert text == "Hel"
                seen.set()
                if how == "break":
                    return

    reading = asyncio.create_task(read())
    await asyncio.wait_for(seen.wait(), 10)
    if how == "cancel":
        reading.cancel()
    await asyncio.wait_for(upstream.connections[0].closed.wait(), 10)
    record = await one_record(proxy)
    assert (record.ending, record.status, record.stream) == (Ending.CLIENT_GONE, 200, True)
    await asyncio.wait([reading])


async def test_an_error_in_the_middle_of_a_stream(proxy: Proxy, upstream: FakeUpstream) -> None:
    begun = list(anthropic_stream("Hel"))[:4]
    error = {"type": "overloaded_error", "message": "Overloaded"}
    upstream.handler = ready({POST: [*begun, anthropic_event("error", error=error)]})
    async with (
        anthropic_client(proxy) as (client, _),
        client.messages.stream(**ASKED) as stream,
    ):
        with pytest.raises(anthropic.APIStatusError) as caught:
            await stream.get_final_message()
    assert caught.value.body == {"type": "error", "error": error}
    await one_record(proxy)
