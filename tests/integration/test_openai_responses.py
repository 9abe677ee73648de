"""The Responses API by openai's client: what it keeps, streams, calls and takes back."""

import json
from typing import Any

from pydantic import BaseModel

from proxy.savings import Treatment
from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.sdk_clients import (
    HALF,
    KEPT,
    LONG,
    SAVED,
    WEATHER_SCHEMA,
    one_record,
    openai_client,
    ready,
    records,
    typed_events,
)

POST = "POST /v1/responses"
USED = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 34,
}
ASKED: dict[str, Any] = {"model": "gpt-4o", "input": LONG, "instructions": KEPT}
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "description": KEPT,
    "parameters": WEATHER_SCHEMA,
}


class City(BaseModel):
    city: str


def said(text: str, item: str = "msg_1") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    base = {"id": item, "type": "message", "role": "assistant", "status": "completed"}
    return base | {"content": [part]}


def response(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o"}
    base |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "status": status}
    return base | {"output": list(output), "usage": USED if output else None} | more


def stream_of(text: str) -> list[bytes]:
    """The events of a message, https://platform.openai.com/docs/api-reference/responses-streaming."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    begun = said("") | {"status": "in_progress", "content": []}
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    full = empty | {"text": text}
    deltas = [text[: len(text) // 2], text[len(text) // 2 :]]
    return typed_events(
        [
            {"type": "response.created", "response": response(status="in_progress")},
            {"type": "response.output_item.added", "output_index": 0, "item": begun},
            {"type": "response.content_part.added", **place, "part": empty},
            *(
                {"type": "response.output_text.delta", **place, "delta": delta, "logprobs": []}
                for delta in deltas
            ),
            {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
            {"type": "response.content_part.done", **place, "part": full},
            {"type": "response.output_item.done", "output_index": 0, "item": said(text)},
            {"type": "response.completed", "response": response(said(text))},
        ]
    )


async def test_create(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: response(said("Hello."))})
    async with openai_client(proxy) as (client, sent):
        raw = await client.responses.with_raw_response.create(**ASKED)
    answer = raw.parse()
    assert (answer.id, answer.output_text) == ("resp_1", "Hello.")
    assert answer._request_id == raw.headers["x-request-id"] == "req_upstream"
    assert raw.headers["x-tersely-tokens-before"] == "80"
    assert raw.headers["x-tersely-tokens-after"] == "20"
    (request,) = sent.arrived(upstream, shortened=True)
    assert (request.json["input"], request.json["instructions"]) == (HALF, KEPT)
    record = await one_record(proxy)
    assert (record.path, record.tokens_saved) == ("/v1/responses", SAVED)
    assert (record.usage.prompt_tokens, record.usage.cached_tokens) == (30, 10)


async def test_the_stream_helper(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: stream_of("Hello.")})
    async with (
        openai_client(proxy) as (client, sent),
        client.responses.stream(**ASKED) as stream,
    ):
        kinds, text = [], ""
        async for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                text += event.delta
        final = await stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert (text, final.output_text) == ("Hello.", "Hello.")
    (request,) = sent.arrived(upstream, shortened=True)
    assert request.json["stream"] is True
    record = await one_record(proxy)
    assert (record.stream, record.usage.completion_tokens) == (True, 4)


async def test_structured_output(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: response(said('{"city":"Oslo"}'))})
    async with openai_client(proxy) as (client, sent):
        answer = await client.responses.parse(**ASKED, text_format=City)
    assert answer.output_parsed == City(city="Oslo")
    (request,) = sent.arrived(upstream, shortened=True)
    assert request.json["text"]["format"]["schema"]["required"] == ["city"]
    await one_record(proxy)


async def test_a_tools_round_trip(proxy: Proxy, upstream: FakeUpstream) -> None:
    arguments = json.dumps({"city": KEPT})
    called = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather"}
    called |= {"arguments": arguments, "status": "completed"}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": KEPT}
    upstream.handler = ready({POST: response(thought, called)})
    async with openai_client(proxy) as (client, sent):
        first = await client.responses.create(**ASKED, tools=[WEATHER])
        output = [item.model_dump(exclude_unset=True) for item in first.output]
        assert [item["type"] for item in output] == ["reasoning", "function_call"]
        result = {"type": "function_call_output", "call_id": "call_1", "output": LONG}
        history: Any = [{"role": "user", "content": LONG}, *output, result]
        await client.responses.create(model="gpt-4o", input=history, tools=[WEATHER])
    _, second = sent.arrived(upstream, shortened=True)
    assert second.json["input"] == [
        {"role": "user", "content": HALF},
        thought,
        called,
        {"type": "function_call_output", "call_id": "call_1", "output": HALF},
    ]
    assert second.json["tools"] == [WEATHER]
    assert [record.tokens_saved for record in await records(proxy, 2)] == [SAVED, 2 * SAVED]


async def test_media_and_references_are_passed_on(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: response(said("A cat."))})
    content: Any = [
        {"type": "input_text", "text": LONG},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto"},
        {"type": "input_file", "file_id": "file-1"},
    ]
    given: Any = [
        {"role": "developer", "content": KEPT},
        {"role": "user", "content": content},
        {"type": "item_reference", "id": "msg_0"},
    ]
    async with openai_client(proxy) as (client, sent):
        await client.responses.create(
            model="gpt-4o", input=given, previous_response_id="resp_0", store=True
        )
    (request,) = sent.arrived(upstream, shortened=True)
    assert request.json["previous_response_id"] == "resp_0"
    assert request.json["input"][1]["content"][1:] == content[1:]
    assert (await one_record(proxy)).tokens_saved == SAVED


async def test_in_the_background(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready(
        {
            POST: response(status="queued", background=True),
            "GET /v1/responses/resp_1": response(said("Done."), background=True),
            "GET /v1/responses/resp_1?starting_after=2&stream=true": stream_of("Done.")[3:],
            "POST /v1/responses/resp_1/cancel": response(status="cancelled", background=True),
        }
    )
    async with openai_client(proxy) as (client, sent):
        begun = await client.responses.create(**ASKED, background=True)
        assert begun.status == "queued"
        assert (await client.responses.retrieve("resp_1")).output_text == "Done."
        again = await client.responses.retrieve("resp_1", stream=True, starting_after=2)
        numbers = [event.sequence_number async for event in again]
        assert (await client.responses.cancel("resp_1")).status == "cancelled"
    assert numbers == [3, 4, 5, 6, 7, 8]
    first, *others = upstream.received
    assert first.body == sent.bodies[0].replace(LONG.encode(), HALF.encode()) != sent.bodies[0]
    assert [other.body for other in others] == sent.bodies[1:] == [b"", b"", b""]
    found = await records(proxy, 4)
    assert [record.report.treatment for record in found] == [
        Treatment.COMPRESSED,
        *[Treatment.PASSED] * 3,
    ]
    assert [record.path for record in found][1:] == [
        "/v1/responses/resp_1",
        "/v1/responses/resp_1",
        "/v1/responses/resp_1/cancel",
    ]


async def test_what_is_kept_is_listed_counted_and_deleted(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    item = {"type": "message", "role": "user", "status": "completed"}
    page: dict[str, Any] = {"object": "list", "first_id": "i0", "last_id": "i0", "has_more": True}
    rest = page | {"first_id": "i1", "last_id": "i1", "has_more": False}
    items: list[dict[str, Any]] = [
        item | {"id": f"i{number}", "content": [{"type": "input_text", "text": LONG}]}
        for number in range(2)
    ]
    listing = "GET /v1/responses/resp_1/input_items"
    upstream.handler = ready(
        {
            f"{listing}?limit=1": page | {"data": items[:1]},
            f"{listing}?limit=1&after=i0": rest | {"data": items[1:]},
            "POST /v1/responses/input_tokens": {
                "object": "response.input_tokens",
                "input_tokens": 41,
            },
            "DELETE /v1/responses/resp_1": {"id": "resp_1", "deleted": True},
        }
    )
    async with openai_client(proxy) as (client, sent):
        found = [i.id async for i in client.responses.input_items.list("resp_1", limit=1)]
        assert found == ["i0", "i1"]
        counted = await client.responses.input_tokens.count(model="gpt-4o", input=LONG)
        assert counted.input_tokens == 41
        await client.responses.delete("resp_1")
    sent.arrived(upstream, shortened=False)
    passed = await records(proxy, 4)
    assert {record.report.treatment for record in passed} == {Treatment.PASSED}
    assert passed[-1].method == "DELETE"
