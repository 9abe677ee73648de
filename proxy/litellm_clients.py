"""The HTTP clients that litellm sends with, made here: litellm's own are set by the environment.

SSL_VERIFY turns the check of certificates off there, HTTP_PROXY takes requests with their keys to
another address, and a redirect is followed to any. Here certificates are verified, against the
system's authorities and httpx's, and the config alone says where requests go.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from proxy.litellm_errors import CallTrace

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 600.0  # where a call brings no limits
_KEPT_ALIVE = 100  # how many are open is bounded by server.max_connections
_SHARED = "shared"  # the loop's client for what has no provider's name of its own


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients that note on a call's trace what they do; `traces` holds that of this call.

    `httpx` and `http_handler` are the library's, `trusted` is the ssl.SSLContext.
    """

    httpx: Any
    http_handler: Any
    trusted: Any
    traces: ContextVar[CallTrace | None]

    def for_loop(self, handler: Any, timeout: Any, **_: object) -> Any:  # noqa: ANN401
        """Return what AsyncHTTPHandler.create_client does."""

        async def sent(request: object) -> None:
            self.sent(request)

        async def answered(response: Any) -> None:  # noqa: ANN401
            self.answered(response)

        return self.httpx.AsyncClient(
            transport=handler.transport,
            event_hooks={"request": [sent], "response": [answered]},
            **self._settings(timeout, self.http_handler.get_default_headers()),
        )

    def for_handler(self, handler: Any) -> Any:  # noqa: ANN401
        """Return what HTTPHandler.create_client does: a client that blocks."""
        bare = handler.disable_default_headers
        headers = None if bare else self.http_handler.get_default_headers()
        return self.blocking(handler.timeout, headers)

    def blocking(self, timeout: Any, headers: Any) -> Any:  # noqa: ANN401
        """Return a client that blocks."""
        hooks = {"request": [self.sent], "response": [self.answered]}
        return self.httpx.Client(event_hooks=hooks, **self._settings(timeout, headers))

    def _settings(self, timeout: Any, headers: Any) -> dict[str, Any]:  # noqa: ANN401
        if timeout is None:
            timeout = self.httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
        return {
            "timeout": timeout,
            "headers": headers,
            "cookies": self.http_handler.blocked_cookie_jar(),
            "verify": self.trusted,
            "limits": self.httpx.Limits(
                max_connections=None, max_keepalive_connections=_KEPT_ALIVE
            ),
            "trust_env": False,
            "follow_redirects": False,
        }

    def sent(self, _: object) -> None:
        """Note that a request goes out."""
        if (trace := self.traces.get()) is not None:
            trace.sent = True

    def answered(self, response: Any) -> None:  # noqa: ANN401
        """Note an answer's status."""
        if (trace := self.traces.get()) is not None:
            trace.status = response.status_code


def replace_clients(
    litellm: Any,  # noqa: ANN401
    http_handler: Any,  # noqa: ANN401
    traces: ContextVar[CallTrace | None],
) -> None:
    """Have every HTTP client of litellm's be one of ours; `http_handler` is its module for them."""
    trusted = litellm.httpx.create_ssl_context(trust_env=False)
    trusted.load_default_certs()
    clients = Clients(litellm.httpx, http_handler, trusted, traces)

    # Functions, not bound methods, so that they are given the handler.
    def for_loop(handler: Any, timeout: Any, **options: object) -> Any:  # noqa: ANN401
        return clients.for_loop(handler, timeout, **options)

    def for_handler(handler: Any) -> Any:  # noqa: ANN401
        return clients.for_handler(handler)

    http_handler.AsyncHTTPHandler.create_client = for_loop
    http_handler.HTTPHandler.create_client = for_handler
    # Asked by what makes its clients elsewhere, like boto3's.
    http_handler.get_ssl_verify = lambda ssl_verify=None: True
    _send_once(http_handler.AsyncHTTPHandler)
    litellm.client_session = clients.blocking(None, None)
    _share_by_loop(
        litellm,
        http_handler.AsyncHTTPHandler,
        lambda: http_handler.get_async_httpx_client(_SHARED, {"timeout": None}),
    )


def _send_once(handler: Any) -> None:  # noqa: ANN401
    async def not_again(*_: object, **__: object) -> None:
        # Called while the first failure is being handled, to send the request once more. The
        # provider may have read, and bill, it already.
        raise  # noqa: PLE0704

    handler.single_connection_post_request = not_again


def _share_by_loop(litellm: Any, handler: Any, of_the_loop: Callable[[], Any]) -> None:  # noqa: ANN401
    """Replace the clients that are shared across event loops by one for each loop."""

    class HandlerOfTheLoop(handler):  # type: ignore[misc]  # the library is not typed
        """Passes every call on to the running event loop's own handler."""

        def __init__(self) -> None:
            pass

        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
            if name.startswith("__"):
                return object.__getattribute__(self, name)
            return getattr(of_the_loop(), name)

    class SessionOfTheLoop(litellm.httpx.AsyncClient):  # type: ignore[misc]
        """Is what the openai SDK sends with: the running event loop's own client."""

        def __init__(self) -> None:
            pass

        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
            if name.startswith("__") or name == "aclose":
                return object.__getattribute__(self, name)
            return getattr(of_the_loop().client, name)

        async def aclose(self) -> None:
            """Do nothing: the client is closed with its loop's last user."""

    litellm.module_level_aclient = HandlerOfTheLoop()
    litellm.aclient_session = SessionOfTheLoop()
