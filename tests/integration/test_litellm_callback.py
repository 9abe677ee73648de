"""A LiteLLM proxy, its own process, with the callback in it, driven by openai's client."""

import asyncio
import json
import os
import socket
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.integration.conftest import soon
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Received,
    well_behaved,
)
from tests.integration.providers import anthropic
from tests.integration.test_openai_chat import WEATHER
from tests.integration.test_openai_responses import response, said, stream_of

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(not PYTHON.exists(), reason="there is no LiteLLM proxy: make litellm-proxy"),
]

TEXT = (
    "The lighthouse on the northern point was built by the harbour board in the spring of that "
    "year, after a long quarrel over its cost and over the men who were to keep it. "
) * 4
START_SECONDS = 240

# LiteLLM's environment has none of what Tersely needs besides, which is behind its own here.
LAUNCH = f"""
import sys
sys.path.append({sysconfig.get_paths()["purelib"]!r})
from litellm import run_server
sys.argv = ["litellm", *sys.argv[1:]]
run_server()
"""
CALLBACK = """
from proxy.integrations.litellm_callback import TerselyCallback

HALF = {"rate": 0.5, "min_tokens": 20, "deadline_ms": 120_000}
tersely = TerselyCallback(
    policies={
        "half": HALF,
        "tools": HALF | {"tool_descriptions": 20},
        "fits": HALF | {"fit_context": True},
        "late": HALF | {"rate": 0.3, "deadline_ms": 1},
    },
    default="half",
    context_windows={"gpt-*": 100},
)
"""
KEYS = """
from litellm.proxy._types import UserAPIKeyAuth

OF_KEY = {
    "sk-plain": {},
    "sk-key": {"metadata": {"tersely": "half"}},
    "sk-team": {"team_id": "red", "team_metadata": {"tersely": True}},
}


async def known(request, api_key):
    return UserAPIKeyAuth(api_key=api_key, **OF_KEY[api_key])
"""


def config(upstream: FakeUpstream) -> dict[str, Any]:
    model = {"model": "openai/gpt-4o", "api_base": upstream.base_url, "api_key": "sk-up"}
    root = upstream.base_url.removesuffix("/v1")
    claude = {"model": "anthropic/claude-test", "api_base": root, "api_key": "sk-up"}
    return {
        "model_list": [
            {"model_name": "gpt-4o", "litellm_params": model},
            {"model_name": "claude-test", "litellm_params": claude},
        ],
        "litellm_settings": {"callbacks": "callback_here.tersely"},
        "general_settings": {
            "master_key": f"sk-{os.urandom(16).hex()}",
            "custom_auth": "keys.known",
        },
    }


async def any_api(request: Received, connection: Connection) -> None:
    """Answer as the API that was asked would."""
    if request.target == "/v1/messages":
        await anthropic(request, connection)
    elif request.target != "/v1/responses":
        await well_behaved(request, connection)
    elif request.json.get("stream"):
        await connection.begin_stream()
        await connection.chunk(b"".join(stream_of("Hello there.")))
        await connection.last_chunk()
    else:
        body = json.dumps(response(said("Hello there."))).encode()
        await connection.answer(200, body, JSON)


@asynccontextmanager
async def litellm_process(folder: Path, upstream: FakeUpstream) -> AsyncIterator[str]:
    """Run `litellm` on a free port and yield its base URL."""
    (folder / "callback_here.py").write_text(CALLBACK)
    (folder / "keys.py").write_text(KEYS)
    (folder / "config.yaml").write_text(json.dumps(config(upstream)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, "-c", LAUNCH, "--config", "config.yaml"),
        *("--host", "127.0.0.1", "--port", str(port)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, up = bytearray(), asyncio.Event()

    async def listen() -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            said.extend(line)
            if b"Uvicorn running on" in line:
                up.set()

    listening = asyncio.create_task(listen())
    try:
        waiting = asyncio.create_task(up.wait())
        await asyncio.wait(
            {waiting, listening}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        assert up.is_set(), said.decode(errors="replace")[-5000:]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await soon(listening)


class Caller:
    """Asks the LiteLLM proxy, and tells what it answered and what its provider was sent."""

    def __init__(self, base_url: str, upstream: FakeUpstream) -> None:
        self._base_url = base_url
        self._upstream = upstream

    async def ask(self, key: str, text: str = TEXT, **options: Any) -> tuple[dict[str, str], Any]:
        """Return the x-tersely-* headers, without that, and the body that arrived."""
        messages: Any = [{"role": "user", "content": text}]
        async with self._openai(key) as client:
            raw = await client.chat.completions.with_raw_response.create(
                model="gpt-4o", messages=messages, **options
            )
            if options.get("stream"):
                words = [chunk.choices[0].delta.content or "" async for chunk in raw.parse()]
                assert "".join(words) == "Hello."
            else:
                assert raw.parse().choices[0].message.content == "Hello there."
        return self._seen(raw)

    async def ask_responses(self, key: str, **options: Any) -> tuple[dict[str, str], Any]:
        """Return the same of a call of the Responses API."""
        async with self._openai(key) as client:
            raw = await client.responses.with_raw_response.create(
                model="gpt-4o", input=TEXT, instructions=TEXT, **options
            )
            if options.get("stream"):
                kinds = [event.type async for event in raw.parse()]
                assert kinds[-1] == "response.completed"
            else:
                assert raw.parse().output_text == "Hello there."
        return self._seen(raw)

    async def ask_claude(self, key: str, **options: Any) -> tuple[dict[str, str], Any]:
        """Return the same of a call of Anthropic's API."""
        messages: Any = [{"role": "user", "content": TEXT}]
        async with AsyncAnthropic(
            base_url=self._base_url.removesuffix("/v1"), api_key=key, max_retries=0, timeout=150
        ) as client:
            raw = await client.messages.with_raw_response.create(
                model="claude-test", max_tokens=9, messages=messages, **options
            )
            if options.get("stream"):
                kinds = [event.type async for event in await raw.parse()]
                assert kinds[-1] == "message_stop"
            else:
                [block] = (await raw.parse()).content
                assert block.to_dict() == {"type": "text", "text": "Hello"}
        return self._seen(raw)

    def _openai(self, key: str) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=self._base_url, api_key=key, max_retries=0, timeout=150)

    def _seen(self, raw: Any) -> tuple[dict[str, str], Any]:
        # LiteLLM asks for the provider's models by itself, and tries again when a connection fails
        arrived = [each for each in self._upstream.received if each.target != "/v1/models"]
        self._upstream.received.clear()
        assert len({(each.method, each.target, each.body) for each in arrived}) == 1, arrived
        prefix = "x-tersely-"
        headers = {
            name.removeprefix(prefix): value
            for name, value in raw.headers.items()
            if name.startswith(prefix)
        }
        return headers, arrived[0].json

    async def sent(self, key: str, text: str = TEXT, **options: Any) -> tuple[dict[str, str], str]:
        """Return the headers, and the message that arrived."""
        headers, body = await self.ask(key, text, **options)
        [message] = body["messages"]
        return headers, str(message["content"])


def asking(policy: str) -> dict[str, Any]:
    return {"extra_headers": {"x-tersely-policy": policy}}


async def test_a_litellm_proxy_with_the_callback(tmp_path: Path, upstream: FakeUpstream) -> None:
    assert sys.version_info[:2] == _version(), "make clean, then make litellm-proxy"
    upstream.handler = any_api
    async with litellm_process(tmp_path, upstream) as base_url:
        caller = Caller(base_url, upstream)
        shortened = await _by_key_team_and_request(caller)
        await _left_alone(caller)
        await _as_in_the_proxy(caller, shortened)
        await _by_the_other_apis(caller, shortened)
        await _failing_open(caller)


async def _by_key_team_and_request(caller: Caller) -> str:
    headers, shortened = await caller.sent("sk-key")  # the first one since the start
    assert headers["outcome"] == "compressed"
    assert headers["policy"] == "half"
    assert int(headers["tokens-before"]) > 2 * int(headers["tokens-after"]) - 2 > 20
    assert len(shortened) < 0.7 * len(TEXT)
    ways: list[tuple[str, dict[str, Any]]] = [
        ("sk-key", {}),
        ("sk-team", {}),
        ("sk-plain", asking("half")),
        ("sk-plain", {"extra_body": {"metadata": {"tersely": "half"}}}),
        ("sk-key", {"stream": True}),
    ]
    for key, options in ways:
        assert await caller.sent(key, **options) == (headers, shortened)
    return shortened


async def _left_alone(caller: Caller) -> None:
    assert await caller.sent("sk-plain") == ({}, TEXT)
    off = {"extra_body": {"metadata": {"tersely": "off"}}}
    assert await caller.sent("sk-key", **off) == ({}, TEXT)
    assert await caller.sent("sk-key", **asking("hlaf")) == ({"outcome": "refused"}, TEXT)


async def _as_in_the_proxy(caller: Caller, shortened: str) -> None:
    function = WEATHER["function"] | {"description": TEXT}
    tools = [{"type": "function", "function": function}]
    headers, body = await caller.ask("sk-plain", tools=tools, **asking("tools"))
    assert (headers["outcome"], headers["policy"]) == ("compressed", "tools")
    assert body["messages"][0]["content"] == shortened
    [tool] = body["tools"]
    assert len(tool["function"]["description"]) < 0.7 * len(TEXT)
    assert tool["function"]["name"] == "weather"
    assert tool["function"]["parameters"]["required"] == ["city"]

    headers, _ = await caller.ask("sk-plain", max_completion_tokens=10, **asking("fits"))
    assert headers["outcome"] == "compressed"
    assert int(headers["tokens-before"]) > 100  # the window of the callback's context_windows
    assert int(headers["tokens-after"]) <= 90
    short = TEXT[: len(TEXT) // 4]
    headers, sent = await caller.sent("sk-plain", short, **asking("fits"))
    assert (headers["outcome"], sent) == ("unchanged", short)


async def _by_the_other_apis(caller: Caller, shortened: str) -> None:
    for options in ({}, {"stream": True}):
        headers, body = await caller.ask_responses("sk-key", **options)
        assert (headers["outcome"], headers["policy"]) == ("compressed", "half")
        assert (body["input"], body["instructions"]) == (shortened, TEXT)
        headers, body = await caller.ask_claude("sk-key", system=TEXT, **options)
        assert (headers["outcome"], headers["policy"]) == ("compressed", "half")
        assert body["messages"] == [{"role": "user", "content": shortened}]
        assert body["system"] == TEXT
    headers, body = await caller.ask_responses("sk-plain")
    assert (headers, body["input"]) == ({}, TEXT)
    headers, body = await caller.ask_claude("sk-plain")
    assert (headers, body["messages"]) == ({}, [{"role": "user", "content": TEXT}])


async def _failing_open(caller: Caller) -> None:
    for _ in range(2):  # and so it stays, for the provider's prompt cache
        headers, sent = await caller.sent("sk-plain", TEXT * 8, **asking("late"))
        assert (headers["outcome"], sent) == ("failed_open", TEXT * 8)


def _version() -> tuple[int, ...]:
    [folder] = (PYTHON.parents[1] / "lib").glob("python3.*")
    return tuple(int(number) for number in folder.name.removeprefix("python").split("."))
