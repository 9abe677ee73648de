"""What litellm returns or raises -> what OpenAI's API would have answered."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from proxy.errors import (
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)

DONE = b"data: [DONE]\n\n"

# Members that are litellm's own, or that OpenAI has only where they say something.
_NEVER = frozenset({"provider_specific_fields", "citations"})
_MAY_BE_NULL = ("content", "refusal")
# How httpx calls what went wrong with a connection (https://www.python-httpx.org/exceptions/).
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
_SILENT = frozenset({"ReadTimeout", "WriteTimeout", "Timeout", "APITimeoutError"})
_BROKEN = frozenset({"ReadError", "WriteError", "CloseError", "RemoteProtocolError"})

_OWN_WORDS = re.compile(r"^(?:litellm\.\w+: |\w+(?:Error|Exception)(?::| -) )+")
_ADVICE = re.compile(r"\n\nThis looks like a bug in LiteLLM.*|\s*Handle with `litellm\..*", re.S)
_OVERLOADED = 529  # Anthropic's; OpenAI says 503


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


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A provider's refusal as OpenAI would have put it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    message: str


def failure(name: str, error: BaseException, secret: str | None) -> ErrorAnswer | UpstreamError:
    """Return the answer that an error stands for, or the exception where there was no answer.

    `name` is the upstream's. `secret`, the key that was used, is taken out of the words.
    """
    chain = list(_chain(error))
    message = _message(error, secret)
    kinds = {type(link).__name__ for link in chain}
    if kinds & _UNSENT:
        return UpstreamUnreachable(f"upstream '{name}' cannot be reached: {message}")
    if kinds & _SILENT:
        return UpstreamTimeout(
            f"upstream '{name}' did not answer in time (read_timeout_seconds): {message}"
        )
    if kinds & _BROKEN:
        return UpstreamDisconnected(
            f"upstream '{name}' closed the connection before it answered: {message}"
        )
    status = _status(chain)
    if status is None:
        return UpstreamProtocolError(
            f"upstream '{name}' sent an answer that litellm cannot read: {message}"
        )
    kind, code = _kind(type(error).__name__, status)
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return ErrorAnswer(status, _error_headers(chain), orjson.dumps(body), message)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(chain: list[BaseException]) -> int | None:
    """Return the status, None where no provider gave one.

    litellm's own is the better one below 500, where it knows what providers mean by a 400; above
    it only ever says 500 or 503.
    """
    found = [status for link in chain if (status := _status_of(link)) is not None]
    if not found:
        return None
    if found[0] < 500:
        return found[0]
    if len(found) == 1 and type(chain[0]).__name__ == "APIConnectionError":
        return None  # the 500 that litellm gives to everything that it did not expect
    provider = next((status for status in found[1:] if status >= 500), found[0])
    return 503 if provider == _OVERLOADED else provider


def _status_of(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status <= 599:
        return status
    return None


def _kind(name: str, status: int) -> tuple[str, str | None]:
    """Return OpenAI's type and code, https://platform.openai.com/docs/guides/error-codes."""
    codes: Mapping[str, str] = {
        "ContextWindowExceededError": "context_length_exceeded",
        "ContentPolicyViolationError": "content_policy_violation",
        "UnsupportedParamsError": "unsupported_parameter",
    }
    by_status: Mapping[int, tuple[str, str | None]] = {
        401: ("invalid_request_error", "invalid_api_key"),
        403: ("permission_error", "permission_denied"),
        404: ("invalid_request_error", "model_not_found"),
        429: ("rate_limit_error", "rate_limit_exceeded"),
        503: ("server_error", "overloaded"),
    }
    if status in by_status:
        return by_status[status]
    kind = "invalid_request_error" if status < 500 else "server_error"
    return kind, codes.get(name)


def _error_headers(chain: list[BaseException]) -> tuple[tuple[bytes, bytes], ...]:
    headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
    for link in chain:
        given = getattr(link, "litellm_response_headers", None)
        if isinstance(given, Mapping):
            headers += passed_headers(given)
            break
    return tuple(headers)


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


def _message(error: BaseException, secret: str | None) -> str:
    """Return the provider's own words where they can be told from litellm's."""
    text = _ADVICE.sub("", _OWN_WORDS.sub("", str(error)))
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        with contextlib.suppress(orjson.JSONDecodeError):
            text = _said(orjson.loads(text[start : end + 1])) or text
    return text.replace(secret, "***") if secret else text


def _said(body: object) -> str | None:
    if isinstance(body, Mapping):
        for name in ("error", "message", "detail"):
            inner = body.get(name)
            if isinstance(inner, str):
                return inner
            if found := _said(inner):
                return found
    return None
