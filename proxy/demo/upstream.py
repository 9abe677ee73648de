"""A stand-in for a provider: speaks the chat API, counts tokens for real, and says what it is."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from compressor.types import TokenCounter

MODEL = "gpt-4o-mini"
# What the chat format adds, as OpenAI's cookbook counts it: 3 a message, 3 to begin the answer.
_TOKENS_PER_MESSAGE = 3


class StandIn:
    """Answers /v1/chat/completions, streamed or whole, and keeps the last body it was sent."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        self.received: dict[str, Any] = {}
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/v1/models", self._models),
            ]
        )

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: Request) -> Response:
        self.received = body = await request.json()
        prompt = _TOKENS_PER_MESSAGE
        for message in body["messages"]:
            prompt += _TOKENS_PER_MESSAGE + self._counter.count(str(message["content"]))
        answer = (
            f"I am a stand-in for a language model and have understood nothing. "
            f"Your prompt reached me with {prompt} tokens."
        )
        completion = self._counter.count(answer)
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        if body.get("stream"):
            wanted = bool((body.get("stream_options") or {}).get("include_usage"))
            chunks = _stream(body["model"], answer, usage if wanted else None)
            return StreamingResponse(chunks, media_type="text/event-stream")
        message = {"role": "assistant", "content": answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse(
            _completion("chat.completion", body["model"], [choice]) | {"usage": usage}
        )


def _completion(kind: str, model: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-demo",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": choices,
    }


async def _stream(model: str, answer: str, usage: dict[str, int] | None) -> AsyncIterator[bytes]:
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f"{word} "} for word in answer.split()]
    extra: dict[str, Any] = {} if usage is None else {"usage": None}
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        yield _event(_completion("chat.completion.chunk", model, [choice]) | extra)
    choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield _event(_completion("chat.completion.chunk", model, [choice]) | extra)
    if usage is not None:
        yield _event(_completion("chat.completion.chunk", model, []) | {"usage": usage})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"
