"""Exceptions that become an answer, and the one table that says which answer."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import orjson

from proxy.savings import Ending


class RequestRefused(Exception):
    """The proxy itself refuses a request; becomes an OpenAI error body with this status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.retry_after = retry_after  # seconds
        self.headers = headers  # for the answer, besides


class ClientGone(Exception):
    """The client closed its connection; there is nobody left to answer."""


class ShuttingDown(Exception):
    """The server ends before the request did."""

    def __init__(self) -> None:
        super().__init__("Tersely is shutting down; this request was cut off.")


class UpstreamError(Exception):
    """The upstream gave no usable answer. The text is for the client and names the upstream."""


class UpstreamUnreachable(UpstreamError):
    """No connection could be opened, so nothing was sent. The only failure that is retried."""


class UpstreamTimeout(UpstreamError):
    """Nothing was read from, or taken by, the upstream for longer than its read timeout."""


class UpstreamDisconnected(UpstreamError):
    """The connection closed before the head of an answer; the request may have been read."""


class UpstreamProtocolError(UpstreamError):
    """The answer's head was not HTTP."""


class UpstreamCut(UpstreamError):
    """The connection closed in the middle of the answer's body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client is told about an exception, and how the record calls it."""

    status: int
    type: str
    code: str | None
    ending: Ending


_INTERNAL = Answer(500, "server_error", "internal_error", Ending.INTERNAL_ERROR)

# The table. A subclass is looked up by its own type, then by its bases.
_ANSWERS: dict[type[BaseException], Answer] = {
    ShuttingDown: Answer(503, "server_error", "shutting_down", Ending.INTERNAL_ERROR),
    UpstreamUnreachable: Answer(
        502, "upstream_error", "upstream_unreachable", Ending.UPSTREAM_UNREACHABLE
    ),
    UpstreamDisconnected: Answer(
        502, "upstream_error", "upstream_disconnected", Ending.UPSTREAM_CUT
    ),
    UpstreamProtocolError: Answer(
        502, "upstream_error", "upstream_protocol_error", Ending.UPSTREAM_CUT
    ),
    UpstreamCut: Answer(502, "upstream_error", "upstream_cut", Ending.UPSTREAM_CUT),
    UpstreamTimeout: Answer(504, "upstream_error", "upstream_timeout", Ending.UPSTREAM_TIMEOUT),
}


def without_words(error: BaseException) -> str:
    """Return what an unexpected exception was and where it came from, for a log.

    Its message is left out: it can quote the prompt, a header or a key that it is about.
    """
    parts: list[str] = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop(0)
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        parts.append("".join(traceback.format_tb(found.__traceback__)) + type(found).__name__)
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(found.exceptions)
        waiting.append(found.__cause__ or found.__context__)
    return "\nfrom\n".join(parts)


def answer_for(error: BaseException) -> Answer:
    """Return the answer to an exception; 500 for one that nobody expected."""
    if isinstance(error, RequestRefused):
        return Answer(error.status, error.type, error.code, Ending.REFUSED)
    for kind in type(error).__mro__:
        if kind in _ANSWERS:
            return _ANSWERS[kind]
    return _INTERNAL


class ErrorShape(Enum):
    """Whose error bodies a client reads."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


# https://docs.claude.com/en/api/errors
_ANTHROPIC_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error_shape(path: str, headers: Mapping[str, str]) -> ErrorShape:
    """Return the shape for a request; its header names are in lower case.

    Clients of Anthropic's API name its version in every request, whatever its path.
    """
    if "anthropic-version" in headers or path == "/v1/messages" or path.startswith("/v1/messages/"):
        return ErrorShape.ANTHROPIC
    return ErrorShape.OPENAI


def error_body(
    error: BaseException, request_id: str, shape: ErrorShape = ErrorShape.OPENAI
) -> bytes:
    """Return the error object as JSON. An unexpected exception's text is not in it."""
    answer = answer_for(error)
    if isinstance(error, RequestRefused | UpstreamError | ShuttingDown):
        message = str(error)
    else:
        message = (
            f"Tersely failed on this request. Its log has the cause under request id {request_id}."
        )
    if shape is ErrorShape.ANTHROPIC:
        other = "invalid_request_error" if answer.status < 500 else "api_error"
        kind = _ANTHROPIC_TYPES.get(answer.status, other)
        told = {"type": kind, "message": message}
        return orjson.dumps({"type": "error", "error": told, "request_id": request_id})
    param = error.param if isinstance(error, RequestRefused) else None
    return orjson.dumps(
        {"error": {"message": message, "type": answer.type, "param": param, "code": answer.code}}
    )


def request_id_headers(request_id: str, shape: ErrorShape) -> list[tuple[bytes, bytes]]:
    """Return an answer's id in the headers where its client looks for it."""
    value = request_id.encode("ascii")
    headers = [(b"x-request-id", value)]
    return [*headers, (b"request-id", value)] if shape is ErrorShape.ANTHROPIC else headers


def error_headers(
    error: BaseException, request_id: str, shape: ErrorShape, length: int
) -> list[tuple[bytes, bytes]]:
    """Return the headers of an error's answer, whose body has `length` bytes."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % length),
        *request_id_headers(request_id, shape),
    ]
    if isinstance(error, RequestRefused):
        headers += error.headers
        if error.retry_after is not None:
            headers.append((b"retry-after", b"%d" % error.retry_after))
    return headers


def not_served(method: str, path: str) -> RequestRefused:
    """Return the 404 for a path outside the API, in the words that OpenAI uses."""
    return RequestRefused(
        404,
        f"Invalid URL ({method} {path}). The API is under /v1; beside it there are /healthz, "
        "/readyz, /metrics and /openapi.json.",
        code="unknown_url",
    )


def wrong_method(method: str, path: str) -> RequestRefused:
    """Return the 405 for a path that is only read."""
    return RequestRefused(
        405, f"Not allowed to {method} on {path}; use GET or HEAD.", code="method_not_allowed"
    )


def not_allowed(method: str) -> RequestRefused:
    """Return the 405 for a method that is not passed on, on any path."""
    return RequestRefused(405, f"The method {method} is not passed on.", code="method_not_allowed")


def foreign_origin() -> RequestRefused:
    """Return the 403 for a web page from elsewhere that would use an upstream's own key."""
    return RequestRefused(
        403,
        "This web page may not open a websocket here: without proxy keys every "
        "page that somebody on this machine visits could use the upstream's key. With proxy keys "
        "(access.keys) a page that has one may.",
        code="origin_not_allowed",
    )


def too_large(limit: int) -> RequestRefused:
    """Return the 413 for a body that is to be read here and is over `limit` bytes."""
    return RequestRefused(
        413,
        f"The body is over {limit} bytes (server.max_parse_bytes).",
        code="request_too_large",
    )


def too_many_connections(limit: int) -> RequestRefused:
    """Return the 503 for a request over the concurrency cap."""
    return RequestRefused(
        503,
        f"Tersely is serving its limit of {limit} requests (server.max_connections). "
        "Try again shortly.",
        type="server_error",
        code="too_many_connections",
        retry_after=1,
    )
