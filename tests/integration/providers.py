"""Servers that speak what Anthropic and Ollama speak, for what goes through litellm."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Handler, Received

# What is ignored when litellm is imported, which pytest forgets before every test.
ANTHROPIC_USAGE = {
    "input_tokens": 12,
    "cache_read_input_tokens": 3,
    "cache_creation_input_tokens": 0,
    "output_tokens": 7,
}


def anthropic_message(*content: Mapping[str, Any], stop: str = "end_turn") -> bytes:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": ANTHROPIC_USAGE,
    }
    return json.dumps(message).encode()


def anthropic_event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def anthropic_stream(
    *words: str, tool: str | None = None, arguments: str = '{"a":1}'
) -> Iterator[bytes]:
    """The events of a message, https://docs.anthropic.com/en/api/messages-streaming."""
    message = json.loads(anthropic_message()) | {"stop_reason": None}
    yield anthropic_event("message_start", message=message)
    yield anthropic_event(
        "content_block_start", index=0, content_block={"type": "text", "text": ""}
    )
    yield anthropic_event("ping")
    for word in words:
        delta = {"type": "text_delta", "text": word}
        yield anthropic_event("content_block_delta", index=0, delta=delta)
    yield anthropic_event("content_block_stop", index=0)
    if tool is not None:
        block = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
        yield anthropic_event("content_block_start", index=1, content_block=block)
        for piece in (arguments[:5], arguments[5:]):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield anthropic_event("content_block_delta", index=1, delta=delta)
        yield anthropic_event("content_block_stop", index=1)
    stop = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
    yield anthropic_event("message_delta", delta=stop, usage={"output_tokens": 7})
    yield anthropic_event("message_stop")


async def anthropic(request: Received, connection: Connection) -> None:
    """Answer a call to /v1/messages."""
    assert request.target == "/v1/messages"
    asked = request.json
    tool = asked["tools"][0]["name"] if "tools" in asked else None
    if asked.get("stream"):
        await connection.begin_stream()
        for event in anthropic_stream("Hel", "lo", tool=tool):
            await connection.chunk(event)
        await connection.last_chunk()
        return
    content: list[dict[str, Any]] = [{"type": "text", "text": "Hello"}]
    if tool is not None:
        content.append({"type": "tool_use", "id": "toolu_1", "name": tool, "input": {"a": 1}})
    body = anthropic_message(*content, stop="tool_use" if tool else "end_turn")
    headers = [*JSON, ("request-id", "req_anthropic"), ("anthropic-organization-id", "o")]
    await connection.answer(200, body, headers)


def anthropic_error(status: int, kind: str, message: str, *headers: tuple[str, str]) -> Any:
    """Return a handler that refuses, https://docs.anthropic.com/en/api/errors."""
    body = json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()

    async def refuse(request: Received, connection: Connection) -> None:
        await connection.answer(status, body, [*JSON, ("request-id", "req_err"), *headers])

    return refuse


async def ollama(request: Received, connection: Connection) -> None:
    """Answer /api/chat and /api/embed, https://github.com/ollama/ollama/blob/main/docs/api.md."""
    asked = request.json if request.body else {}
    if request.target == "/api/embed":
        body = {"model": "e", "embeddings": [[0.5, -0.5]], "prompt_eval_count": 2}
        await connection.answer(200, json.dumps(body).encode(), JSON)
        return
    if request.target != "/api/chat":
        await connection.answer(404, b'{"error":"not found"}', JSON)
        return
    base = {"model": asked["model"], "created_at": "2026-01-01T00:00:00Z"}
    counts = {"done_reason": "stop", "prompt_eval_count": 9, "eval_count": 2}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "Hello"}
        body = base | {"message": message, "done": True} | counts
        await connection.answer(200, json.dumps(body).encode(), JSON)
        return
    await connection.head(
        200, [("content-type", "application/x-ndjson"), ("transfer-encoding", "chunked")]
    )
    for word in ("Hel", "lo"):
        line = base | {"message": {"role": "assistant", "content": word}, "done": False}
        await connection.chunk(json.dumps(line).encode() + b"\n")
    last = base | {"message": {"role": "assistant", "content": ""}, "done": True} | counts
    await connection.chunk(json.dumps(last).encode() + b"\n")
    await connection.last_chunk()


def litellm_proxy(
    proxy_server: ProxyServer,
    upstream: FakeUpstream,
    model: str = "anthropic/{model}",
    handler: Handler = anthropic,
    **options: Any,
) -> Proxy:
    """Start a proxy whose only way goes through litellm to `upstream`, which answers as told."""
    upstream.handler = handler
    defaults = {"base_url": upstream.base_url.removesuffix("/v1"), "connect_retries": 0}
    config = UpstreamConfig(via="litellm", models={"*": model}, **defaults | options)
    route = Route(match=Match(), policy="half", upstream="provider")
    return proxy_server(upstreams={"provider": config}, routes=[route])
