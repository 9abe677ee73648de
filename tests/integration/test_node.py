"""Openai's Node SDK and the Vercel AI SDK, unmodified, through the proxy."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from proxy.savings import Ending
from tests.integration.conftest import Proxy, soon
from tests.integration.fake_upstream import (
    JSON,
    OPENAI_HEADERS,
    USAGE,
    Connection,
    FakeUpstream,
    Received,
    well_behaved,
)
from tests.integration.test_openai_client import HALF, LONG

FOLDER = Path(__file__).parent / "node"
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on the path"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules").is_dir(),
        reason="the Node SDKs are missing: make node-clients",
    ),
]

CITY = {"city": "Paris"}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": json.dumps(CITY)},
}


async def drive(proxy: Proxy, scenario: str) -> Any:
    """Run one scenario of drive.mjs and return what the client saw."""
    process = await asyncio.create_subprocess_exec(
        "node",
        "drive.mjs",
        proxy.base_url,
        scenario,
        cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    return json.loads(out)


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


async def answers_responses(request: Received, connection: Connection) -> None:
    assert request.target == "/v1/responses"
    said = {"type": "output_text", "text": "Hello there.", "annotations": []}
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
    body = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o"}
    body |= {"status": "completed", "output": [item | {"content": [said]}]}
    await connection.answer(200, json.dumps(body).encode(), JSON)


async def is_busy(request: Received, connection: Connection) -> None:
    body = b'{"error":{"message":"slow down","type":"t","code":"rate_limit_exceeded"}}'
    await connection.answer(429, body, [*JSON, *OPENAI_HEADERS])


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


async def test_responses(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = answers_responses
    assert await drive(proxy, "responses") == {"text": HELLO}
    await proxy.sink.next()


async def test_an_aborted_call_frees_the_upstream(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def silent(request: Received, connection: Connection) -> None:
        await connection.until_closed()

    upstream.handler = silent
    assert await drive(proxy, "abort") == {"aborted": True}
    await soon(upstream.connections[0].closed.wait())
    assert (await proxy.sink.next()).ending is Ending.CLIENT_GONE
