"""What litellm returns -> what OpenAI's API would have answered; see litellm_errors for errors."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

DONE = b"data: [DONE]\n\n"

# Members that are litellm's own, or that OpenAI has only where they say something.
_NEVER = frozenset({"provider_specific_fields", "citations"})
_MAY_BE_NULL = ("content", "refusal")


class AnswerForm(Protocol):
    """How what litellm returns is given to the client."""

    end: bytes  # of a stream

    def body(self, answer: Any) -> bytes:  # noqa: ANN401
        """Return a whole answer."""
        ...

    def read(self, stream: Any) -> Any:  # noqa: ANN401
        """Return what a stream's events are made of, one after the other."""
        ...

    def events(self, piece: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Yield the events for one of those."""
        ...


class CompletionForm:
    """As a chat or text completion, or embeddings."""

    end = DONE

    def __init__(self, include_usage: bool) -> None:
        self._include_usage = include_usage

    def body(self, answer: Any) -> bytes:  # noqa: ANN401
        """Return it as OpenAI's JSON."""
        return completion_body(answer.model_dump())

    def read(self, stream: Any) -> Any:  # noqa: ANN401
        """Return the stream itself."""
        return stream

    def events(self, piece: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Yield a chunk's events."""
        return stream_event(piece.model_dump(), include_usage=self._include_usage)


def completion_body(answer: Mapping[str, Any]) -> bytes:
    """Return a chat or text completion, or a list of embeddings, as JSON."""
    body = without_nulls(answer)
    for choice in body.get("choices", ()):
        choice.setdefault("finish_reason", None)
        choice.setdefault("logprobs", None)
        message = choice.get("message")
        if isinstance(message, dict):
            message |= {name: None for name in _MAY_BE_NULL if name not in message}
            for call in message.get("tool_calls", ()):
                call.pop("index", None)
            for name in [name for name, value in message.items() if value == []]:
                del message[name]
    return json_bytes(body)


def stream_event(chunk: Mapping[str, Any], *, include_usage: bool) -> Iterator[bytes]:
    """Yield the event for a chunk, and one for its usage alone where the client asked for that.

    OpenAI sends `usage: null` with every chunk then, and the counts with an empty `choices`.
    """
    body = without_nulls(chunk)
    usage = body.pop("usage", None)
    for choice in body.get("choices", ()):
        choice.setdefault("finish_reason", None)
        if "delta" not in choice:
            choice.setdefault("text", "")
    if include_usage:
        body["usage"] = None
    empty = all(
        not choice.get("delta", choice.get("text")) and choice["finish_reason"] is None
        for choice in body.get("choices", ())
    )
    if usage is None or not empty:
        yield _event(body)
    if usage is not None and include_usage:
        yield _event(body | {"choices": [], "usage": usage})


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json_bytes(body) + b"\n\n"


def json_bytes(body: Mapping[str, Any]) -> bytes:
    """Return an object as JSON, whatever its numbers and strings."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # integers beyond 64 bits, lone surrogates
        return json.dumps(body).encode()


def without_nulls(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a value without null members and those that are litellm's own."""
    if isinstance(value, Mapping):
        return {
            name: without_nulls(member)
            for name, member in value.items()
            if member is not None and name not in _NEVER
        }
    return [without_nulls(item) for item in value] if isinstance(value, list | tuple) else value


def passed_headers(given: Mapping[str, object]) -> Iterator[tuple[bytes, bytes]]:
    """Yield a provider's headers that mean the same to a client of OpenAI."""
    seen: set[str] = set()
    for name, value in given.items():
        key = name.lower().removeprefix("llm_provider-")
        key = "x-request-id" if key == "request-id" else key
        if key in seen or not isinstance(value, str | int):
            continue
        if key in ("retry-after", "retry-after-ms", "x-request-id") or key.startswith(
            "x-ratelimit-"
        ):
            seen.add(key)
            yield key.encode("latin-1"), str(value).encode("latin-1", "replace")
