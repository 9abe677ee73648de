"""Gemini, Mistral and Bedrock through litellm, each against a server that speaks as it does."""

import json
from functools import partial
from typing import Any
from urllib.parse import unquote

import pytest
from openai import AsyncOpenAI

from proxy.savings import Ending
from tests.integration.conftest import ProxyServer
from tests.integration.fake_upstream import FakeUpstream, Handler
from tests.integration.more_providers import MODEL, bedrock, gemini, mistral
from tests.integration.providers import litellm_proxy
from tests.integration.test_openai_client import CHAT, HALF

# Each with where a call goes (streamed or not), and the header that its key is sent in.
EACH = pytest.mark.parametrize(
    ("model", "handler", "whole", "streamed", "key"),
    [
        (
            "gemini/gemini-2.0-flash",
            gemini,
            "/models/gemini-2.0-flash:generateContent",
            "/models/gemini-2.0-flash:streamGenerateContent",
            ("x-goog-api-key", "sk-client"),
        ),
        (
            "mistral/mistral-small",
            mistral,
            "/chat/completions",
            "/chat/completions",
            ("authorization", "Bearer sk-client"),
        ),
        (
            f"bedrock/{MODEL}",
            bedrock,
            f"/model/{MODEL}/converse",
            f"/model/{MODEL}/converse-stream",
            ("authorization", "Bearer sk-client"),
        ),
    ],
    ids=["gemini", "mistral", "bedrock"],
)


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream) -> Any:
    params = {"aws_region_name": "eu-central-1"}
    return partial(litellm_proxy, proxy_server, upstream, params=params)


@EACH
async def test_a_whole_answer(
    start: Any,
    upstream: FakeUpstream,
    model: str,
    handler: Handler,
    whole: str,
    streamed: str,
    key: tuple[str, str],
) -> None:
    proxy = start(model, handler)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client", max_retries=0) as client:
        answer = await client.chat.completions.create(**CHAT)
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (9, 2)
    await _asked_once(proxy, upstream, whole, key)


@EACH
async def test_a_stream(
    start: Any,
    upstream: FakeUpstream,
    model: str,
    handler: Handler,
    whole: str,
    streamed: str,
    key: tuple[str, str],
) -> None:
    proxy = start(model, handler)
    async with AsyncOpenAI(base_url=proxy.base_url, api_key="sk-client", max_retries=0) as client:
        stream = await client.chat.completions.create(
            **CHAT, stream=True, stream_options={"include_usage": True}
        )
        *pieces, last = [chunk async for chunk in stream]
    choices = [choice for piece in pieces for choice in piece.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "Hello"
    assert choices[-1].finish_reason == "stop"
    assert (last.choices, last.usage and last.usage.total_tokens) == ([], 11)
    await _asked_once(proxy, upstream, streamed, key)


async def _asked_once(
    proxy: Any, upstream: FakeUpstream, target: str, key: tuple[str, str]
) -> None:
    (request,) = upstream.received
    assert target in unquote(request.target)
    assert HALF in json.dumps(request.json)
    assert request.values(key[0]) == [key[1]]
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.FINISHED, 200)
    assert (record.usage.prompt_tokens, record.usage.completion_tokens) == (9, 2)
    assert record.tokens_saved > 0
