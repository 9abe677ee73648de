"""Chat completions by openai's client: tools, structured output, media, streams, sync and async."""

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from proxy.savings import Ending
from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import (
    OPENAI_HEADERS,
    USAGE,
    Connection,
    FakeUpstream,
    Received,
    chat_events,
)
from tests.integration.sdk_clients import (
    HALF,
    KEPT,
    LONG,
    SAVED,
    WEATHER_SCHEMA,
    data_events,
    one_record,
    openai_client,
    ready,
    records,
)

MESSAGES: Any = [{"role": "system", "content": KEPT}, {"role": "user", "content": LONG}]
CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "strict": True, "parameters": WEATHER_SCHEMA},
}
POST = "POST /v1/chat/completions"


class City(BaseModel):
    city: str


def completion(*, finish: str = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": None} | message
    choice = {"index": 0, "finish_reason": finish, "message": said}
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    return base | {"choices": [choice], "usage": USAGE}


def call(arguments: str) -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function}


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    return base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


async def test_the_synchronous_client(proxy: Proxy, upstream: FakeUpstream) -> None:
    def ask() -> tuple[str | None, list[str | None]]:
        with openai.OpenAI(base_url=proxy.base_url, api_key="sk-x", max_retries=0) as client:
            answer = client.chat.completions.create(**CHAT)
            with client.chat.completions.create(**CHAT, stream=True) as stream:
                words = [part.choices[0].delta.content for part in stream]
        return answer.choices[0].message.content, words

    assert await asyncio.to_thread(ask) == ("Hello there.", ["Hel", "lo", ".", None])
    for request in upstream.received:
        assert request.json["messages"] == [MESSAGES[0], {"role": "user", "content": HALF}]
    both = await records(proxy, 2)
    assert [record.stream for record in both] == [False, True]
    assert [record.tokens_saved for record in both] == [SAVED, SAVED]


async def test_a_tools_round_trip(proxy: Proxy, upstream: FakeUpstream) -> None:
    arguments = json.dumps({"city": KEPT})
    upstream.handler = ready({POST: completion(finish="tool_calls", tool_calls=[call(arguments)])})
    async with openai_client(proxy) as (client, sent):
        first = await client.chat.completions.create(**CHAT, tools=[WEATHER])
        asked = first.choices[0].message
        assert asked.tool_calls is not None
        assert asked.tool_calls[0].id == "call_1"
        result = {"role": "tool", "tool_call_id": "call_1", "content": LONG}
        history = [*MESSAGES, asked.model_dump(exclude_unset=True), result]
        await client.chat.completions.create(model="gpt-4o", messages=history, tools=[WEATHER])
    _, second = sent.arrived(upstream, shortened=True)
    assert second.json["messages"][2]["tool_calls"] == [call(arguments)]
    assert second.json["messages"][3]["content"] == HALF
    assert [record.tokens_saved for record in await records(proxy, 2)] == [SAVED, 2 * SAVED]


async def test_the_stream_helper_puts_a_tool_call_together(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    begun = {"index": 0, **call("")}
    pieces = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"city":', '"Oslo"}')]
    deltas = [{"role": "assistant", "tool_calls": [begun]}, *({"tool_calls": [p]} for p in pieces)]
    events = [*(chunk(delta) for delta in deltas), chunk({}, "tool_calls")]
    usage = chunk({}) | {"choices": [], "usage": USAGE}
    upstream.handler = ready({POST: data_events([*events, usage])})
    async with (
        openai_client(proxy) as (client, sent),
        client.chat.completions.stream(
            **CHAT, tools=[WEATHER], stream_options={"include_usage": True}
        ) as stream,
    ):
        kinds = [event.type async for event in stream]
        final = await stream.get_final_completion()
    assert kinds.count("tool_calls.function.arguments.delta") == 3
    assert kinds.count("tool_calls.function.arguments.done") == 1
    assert final.choices[0].message.tool_calls is not None
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments == {"city": "Oslo"}
    sent.arrived(upstream, shortened=True)
    record = await one_record(proxy)
    assert (record.stream, record.usage.prompt_tokens, record.usage.cached_tokens) == (True, 20, 8)


async def test_structured_output_is_parsed(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: completion(content='{"city":"Oslo"}')})
    async with openai_client(proxy) as (client, sent):
        answer = await client.chat.completions.parse(**CHAT, response_format=City)
    assert answer.choices[0].message.parsed == City(city="Oslo")
    (request,) = sent.arrived(upstream, shortened=True)
    assert request.json["response_format"]["json_schema"]["name"] == "City"
    await one_record(proxy)


@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("length", openai.LengthFinishReasonError),
        ("content_filter", openai.ContentFilterFinishReasonError),
    ],
)
async def test_structured_output_that_was_cut_short(
    proxy: Proxy, upstream: FakeUpstream, finish: str, kind: type[Exception]
) -> None:
    upstream.handler = ready({POST: completion(finish=finish, content='{"ci')})
    async with openai_client(proxy) as (client, _):
        with pytest.raises(kind):
            await client.chat.completions.parse(**CHAT, response_format=City)
    assert (await one_record(proxy)).status == 200


async def test_media_parts_are_passed_on_beside_shorter_text(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    data = "data:image/png;base64," + "iVBORw0KGgo" * 50
    parts = [
        {"type": "text", "text": LONG},
        {"type": "image_url", "image_url": {"url": data, "detail": "high"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg" * 50, "format": "wav"}},
        {"type": "file", "file": {"filename": KEPT, "file_data": data}},
    ]
    messages: Any = [{"role": "user", "content": parts}]
    async with openai_client(proxy) as (client, sent):
        await client.chat.completions.create(model="gpt-4o", messages=messages)
    (request,) = sent.arrived(upstream, shortened=True)
    text, *media = request.json["messages"][0]["content"]
    assert text == {"type": "text", "text": HALF}
    assert media == parts[1:]
    assert (await one_record(proxy)).tokens_saved == SAVED


async def test_a_streamed_response_is_the_upstreams_bytes(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async with (
        openai_client(proxy) as (client, sent),
        client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response,
    ):
        data = b"".join([piece async for piece in response.iter_bytes()])
    assert data == b"".join(chat_events())
    headers = response.headers
    assert headers["x-request-id"] == "req_upstream"
    assert headers["x-ratelimit-remaining-requests"] == "99"
    assert headers["x-tersely-outcome"] == "compressed"
    assert headers["x-tersely-policy"] == "half"
    assert (headers["x-tersely-tokens-before"], headers["x-tersely-tokens-after"]) == ("160", "100")
    sent.arrived(upstream, shortened=True)
    await one_record(proxy)


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_a_stream_that_is_left_in_the_middle_frees_the_upstream(
    proxy: Proxy, upstream: FakeUpstream, how: str
) -> None:
    async def endless(request: Received, connection: Connection) -> None:
        await connection.begin_stream(OPENAI_HEADERS)
        await connection.chunk(next(chat_events()))
        await connection.until_closed()

    upstream.handler = endless
    seen = asyncio.Event()

    async def read() -> None:
        async with openai_client(proxy) as (client, _):
            async for _ in await client.chat.completions.create(**CHAT, stream=True):
                seen.set()

    def read_one() -> str | None:
        with openai.OpenAI(base_url=proxy.base_url, api_key="sk-x") as client:
            stream = client.chat.completions.create(**CHAT, stream=True)
            first = next(stream).choices[0].delta.content
            stream.close()
            return first

    if how == "cancel":
        reading = asyncio.create_task(read())
        await seen.wait()
        reading.cancel()
    else:
        assert await asyncio.to_thread(read_one) == "Hel"
    await asyncio.wait_for(upstream.connections[0].closed.wait(), 10)
    record = await one_record(proxy)
    assert (record.ending, record.status, record.stream) == (Ending.CLIENT_GONE, 200, True)
    assert len(upstream.received) == 1
