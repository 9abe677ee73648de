"""What is served where: everything under /v1, a few paths of our own, and nothing else."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

import orjson
from starlette.types import Receive, Scope, Send

from proxy import text_compression
from proxy.azure import PREFIX as AZURE_PREFIX
from proxy.azure import from_azure
from proxy.dialects import DIALECTS
from proxy.errors import (
    RequestRefused,
    error_body,
    error_shape,
    not_allowed,
    not_served,
    request_id_headers,
    too_many_connections,
    wrong_method,
)
from proxy.exchange import Exchange, new_request_id
from proxy.generation import Generation
from proxy.headers import header_map
from proxy.services import Services
from proxy.websocket_exchange import WebsocketExchange, refuse_unserved

# By the path as it came: one that is spelled with percent signs is none of these.
_DIALECTS = {path.encode("ascii"): dialect for path, dialect in DIALECTS.items()}

_COMPRESS = text_compression.PATH.encode("ascii")

Probe = Callable[[], tuple[int, bytes, bytes]]

# What no name in a path needs, and what would end a line or a string further on.
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
# A `..` segment in any spelling that some server might take for one: with backslashes, or with
# the path parameters of RFC 3986 section 3.3 behind it.
_CLIMBS = re.compile(rb"(?:^|[/\\])\.\.(?:;[^/\\]*)?(?=[/\\]|$)")


def within_api(raw_path: bytes) -> bool:
    """Return whether a request path, as it came, is under /v1 and cannot lead out of it.

    Nor may it hold control characters, however they are written.
    """
    if raw_path != b"/v1" and not raw_path.startswith(b"/v1/"):
        return False
    if b".." not in raw_path and b"%" not in raw_path:
        return True
    once = unquote_to_bytes(raw_path)
    twice = unquote_to_bytes(once)
    if _CONTROL.search(twice):
        return False
    return not any(_CLIMBS.search(path) for path in (raw_path, once, twice))


def readiness(degraded: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Return /readyz: 503 while there is no classifier, else 200 with what is degraded."""
    missing = "classifier" in degraded
    state = "unavailable" if missing else "degraded" if degraded else "ready"
    body = {"status": state, "degraded": dict(degraded)}
    return (503 if missing else 200), orjson.dumps(body), b"application/json"


def liveness() -> tuple[int, bytes, bytes]:
    """Return /healthz: the process is up."""
    return 200, b'{"status":"ok"}', b"application/json"


class Routes:
    """The ASGI application behind the lifespan."""

    def __init__(self, generation: Generation, probes: Mapping[str, Probe]) -> None:
        self._generation = generation
        self._probes = probes
        self._running = 0

    def use(self, generation: Generation) -> None:
        """Serve from now on with these services; what has begun ends with those it began with."""
        self._generation = generation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or its websocket."""
        scope = _placed(scope)
        if not within_api(scope["raw_path"]):
            await self._beside(scope, receive, send)
            return
        with self._generation.serving() as services:
            if scope["type"] == "websocket":
                await self._counted(services, WebsocketExchange(services, scope, receive, send))
            else:
                await self._serve(services, scope, receive, send)

    async def _serve(self, services: Services, scope: Scope, receive: Receive, send: Send) -> None:
        raw_path: bytes = scope["raw_path"]
        dialect = _DIALECTS.get(raw_path) if scope["method"] == "POST" else None
        itself = raw_path == _COMPRESS and scope["method"] == "POST"
        exchange = Exchange(services, scope, receive, send, dialect=dialect, answers_itself=itself)
        if scope["method"] == "TRACE":
            # It would show what was added on the way, the upstream's key for one.
            await exchange.run(not_allowed("TRACE"))
            return
        await self._counted(services, exchange)

    async def _counted(self, services: Services, exchange: Exchange | WebsocketExchange) -> None:
        limit = services.config.server.max_connections
        if self._running >= limit:
            await exchange.run(too_many_connections(limit))
            return
        self._running += 1
        try:
            await exchange.run()
        finally:
            self._running -= 1

    async def _beside(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] == "websocket":
            await refuse_unserved(scope, receive, send)
            return
        method = scope["method"]
        probe = self._probes.get(path)
        if probe is None:
            await _refuse(scope, send, not_served(method, path))
        elif method not in ("GET", "HEAD"):
            await _refuse(scope, send, wrong_method(method, path), ((b"allow", b"GET, HEAD"),))
        else:
            status, body, content_type = probe()
            await _answer(send, status, body, ((b"content-type", content_type),))


def _placed(scope: Scope) -> Scope:
    """Return the scope with a path of Azure's as OpenAI's."""
    raw_path: bytes = scope["raw_path"]
    azure = from_azure(raw_path)
    if azure is None:
        return scope
    # Read as it came before any of it is decoded: a deployment's name may be a `..` too.
    safe = within_api(b"/v1" + raw_path.removeprefix(AZURE_PREFIX))
    return {
        **scope,
        "raw_path": azure.raw_path if safe else raw_path,
        "path": azure.path,
        "tersely.deployment": azure.deployment,
    }


async def _refuse(
    scope: Scope,
    send: Send,
    error: RequestRefused,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    request_id = new_request_id()
    shape = error_shape(scope["path"], header_map(scope["headers"]))
    await _answer(
        send,
        error.status,
        error_body(error, request_id, shape),
        (
            (b"content-type", b"application/json"),
            *request_id_headers(request_id, shape),
            *headers,
        ),
    )


async def _answer(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
