"""One websocket from its opening handshake to its record."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from policies.types import Route
from proxy import headers as head
from proxy.access import UNKNOWN_TENANT, Caller
from proxy.errors import (
    ClientGone,
    RequestRefused,
    ShuttingDown,
    answer_for,
    error_body,
    error_headers,
    error_shape,
    foreign_origin,
    not_served,
    without_words,
)
from proxy.exchange import new_request_id, target_of
from proxy.limits import Allowance
from proxy.listening import is_local_origin
from proxy.outgoing import Outgoing
from proxy.planning import NOT_COMPRESSED
from proxy.savings import Ending, SavingsRecord
from proxy.services import Services
from proxy.websocket import (
    CloseCode,
    End,
    Handshake,
    Message,
    MessageTooBig,
    SocketOptions,
    fitting,
)
from proxy.websocket_handshake import read_handshake
from proxy.websocket_relay import ClientSocket, relay
from proxy.websocket_usage import EventUsage

log = logging.getLogger("tersely.proxy")


class WebsocketExchange:
    """Serves one websocket under /v1. `run` writes exactly one record, whatever happens.

    The rules are those of a request that is not compressed. Upstreams may be tried one after the
    other until one opens the socket; from then on it is that one's.
    """

    def __init__(self, services: Services, scope: Scope, receive: Receive, send: Send) -> None:
        self._services = services
        self._scope = scope
        self._client = _client(scope, receive, send)
        self._asked = read_handshake(scope)
        self._caller = Caller(UNKNOWN_TENANT)
        self._id = new_request_id()
        self._began = time.perf_counter()
        self._at = time.time()
        self._sent: float | None = None
        self._opened: float | None = None
        self._status: int | None = None
        self._ending = Ending.INTERNAL_ERROR
        self._report = replace(NOT_COMPRESSED, note="a websocket, which is passed on as it is")
        self._route: Route | None = None
        self._allowance: Allowance | None = None
        self._outgoing: Outgoing | None = None
        self._used = EventUsage()

    async def run(self, refusal: RequestRefused | None = None) -> None:
        """Serve the socket, or refuse it; returns when both ends are closed."""
        try:
            await self._client.connected()
            self._caller = caller = self._admitted()
            if refusal is not None:
                raise refusal
            self._allowance = await self._services.limiter.admit(caller.tenant, caller.limits)
            await self._serve()
        except ClientGone:
            self._ending = Ending.CLIENT_GONE
        except asyncio.CancelledError:
            # The server's shutdown, past its time; it asks for no more than that the task ends.
            await self._fail(ShuttingDown())
        except Exception as error:  # noqa: BLE001 - the error table is the boundary
            await self._fail(error)
        finally:
            self._record()

    def _admitted(self) -> Caller:
        scope, asked = self._scope, self._asked
        caller = self._services.access.admit(
            asked.checked, asked.fields, path=scope["path"], query=scope["query_string"]
        )
        if caller.models_limited:
            if not asked.models:
                raise caller.model_unknown("a websocket's address has to name it (?model=)")
            caller.check_models(asked.models)
        return caller

    async def _serve(self) -> None:
        asked = self._asked
        self._route = route = self._services.pipeline.route(
            path=self._scope["path"],
            headers=asked.fields,
            tenant=self._caller.tenant,
            model=asked.model,
        )
        self._check_origin(route)
        self._outgoing = outgoing = self._outgoing_to()
        self._sent = time.perf_counter()
        async with self._handshake(route, outgoing) as answer:
            self._opened = time.perf_counter()
            self._status = answer.status
            if answer.socket is None:
                await self._client.refuse(answer.status, self._refusal_headers(answer), answer.body)
                self._ending = Ending.FINISHED
                return
            out = head.to_client(answer.headers, 101, rewritten=True, drop_own=True)
            out = [pair for pair in out if not pair[0].lower().startswith(b"sec-websocket-")]
            if self._allowance is not None:
                out += self._allowance.headers()
            await self._client.accept(answer.subprotocol, out)
            await self._relay(answer.socket)

    async def _relay(self, upstream: End) -> None:
        end = await relay(self._client, upstream, self._look)
        lost = end.by_client and end.closed.lost
        self._ending = Ending.CLIENT_GONE if lost else Ending.FINISHED
        who = "client" if end.by_client else "upstream"
        self._report = replace(
            self._report, note=f"a websocket; the {who} closed it with {end.closed.code}"
        )

    def _look(self, message: Message) -> None:
        tokens = self._used.look(message)
        if tokens and self._allowance is not None:
            # A socket may stay open for an hour: its limits must not wait for its end.
            self._allowance.use(tokens)

    @contextlib.asynccontextmanager
    async def _handshake(self, route: Route, outgoing: Outgoing) -> AsyncIterator[Handshake]:
        """Open the upstream's socket while the client is watched; closed with the block."""
        server = self._services.config.server
        options = SocketOptions(
            (), server.max_websocket_message_bytes, server.websocket_ping_seconds
        )
        opening = asyncio.create_task(self._services.upstreams.open(route, outgoing, options))
        leaving = asyncio.create_task(self._client.gone())
        try:
            await asyncio.wait((opening, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                raise ClientGone
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            yield opening.result()
        finally:
            leaving.cancel()
            opening.cancel()
            found, _ = await asyncio.gather(opening, leaving, return_exceptions=True)
            if isinstance(found, Handshake) and found.socket is not None:
                # Nothing where it is closed by now.
                await found.socket.close(CloseCode.GOING_AWAY, "")

    def _check_origin(self, route: Route) -> None:
        """Refuse web pages from elsewhere the use of keys that are not theirs.

        A browser lets every page open sockets to this machine, and has no rule like CORS for them.
        """
        origin = self._asked.origin
        if origin is None or is_local_origin(origin):
            return
        config = self._services.config
        if not config.access.required and self._services.upstreams.own_key(route):
            raise foreign_origin()

    def _outgoing_to(self) -> Outgoing:
        asked, scope = self._asked, self._scope
        return Outgoing(
            method="GET",
            path=scope["path"],
            target=target_of(scope),
            headers=asked.headers,
            fields=asked.fields,
            body=None,
            tenant=self._caller.tenant,
            max_bytes=self._services.config.server.max_parse_bytes,
            model=asked.model,
            swaps=self._caller.swaps,
            azure="tersely.deployment" in scope,
            deployment=scope.get("tersely.deployment"),
            subprotocols=asked.subprotocols,
        )

    def _refusal_headers(self, answer: Handshake) -> list[tuple[bytes, bytes]]:
        out = head.to_client(answer.headers, answer.status, drop_own=True)
        out = [pair for pair in out if pair[0].lower() != b"content-length"]
        return [*out, (b"content-length", b"%d" % len(answer.body))]

    async def _fail(self, error: BaseException) -> None:
        """Tell the client what went wrong, in the way that is still open."""
        answer = answer_for(error)
        self._ending = answer.ending
        if answer.status == 500:
            log.error("websocket %s failed:\n%s", self._id, without_words(error))
        shape = error_shape(self._scope["path"], self._asked.fields)
        body = error_body(error, self._id, shape)
        try:
            if not self._client.accepted:
                self._status = answer.status
                headers = error_headers(error, self._id, shape, len(body))
                await self._client.refuse(answer.status, headers, body)
            else:
                told = str(error) if answer.status != 500 else f"Tersely failed: {self._id}"
                await self._client.close(_close_code(error), fitting(told))
        except (asyncio.CancelledError, ClientGone):
            return

    def _record(self) -> None:
        now = time.perf_counter()
        outgoing = self._outgoing
        served = outgoing.upstream if outgoing is not None else None
        record = SavingsRecord(
            id=self._id,
            at=self._at,
            tenant=self._caller.tenant,
            method="GET",
            path=self._scope["path"],
            model=self._asked.model,
            upstream=served or (self._route.upstream if self._route is not None else None),
            tries=outgoing.tries if outgoing is not None else 0,
            stream=True,
            ending=self._ending,
            status=self._status,
            report=self._report,
            usage=self._used.usage,
            upstream_first_byte_ms=_ms(self._sent, self._opened),
            upstream_ms=_ms(self._sent, now if self._opened is not None else None),
            total_ms=(now - self._began) * 1000,
        )
        if self._allowance is not None:
            self._allowance.settle(record)
        for sink in self._services.sinks:
            sink.write(record)


async def refuse_unserved(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a websocket outside the API."""
    client = _client(scope, receive, send)
    await client.connected()
    error, request_id = not_served("GET", scope["path"]), new_request_id()
    shape = error_shape(scope["path"], head.header_map(scope["headers"]))
    body = error_body(error, request_id, shape)
    headers = error_headers(error, request_id, shape, len(body))
    with contextlib.suppress(ClientGone):
        await client.refuse(error.status, headers, body)


def _client(scope: Scope, receive: Receive, send: Send) -> ClientSocket:
    can_refuse = "websocket.http.response" in (scope.get("extensions") or {})
    return ClientSocket(receive, send, can_refuse=can_refuse)


def _close_code(error: BaseException) -> CloseCode:
    if isinstance(error, ShuttingDown):
        return CloseCode.GOING_AWAY
    return CloseCode.TOO_BIG if isinstance(error, MessageTooBig) else CloseCode.INTERNAL_ERROR


def _ms(start: float | None, end: float | None) -> float | None:
    return (end - start) * 1000 if start is not None and end is not None else None
