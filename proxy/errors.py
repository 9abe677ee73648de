"""Exceptions that become an answer, and the one table that says which answer."""

import traceback
from dataclasses import dataclass

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


def error_body(error: BaseException, request_id: str) -> bytes:
    """Return the OpenAI error object as JSON. An unexpected exception's text is not in it."""
    answer = answer_for(error)
    if isinstance(error, RequestRefused | UpstreamError | ShuttingDown):
        message = str(error)
    else:
        message = (
            f"Tersely failed on this request. Its log has the cause under request id {request_id}."
        )
    param = error.param if isinstance(error, RequestRefused) else None
    return orjson.dumps(
        {"error": {"message": message, "type": answer.type, "param": param, "code": answer.code}}
    )


def not_served(method: str, path: str) -> RequestRefused:
    """Return the 404 for a path outside the API, in the words that OpenAI uses."""
    return RequestRefused(
        404,
        f"Invalid URL ({method} {path}). The API is under /v1; beside it there are /healthz, "
        "/readyz and /metrics.",
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
