"""Servers that speak what Gemini, Mistral and Bedrock speak, for what goes through litellm."""

import binascii
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from tests.integration.fake_upstream import JSON, Connection, Received

MODEL = "amazon.nova-lite-v1:0"


async def gemini(request: Received, connection: Connection) -> None:
    """Answer a generateContent call, https://ai.google.dev/api/generate-content."""
    counts = {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11}
    streamed = ":streamGenerateContent" in request.target
    if not streamed:
        body = _candidate("Hello", finish="STOP") | {"usageMetadata": counts}
        await connection.answer(200, json.dumps(body).encode(), JSON)
        return
    await connection.begin_stream()
    last = _candidate("lo", finish="STOP") | {"usageMetadata": counts}
    for piece in (_candidate("Hel"), last):
        await connection.chunk(b"data: " + json.dumps(piece).encode() + b"\r\n\r\n")
    await connection.last_chunk()


def _candidate(text: str, finish: str | None = None) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    ended = {"finishReason": finish} if finish else {}
    return {"candidates": [{"content": content, "index": 0, **ended}], "modelVersion": "g-1"}


async def mistral(request: Received, connection: Connection) -> None:
    """Answer a chat completion, https://docs.mistral.ai/api/#tag/chat."""
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    base = {"id": "cmpl-1", "created": 1, "model": "mistral-test"}
    if not request.json.get("stream"):
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "tool_calls": None},
            "finish_reason": "stop",
        }
        body = base | {"object": "chat.completion", "choices": [choice], "usage": usage}
        await connection.answer(200, json.dumps(body).encode(), JSON)
        return
    await connection.begin_stream()
    pieces: list[tuple[str, str | None]] = [("Hel", None), ("lo", None), ("", "stop")]
    for text, finish in pieces:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        body = base | {"object": "chat.completion.chunk", "choices": [choice]}
        if finish:
            body["usage"] = usage
        await connection.chunk(b"data: " + json.dumps(body).encode() + b"\n\n")
    await connection.chunk(b"data: [DONE]\n\n")
    await connection.last_chunk()


async def bedrock(request: Received, connection: Connection) -> None:
    """Answer Converse, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html."""
    counts = {
        "usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11},
        "metrics": {"latencyMs": 1},
    }
    if not request.target.endswith("/converse-stream"):
        message = {"role": "assistant", "content": [{"text": "Hello"}]}
        body = {"output": {"message": message}, "stopReason": "end_turn", **counts}
        await connection.answer(200, json.dumps(body).encode(), JSON)
        return
    kind = "application/vnd.amazon.eventstream"
    await connection.head(200, [("content-type", kind), ("transfer-encoding", "chunked")])
    for event in _converse_stream(counts):
        await connection.chunk(event)
    await connection.last_chunk()


def _converse_stream(counts: Mapping[str, Any]) -> Iterator[bytes]:
    yield _aws_event("messageStart", {"role": "assistant"})
    for text in ("Hel", "lo"):
        delta = {"contentBlockIndex": 0, "delta": {"text": text}}
        yield _aws_event("contentBlockDelta", delta)
    yield _aws_event("contentBlockStop", {"contentBlockIndex": 0})
    yield _aws_event("messageStop", {"stopReason": "end_turn"})
    yield _aws_event("metadata", counts)


def _aws_event(kind: str, body: Mapping[str, Any]) -> bytes:
    """One event of Amazon's binary stream: lengths, headers, the body, and two checksums."""
    named = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        bytes([len(name)])
        + name.encode()
        + b"\x07"
        + struct.pack(">H", len(value))
        + value.encode()
        for name, value in named.items()
    )
    payload = json.dumps(body).encode()
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack(">I", binascii.crc32(lengths)) + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))
