"""The examples for LangChain, LlamaIndex and the OpenAI Agents SDK, run as they are."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import every_second_word
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, well_behaved
from tests.integration.sdk_clients import records
from tests.integration.test_openai_responses import response, said

pytestmark = pytest.mark.frameworks
EXAMPLES = Path(__file__).parents[2] / "examples"
LONG = " ".join(f"word{number}" for number in range(60))


async def run(proxy: Proxy, example: str, replaced: str = "", by: str = "") -> str:
    """Run an example in a process of its own, against the proxy, and return what it prints."""
    source = (EXAMPLES / f"{example}.py").read_text("utf-8")
    assert replaced in source
    source = source.replace(replaced, by) if replaced else source
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        source,
        env={
            **os.environ,
            "OPENAI_BASE_URL": proxy.base_url,
            "OPENAI_API_BASE": proxy.base_url,
            "OPENAI_API_KEY": "sk-test",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    return out.decode()


@pytest.mark.parametrize("example", ["langchain_chat", "llamaindex_chat"])
async def test_a_chat_model(proxy: Proxy, upstream: FakeUpstream, example: str) -> None:
    printed = await run(proxy, example, "<a long document>", LONG)
    assert "Hello" in printed
    (sent,) = [r.json["messages"][-1]["content"] for r in upstream.received]
    text = sent if isinstance(sent, str) else sent[0]["text"]
    assert "word58" in text
    assert "word59" not in text  # shortened on the way
    assert (await proxy.sink.next()).tokens_saved > 0


def tool_call() -> bytes:
    call = {"name": "report", "arguments": json.dumps({"city": "Bergen"})}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    return json.dumps(body | {"choices": [choice]}).encode()


async def test_an_agents_tool_result_gets_shorter(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def handler(request: Received, connection: Connection) -> None:
        if request.json["messages"][-1]["role"] == "tool":
            await well_behaved(request, connection)
        else:
            await connection.answer(200, tool_call(), JSON)

    upstream.handler = handler
    assert "Hello there." in await run(proxy_server(), "openai_agents")
    _, second = upstream.received
    result = second.json["messages"][-1]
    assert result["tool_call_id"] == "call_1"
    assert 0 < len(result["content"].split()) < 200
    assert second.json["tools"][0]["function"]["name"] == "report"


async def test_an_agents_tool_result_gets_shorter_by_the_responses_api_too(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    """Which the SDK speaks unless it is told otherwise."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "report"}
    call |= {"arguments": json.dumps({"city": "Bergen"}), "status": "completed"}

    async def handler(request: Received, connection: Connection) -> None:
        assert request.target == "/v1/responses"
        done = request.json["input"][-1].get("type") == "function_call_output"
        body = response(said("Hello there.") if done else call)
        await connection.answer(200, json.dumps(body).encode(), JSON)

    upstream.handler = handler
    proxy = proxy_server()
    chosen = 'set_default_openai_api("chat_completions")\n'
    assert "Hello there." in await run(proxy, "openai_agents", chosen)
    first, second = upstream.received
    asked, called, result = second.json["input"]
    assert asked == first.json["input"][0]
    assert {name: called[name] for name in call} == call
    assert (result["type"], result["call_id"]) == ("function_call_output", "call_1")
    told = "The harbour of Bergen " + "was calm and nobody had anything to report. " * 30
    assert result["output"] == every_second_word(told)[0]
    assert second.json["tools"] == first.json["tools"]
    assert second.json["tools"][0]["name"] == "report"
    assert second.json["instructions"] == "Use the report."
    one, two = await records(proxy, 2)
    assert (one.tokens_saved, two.path) == (0, "/v1/responses")
    assert two.tokens_saved > 100
