"""A stand-in for an upstream: speaks the OpenAI API, counts real tokens, understands nothing."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from compressor.tokens import Tokenizers

MODEL = "gpt-4o"
# What a message and the start of the reply cost besides their text, as OpenAI's cookbook counts
# them ("How to count tokens with tiktoken").
_PER_MESSAGE = 3
_REPLY_PRIMING = 3


class StandIn:
    """The upstream as an ASGI application, `app`. Keeps the `received` chat bodies."""

    def __init__(self, tokenizers: Tokenizers) -> None:
        self.received: list[Mapping[str, Any]] = []
        self._tokenizers = tokenizers
        self.app = Starlette(
            routes=[
                Route("/v1/models", self._models, methods=["GET"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ]
        )

    async def _models(self, request: Request) -> Response:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tersely-demo"}
        return _json({"object": "list", "data": [model]})

    async def _chat(self, request: Request) -> Response:
        try:
            body = orjson.loads(await request.body())
            prompt_tokens = self._prompt_tokens(body["model"], body["messages"])
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            message = "the body is not a chat completion request"
            return _json({"error": {"message": message, "type": "invalid_request_error"}}, 400)
        self.received.append(body)
        words = _answer(prompt_tokens)
        completion_tokens = self._count(body["model"], "".join(words))
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        }
        if body.get("stream"):
            asked = (body.get("stream_options") or {}).get("include_usage")
            events = _events(body["model"], words, usage if asked else None)
            return StreamingResponse(events, media_type="text/event-stream")
        message = {"role": "assistant", "content": "".join(words), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        head = _head(body["model"], "chat.completion")
        return _json({**head, "choices": [choice], "usage": usage})

    def _prompt_tokens(self, model: str, messages: Sequence[Mapping[str, Any]]) -> int:
        texts = [text for message in messages for text in (message["role"], *_texts(message))]
        framing = _PER_MESSAGE * len(messages) + _REPLY_PRIMING
        return framing + sum(self._count(model, text) for text in texts)

    def _count(self, model: str, text: str) -> int:
        encoding = self._tokenizers.for_model(model).encoding
        return self._tokenizers.counter(encoding).count(text)


def _texts(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content") or ""
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content if part.get("type") == "text"]


def _answer(prompt_tokens: int) -> list[str]:
    """Return the answer in the pieces that a stream sends."""
    text = (
        f"This is the stand-in upstream. I received {prompt_tokens:,} prompt tokens, and I cannot "
        "answer your question: there is no model behind me."
    )
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


async def _events(
    model: str, words: Sequence[str], usage: Mapping[str, int] | None
) -> AsyncIterator[bytes]:
    head = _head(model, "chat.completion.chunk")
    if usage is not None:
        head["usage"] = None
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in words), {}]
    for delta in deltas:
        reason = None if delta else "stop"
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield _event({**head, "choices": [choice]})
    if usage is not None:
        yield _event({**head, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _head(model: str, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-demo", "object": kind, "created": int(time.time()), "model": model}


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
