"""One upstream API behind a small protocol, and its implementation by aiohttp."""

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import aiohttp
from aiohttp import hdrs
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from proxy.config_upstream import UpstreamConfig
from proxy.errors import (
    UpstreamCut,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from proxy.upstream_websocket import CLOSING, Refused, opened, refuses
from proxy.websocket import Handshake, SocketOptions

_T = TypeVar("_T")

_HEADER_LIMIT = 256 * 1024
_HEADER_COUNT_LIMIT = 4096
_READ_BUFFER = 64 * 1024
# Written in slices, so that a large body does not hold the event loop in one write.
_SLICE = 256 * 1024
_KEEP_ALIVE_SECONDS = 30.0
_CUT_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError)


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One request. `target` is the path and query below the base URL, exactly as it goes out.

    `model` is the name that the client asked for, "" where it is not known.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes | AsyncIterable[bytes] | None = None
    model: str = ""


class UpstreamResponse(Protocol):
    """An answer whose head has arrived."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; raises UpstreamCut or UpstreamTimeout."""
        ...

    def close(self) -> None:
        """Drop the answer; an unfinished one closes its connection at once."""
        ...


class Upstream(Protocol):
    """One configured upstream."""

    async def start(self) -> None:
        """Make ready to send; no connection is made yet."""
        ...

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send one request, once, and return when the head of its answer is there.

        Raises UpstreamUnreachable, UpstreamTimeout, UpstreamDisconnected, UpstreamProtocolError.
        """
        ...

    async def open(self, request: UpstreamRequest, options: SocketOptions) -> Handshake:
        """Open a websocket and return how its handshake ended; what it refuses is no error.

        Raises what `send` does, and UpstreamCut.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class _Response:
    """An aiohttp answer as an UpstreamResponse."""

    __slots__ = ("_name", "_raw", "headers", "status")

    def __init__(self, name: str, raw: aiohttp.ClientResponse) -> None:
        self._name = name
        self._raw = raw
        self.status = raw.status
        self.headers: Sequence[tuple[bytes, bytes]] = raw.raw_headers

    async def chunks(self) -> AsyncIterator[bytes]:
        content = self._raw.content
        while True:
            try:
                chunk = await content.readany()
            except _CUT_ERRORS as error:
                # readany raises before it hands out what had arrived until then.
                if rest := content._read_nowait(-1):
                    yield rest
                raise self._broken(error) from error
            if not chunk:
                return
            yield chunk

    def _broken(self, error: BaseException) -> UpstreamError:
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(
                f"upstream '{self._name}' fell silent in the middle of its answer"
            )
        return UpstreamCut(
            f"upstream '{self._name}' closed the connection in the middle of its answer"
        )

    def close(self) -> None:
        self._raw.close()


class _Stall:
    """Ends a send when the upstream takes nothing of the body for too long.

    The HTTP client's own read timeout starts once the body is written.
    """

    def __init__(self, timer: asyncio.Timeout, seconds: float) -> None:
        self._timer: asyncio.Timeout | None = timer
        self._seconds = seconds

    def _set(self, when: float | None) -> None:
        if self._timer is not None:
            self._timer.reschedule(when)

    def over(self) -> None:
        """Stop watching: the answer has begun, or will not come."""
        self._timer = None

    async def watch(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Yield the body; the clock runs while a piece is being written."""
        loop = asyncio.get_running_loop()
        async for piece in body:
            self._set(loop.time() + self._seconds)
            yield piece
            self._set(None)


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _SLICE):
        yield body[start : start + _SLICE]


class AiohttpUpstream:
    """An API that speaks HTTP: a connection pool, its limits and where it is."""

    def __init__(self, name: str, config: UpstreamConfig) -> None:
        self.name = name
        self.config = config
        self._base = URL((config.base_url or "").rstrip("/"), encoded=True)
        self._path = self._base.raw_path.rstrip("/")
        self._opened: aiohttp.ClientSession | None = None
        self._for_sockets: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the sessions; no connection is made yet."""
        self._opened = self._new_session(self.config.max_connections)
        # Websockets stay open for long and must not keep requests waiting for a connection. How
        # many there are is bounded by server.max_connections.
        self._for_sockets = self._new_session(0)

    @property
    def _session(self) -> aiohttp.ClientSession:
        return self._started(self._opened)

    def _started(self, session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
        if session is None:
            raise RuntimeError(f"upstream '{self.name}' was not started")
        return session

    def _new_session(self, limit: int) -> aiohttp.ClientSession:
        config = self.config
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=limit,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                ssl=_trusted(config),
            ),
            # Carrying a cookie from one client's answer to another's request would mix them up.
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=config.connect_timeout_seconds,
                sock_read=config.read_timeout_seconds,
            ),
            auto_decompress=False,
            skip_auto_headers=(
                hdrs.USER_AGENT,
                hdrs.ACCEPT,
                hdrs.ACCEPT_ENCODING,
                hdrs.CONTENT_TYPE,
            ),
            trust_env=False,
            read_bufsize=_READ_BUFFER,
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
            max_headers=_HEADER_COUNT_LIMIT,
            middlewares=(self._send_once,),
        )

    async def _send_once(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # aiohttp repeats idempotent requests on a connection error of its own accord. The
        # upstream may have read the first one, so the error leaves here as one it does not know.
        try:
            answer = await handler(request)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise
        except TimeoutError as error:
            raise self._silent() from error
        except aiohttp.ClientConnectionError as error:
            raise UpstreamDisconnected(
                f"upstream '{self.name}' closed the connection before it answered"
            ) from error
        if refuses(request, answer):
            raise Refused(answer)
        return answer

    def _silent(self) -> UpstreamTimeout:
        return UpstreamTimeout(
            f"upstream '{self.name}' did not answer within "
            f"{self.config.read_timeout_seconds:g} seconds (read_timeout_seconds)"
        )

    def _url(self, target: str) -> URL:
        # With the query inside the path, yarl leaves every byte of the target alone.
        return self._base.with_path(self._path + target, encoded=True)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send one request, once; see Upstream.send."""
        body = request.body
        if body is None or (isinstance(body, bytes) and len(body) <= _SLICE):
            return await self._exchange(request, body)
        try:
            async with asyncio.timeout(None) as timer:
                stall = _Stall(timer, self.config.read_timeout_seconds)
                try:
                    pieces = _slices(body) if isinstance(body, bytes) else body
                    return await self._exchange(request, stall.watch(pieces))
                finally:
                    stall.over()
        except TimeoutError as error:
            raise self._silent() from error

    async def open(self, request: UpstreamRequest, options: SocketOptions) -> Handshake:
        """Open a websocket; see Upstream.open."""
        connecting = self._started(self._for_sockets).ws_connect(
            self._url(request.target),
            headers=request.headers,
            protocols=options.subprotocols,
            timeout=CLOSING,
            autoclose=False,
            heartbeat=options.ping_seconds or None,
            max_msg_size=options.max_message_bytes + 1,  # where aiohttp begins to refuse
        )
        return await self._connected(opened(self.name, connecting, options))

    async def _exchange(
        self, request: UpstreamRequest, body: bytes | AsyncIterable[bytes] | None
    ) -> UpstreamResponse:
        answer = self._session.request(
            request.method,
            self._url(request.target),
            headers=request.headers,
            data=body,
            allow_redirects=False,
        )
        return _Response(self.name, await self._connected(answer))

    async def _connected(self, answer: Awaitable[_T]) -> _T:
        """Return what comes of a request; its failures in the proxy's own words."""
        try:
            return await answer
        except aiohttp.ConnectionTimeoutError as error:
            raise UpstreamUnreachable(
                f"upstream '{self.name}' at {self._base.origin()}: no connection within "
                f"{self.config.connect_timeout_seconds:g} seconds (connect_timeout_seconds)"
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise UpstreamUnreachable(
                f"upstream '{self.name}' at {self._base.origin()} has a certificate that is not "
                f"trusted, so nothing was sent (ca_file names a private authority): {error}"
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise UpstreamUnreachable(
                f"upstream '{self.name}' at {self._base.origin()} cannot be reached: {error}"
            ) from error
        except (aiohttp.ClientError, HttpProcessingError) as error:
            raise UpstreamProtocolError(
                f"upstream '{self.name}' sent an answer that is not HTTP: {_kind(error)}"
            ) from error

    async def close(self) -> None:
        """Close the sessions and their connections."""
        for session in (self._opened, self._for_sockets):
            if session is not None:
                await session.close()


def _kind(error: Exception) -> str:
    """Return what was wrong with an answer, without what the HTTP client quotes of it."""
    message = str(getattr(error, "message", "")) or type(error).__name__
    return message.partition(":")[0].partition("\n")[0]


def _trusted(config: UpstreamConfig) -> ssl.SSLContext | bool:
    """Return what certificates are checked against; True is the system's authorities."""
    if config.ca_file is None:
        return True
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=config.ca_file)
    return context
