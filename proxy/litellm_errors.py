"""What litellm raises -> what OpenAI's API would have answered, or the upstream's failure.

litellm makes exceptions with statuses out of everything that goes wrong, and its words quote what
they are about: messages, answers, tracebacks. So what happened is told from what was seen on the
connection, and words go to the client only where the provider said them.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from proxy.errors import (
    RequestRefused,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from proxy.litellm_answer import passed_headers

# How httpx calls what went wrong with a connection (https://www.python-httpx.org/exceptions/).
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
_SILENT = frozenset({"ReadTimeout", "WriteTimeout", "Timeout", "APITimeoutError"})
_BROKEN = frozenset({"ReadError", "WriteError", "CloseError", "RemoteProtocolError"})

_OWN_WORDS = re.compile(r"^(?:litellm\.\w+: |\w+(?:Error|Exception)(?::| -) )+")
_ADVICE = re.compile(r"\n\nThis looks like a bug in LiteLLM.*|\s*Handle with `litellm\..*", re.S)
_TRACEBACK = "Traceback (most recent call last)"
_PACKAGE = re.compile(r"pip install ['\"]?([A-Za-z0-9][\w.\[\]-]*)")
# What a request of the wrong form makes litellm stumble over.
_MISREAD = (LookupError, TypeError, ValueError, AttributeError)
_OVERLOADED = 529  # Anthropic's; OpenAI says 503


@dataclass(slots=True)
class CallTrace:
    """What was seen of one call on its connections: whether anything went out, and what came.

    `status` is that of the last answer, None without one. `unsupported` are the parameters that
    the provider is known to lack.
    """

    sent: bool = False
    status: int | None = None
    streamed: bool = False
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A provider's refusal as OpenAI would have put it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    message: str


Failure = ErrorAnswer | UpstreamError | RequestRefused


def failure(name: str, error: BaseException, secret: str | None, trace: CallTrace) -> Failure:
    """Return the answer that an error stands for, or the exception where there was no answer.

    `name` is the upstream's. `secret`, the key that was used, is taken out of the words.
    """
    chain = list(_chain(error))
    broken = _connection(name, chain)
    if broken is not None:
        return broken
    if trace.status is not None and trace.status >= 400:
        return _refusal(chain, trace.status, _message(error, secret))
    if not trace.sent:
        return _not_sent(name, chain, trace)
    said = chain[-1]
    status = _status_of(said)
    # An error that is told in a stream has no other one behind it: it was read, not run into.
    if trace.streamed and status is not None and trace.status == 200:
        return _refusal(chain, status, _message(said, secret))
    return UpstreamProtocolError(f"upstream '{name}' sent an answer that litellm cannot read")


def _connection(name: str, chain: list[BaseException]) -> UpstreamError | None:
    kinds = {type(link).__name__: link for link in chain}
    if unsent := kinds.keys() & _UNSENT:
        # The system's words, which are about addresses and certificates.
        words = str(kinds[min(unsent)])
        return UpstreamUnreachable(f"upstream '{name}' cannot be reached: {words}")
    if kinds.keys() & _SILENT:
        return UpstreamTimeout(f"upstream '{name}' did not answer in time (read_timeout_seconds)")
    if kinds.keys() & _BROKEN:
        return UpstreamDisconnected(
            f"upstream '{name}' closed the connection before it answered, or broke HTTP's rules"
        )
    return None


def _not_sent(name: str, chain: list[BaseException], trace: CallTrace) -> Failure:
    """Return what litellm's own refusal is: this machine lacks something, or a request is odd."""
    if any(isinstance(link, ImportError) for link in chain):
        return UpstreamUnreachable(
            f"upstream '{name}' cannot be asked: litellm needs a package for this provider that is "
            f"not installed here (pip install {_package(chain)})"
        )
    status = _status_of(chain[0])
    if type(chain[0]).__name__ == "UnsupportedParamsError":
        lacking = ", ".join(trace.unsupported) or "some that were sent"
        return RequestRefused(
            400,
            f"upstream '{name}' does not take these parameters, or not with these values: "
            f"{lacking}. (With drop_params they are left out.)",
            param=trace.unsupported[0] if trace.unsupported else None,
            code="unsupported_parameter",
        )
    if status in (401, 403):
        return UpstreamUnreachable(
            f"upstream '{name}' cannot be asked: litellm has no credentials for this provider"
        )
    if (status is not None and status < 500) or isinstance(chain[-1], _MISREAD):
        return RequestRefused(
            400,
            f"the request cannot be put into the form that the provider of upstream '{name}' "
            f"takes, so nothing was sent ({type(chain[0]).__name__}); see its messages and tools",
            code="unsupported_value",
        )
    return UpstreamUnreachable(f"upstream '{name}' cannot be asked: litellm could not send to it")


def _package(chain: list[BaseException]) -> str:
    for link in chain:
        if found := _PACKAGE.search(str(link)):
            return found[1]
    missing = (link.name for link in chain if isinstance(link, ImportError))
    return next((name for name in missing if name), "what its documentation names")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refusal(chain: list[BaseException], given: int, message: str) -> ErrorAnswer:
    """Return a provider's error, whose status `given` litellm knows better where it is below 500.

    It knows what providers mean by a 400; above it only ever says 500 or 503.
    """
    own = _status_of(chain[0])
    status = own if own is not None and own < 500 else given
    status = 503 if status == _OVERLOADED else status
    kind, code = _kind(type(chain[0]).__name__, status)
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return ErrorAnswer(status, _error_headers(chain), orjson.dumps(body), message)


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


def _message(error: BaseException, secret: str | None) -> str:
    """Return the provider's own words where they can be told from litellm's."""
    text = _ADVICE.sub("", _OWN_WORDS.sub("", str(error)))
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        with contextlib.suppress(orjson.JSONDecodeError):
            text = _said(orjson.loads(text[start : end + 1])) or text
    if _TRACEBACK in text:
        return "the provider refused the request"
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
