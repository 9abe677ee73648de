"""Openai's Node SDK and the Vercel AI SDK, unmodified, through the proxy."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import (
    JSON,
    OPENAI_HEADERS,
    USAGE,
    Connection,
    FakeUpstream,
    Handler,
    Received,
    chat_answer,
    well_behaved,
)
from tests.integration.node_clients import FOLDER, NEEDS_NODE, drive
from tests.integration.providers import anthropic, anthropic_error, anthropic_message
from tests.integration.sdk_clients import HALF, LONG, SAVED, data_events, ready, records
from tests.integration.test_openai_chat import chunk
from tests.integration.test_openai_responses import response, said, stream_of

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = [pytest.mark.frameworks, NEEDS_NODE]

CITY = {"city": "Paris"}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": json.dumps(CITY)},
}


def message(**fields: Any) -> bytes:
    """A chat completion with this message."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None} | fields}
    choice["finish_reason"] = "tool_calls" if "tool_calls" in fields else "stop"
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    return json.dumps(body | {"choices": [choice], "usage": USAGE}).encode()


async def calls_then_text(request: Received, connection: Connection) -> None:
    """Ask for a tool, and answer in words once its result is there."""
    if request.json["messages"][-1]["role"] == "tool":
        await connection.answer(200, message(content="Sunny."), JSON)
    else:
        await connection.answer(200, message(tool_calls=[CALL]), JSON)


async def answers_in_json(request: Received, connection: Connection) -> None:
    assert request.json["response_format"]["type"] == "json_schema"
    await connection.answer(200, message(content=json.dumps(CITY)), JSON)


async def answers_in_json_by_responses(request: Received, connection: Connection) -> None:
    assert request.json["text"]["format"]["type"] == "json_schema"
    await connection.answer(200, json.dumps(response(said(json.dumps(CITY)))).encode(), JSON)


async def answers_responses(request: Received, connection: Connection) -> None:
    assert request.target == "/v1/responses"
    said = {"type": "output_text", "text": "Hello there.", "annotations": []}
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
    body = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o"}
    body |= {"status": "completed", "output": [item | {"content": [said]}]}
    await connection.answer(200, json.dumps(body).encode(), JSON)


async def calls_then_answers(request: Received, connection: Connection) -> None:
    """The Responses API's way of the same."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather"}
    call |= {"arguments": json.dumps(CITY), "status": "completed"}
    done = request.json["input"][-1].get("type") == "function_call_output"
    body = response(said("Sunny.")) if done else response(call)
    await connection.answer(200, json.dumps(body).encode(), JSON)


async def claude(request: Received, connection: Connection) -> None:
    """Anthropic's, which has a tool called once."""
    if "tools" in request.json and len(request.json["messages"]) > 1:
        body = anthropic_message({"type": "text", "text": "Sunny."})
        await connection.answer(200, body, JSON)
    else:
        await anthropic(request, connection)


async def is_busy_twice(request: Received, connection: Connection) -> None:
    if request.value("x-stainless-retry-count") == "2":
        await well_behaved(request, connection)
    else:
        await connection.answer(503, b'{"error":{}}', [*JSON, ("retry-after-ms", "1")])


async def is_busy(request: Received, connection: Connection) -> None:
    body = b'{"error":{"message":"slow down","type":"t","code":"rate_limit_exceeded"}}'
    await connection.answer(429, body, [*JSON, *OPENAI_HEADERS])


ARGUMENTS = [json.dumps(CITY)[:6], json.dumps(CITY)[6:]]
TOOL_DELTAS = [
    {"role": "assistant", "tool_calls": [{"index": 0, **CALL, "function": {"name": "weather"}}]},
    *({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in ARGUMENTS),
]
TOOL_EVENTS = [*(chunk(delta) for delta in TOOL_DELTAS), chunk({}, "tool_calls")]
HELLO = "Hello there."
CASES: dict[str, tuple[Any, Any]] = {
    "chat": (
        well_behaved,
        {"content": HELLO, "outcome": "compressed", "requestId": "req_upstream"},
    ),
    "stream": (well_behaved, {"words": ["Hel", "lo", ".", None]}),
    "tools": (calls_then_text, {"calls": [CALL]}),
    "structured": (answers_in_json, {"parsed": CITY}),
    "error": (
        is_busy,
        {
            "rateLimit": True,
            "status": 429,
            "code": "rate_limit_exceeded",
            "requestId": "req_upstream",
        },
    ),
    "tools_stream": (
        ready({"POST /v1/chat/completions": data_events(TOOL_EVENTS)}),
        {"pieces": ARGUMENTS, "name": "weather", "arguments": json.dumps(CITY)},
    ),
    "vercel_generate": (well_behaved, {"text": HELLO, "outcome": "compressed"}),
    "vercel_stream": (well_behaved, {"pieces": ["Hel", "lo", "."]}),
    "vercel_object": (answers_in_json, {"object": CITY}),
    "vercel_tools": (calls_then_text, {"text": "Sunny.", "asked": ["Paris"]}),
}


@pytest.mark.parametrize("scenario", CASES)
async def test_chat_completions(proxy: Proxy, upstream: FakeUpstream, scenario: str) -> None:
    upstream.handler, expected = CASES[scenario]
    assert await drive(proxy, scenario) == expected
    sent = upstream.received[0].json["messages"][0]["content"]
    assert sent in (HALF, [{"type": "text", "text": HALF}])
    assert LONG not in upstream.received[-1].body.decode()
    saved = (await proxy.sink.next()).tokens_saved
    assert (saved > 0) == (scenario != "error")  # what was refused is not billed


RESPONSES: dict[str, tuple[Any, Any]] = {
    "responses": (answers_responses, {"text": HELLO}),
    "responses_stream": (
        ready({"POST /v1/responses": stream_of(HELLO)}),
        {"first": "response.created", "last": "response.completed", "text": HELLO},
    ),
    "responses_tools": (calls_then_answers, {"asked": json.dumps(CITY), "text": "Sunny."}),
}


@pytest.mark.parametrize("scenario", RESPONSES)
async def test_responses(proxy: Proxy, upstream: FakeUpstream, scenario: str) -> None:
    upstream.handler, expected = RESPONSES[scenario]
    assert await drive(proxy, scenario) == expected
    for request in upstream.received:
        given = request.json["input"]
        texts = [given] if isinstance(given, str) else [given[0]["content"]]
        if len(given) == 3:
            assert given[1]["arguments"] == json.dumps(CITY)
            texts.append(given[2]["output"])
        assert set(texts) == {HALF}
    for record in await records(proxy, len(upstream.received)):
        assert record.tokens_saved >= SAVED


CLAUDE: dict[str, tuple[Any, Any]] = {
    "anthropic_generate": (claude, {"text": "Hello", "outcome": "compressed", "cached": 3}),
    "anthropic_stream": (claude, {"pieces": ["Hel", "lo"]}),
    "anthropic_tools": (claude, {"text": "Sunny.", "asked": [1]}),
    "anthropic_error": (
        anthropic_error(529, "overloaded_error", "Overloaded"),
        {"status": 529, "retryable": True, "type": "overloaded_error"},
    ),
}


@pytest.mark.parametrize("scenario", CLAUDE)
async def test_anthropics_provider_of_the_vercel_sdk(
    proxy: Proxy, upstream: FakeUpstream, scenario: str
) -> None:
    upstream.handler, expected = CLAUDE[scenario]
    assert await drive(proxy, scenario) == expected
    for request in upstream.received:
        assert request.target == "/v1/messages"
        [block] = request.json["messages"][0]["content"]
        assert block.pop("cache_control", None) == (
            {"type": "ephemeral"} if scenario == "anthropic_generate" else None
        )
        assert block == {"type": "text", "text": HALF}
    if scenario == "anthropic_tools":
        _, called, told = upstream.received[1].json["messages"]
        assert called["content"][-1]["input"] == {"a": 1}
        result = told["content"][0]["content"]
        assert result in (HALF, [{"type": "text", "text": HALF}])
    await records(proxy, len(upstream.received))


async def test_the_clients_own_retries(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = is_busy_twice
    assert await drive(proxy, "retries") == {"content": HELLO}
    assert [record.status for record in await records(proxy, 3)] == [503, 503, 200]
    assert len({request.body for request in upstream.received}) == 1


async def test_an_answers_headers_and_bytes(proxy: Proxy, upstream: FakeUpstream) -> None:
    assert await drive(proxy, "raw") == {
        "status": 200,
        "theirs": ["req_upstream", "12", "99"],
        "ours": ["compressed", "half", "80", "20"],
        "body": chat_answer().decode(),
    }
    await records(proxy)


@pytest.mark.parametrize(
    ("scenario", "handler"), [("vision", well_behaved), ("responses_vision", answers_responses)]
)
async def test_pictures_stay_as_they_are(
    proxy: Proxy, upstream: FakeUpstream, scenario: str, handler: Handler
) -> None:
    upstream.handler = handler
    pictures = await drive(proxy, scenario)
    [request] = upstream.received
    [message] = request.json["messages" if scenario == "vision" else "input"]
    text, *others = message["content"]
    assert text["text"] == HALF
    assert others == pictures
    assert [record.tokens_saved for record in await records(proxy)] == [SAVED]


@pytest.mark.parametrize(
    ("scenario", "handler"),
    [
        ("structured_zod", answers_in_json),
        ("structured_responses", answers_in_json_by_responses),
    ],
)
async def test_a_schema_stays_as_it_is(
    proxy: Proxy, upstream: FakeUpstream, scenario: str, handler: Handler
) -> None:
    upstream.handler = handler
    seen = await drive(proxy, scenario)
    assert seen["parsed"] == CITY
    [request] = upstream.received
    body = request.json
    if scenario == "structured_zod":
        assert (body["response_format"], body["messages"][0]["content"]) == (seen["sent"], HALF)
    else:
        assert (body["text"]["format"], body["input"]) == (seen["sent"], HALF)
    assert LONG in json.dumps(seen["sent"])
    assert [record.tokens_saved for record in await records(proxy)] == [SAVED]


@pytest.mark.parametrize("example", ["vercel_ai_sdk", "openai_node"])
async def test_an_example(proxy: Proxy, upstream: FakeUpstream, example: str) -> None:
    source = (EXAMPLES / f"{example}.mjs").read_text("utf-8")
    assert "<a long document>" in source
    process = await asyncio.create_subprocess_exec(
        *("node", "--input-type=module", "--eval", source.replace("<a long document>", LONG)),
        cwd=FOLDER,
        env={**os.environ, "OPENAI_BASE_URL": proxy.base_url, "OPENAI_API_KEY": "sk-own"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    assert out.startswith(b"Hello")
    [request] = upstream.received
    assert HALF in request.body.decode()
    assert LONG not in request.body.decode()
    await records(proxy)
    if example == "openai_node":
        assert re.search(r"^\d+ -> \d+ tokens$", out.decode(), re.MULTILINE)
