"""One request from its first byte to its record."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from proxy import headers as head
from proxy import models_asked
from proxy.access import UNKNOWN_TENANT, Caller
from proxy.dialects.base import Dialect
from proxy.errors import (
    ClientGone,
    ErrorShape,
    RequestRefused,
    ShuttingDown,
    UpstreamError,
    UpstreamProtocolError,
    answer_for,
    error_body,
    error_headers,
    error_shape,
    too_large,
    without_words,
)
from proxy.kept import answer_named, of_responses
from proxy.limits import Allowance
from proxy.outgoing import Outgoing
from proxy.planning import NOT_COMPRESSED, Plan, Planner, has_body
from proxy.relay import Client, relay_body
from proxy.savings import Ending, SavingsRecord
from proxy.services import Services
from proxy.streamed_text import StreamedText
from proxy.taps import Look, tap_for
from proxy.unsettled import ResponseId
from proxy.upstream import UpstreamResponse
from proxy.usage import AnyUsage, NoTap, Tap

log = logging.getLogger("tersely.proxy")


def new_request_id() -> str:
    """Return an id for the record, and for an answer that has none from the upstream."""
    return f"req_{uuid.uuid4().hex}"


class Exchange:
    """Serves one request under /v1. `run` writes exactly one record, whatever happens.

    `dialect` is that of a request whose prompt is compressed, None for what passes. One that
    `answers_itself` is POST /v1/compress, for which no upstream is asked.
    """

    def __init__(
        self,
        services: Services,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        dialect: Dialect | None,
        answers_itself: bool = False,
    ) -> None:
        self._services = services
        self._scope = scope
        self._dialect = dialect
        self._answers_itself = answers_itself
        self._client = Client(receive, send)
        self._headers = head.header_map(scope["headers"])
        self._caller = Caller(UNKNOWN_TENANT)
        self._id = new_request_id()
        self._began = time.perf_counter()
        self._at = time.time()
        self._sent: float | None = None
        self._first_byte: float | None = None
        self._status: int | None = None
        self._ending = Ending.INTERNAL_ERROR
        self._plan: Plan | None = None
        self._allowance: Allowance | None = None
        self._outgoing: Outgoing | None = None
        self._tap: Tap = NoTap()
        self._streamed = StreamedText()
        self._response_id = ResponseId()
        # The stored answer that the request is about. What that used was used when it was made.
        self._about = answer_named(scope["path"])
        self._may_add_event = False

    async def run(self, refusal: RequestRefused | None = None) -> None:
        """Serve the request, or refuse it; returns when the answer has gone, or the client has."""
        try:
            self._caller = caller = self._admitted()
            if refusal is not None:
                raise refusal
            self._allowance = await self._services.limiter.admit(caller.tenant, caller.limits)
            await (self._serve_itself() if self._answers_itself else self._serve())
            self._ending = Ending.FINISHED
        except ClientGone:
            self._ending = Ending.CLIENT_GONE
        except asyncio.CancelledError:
            if self._client.gone:
                self._ending = Ending.CLIENT_GONE
            else:
                # Only the server's shutdown cancels it otherwise, and it asks for no more than
                # that the request ends.
                await self._fail(ShuttingDown())
        except Exception as error:  # noqa: BLE001 - the error table is the boundary
            await self._fail(error)
        finally:
            self._client.release()
            self._record()

    async def _serve(self) -> None:
        self._plan = plan = await self._planned()
        if self._allowance is not None:
            await self._allowance.reserve(plan.report.tokens_sent)
        self._outgoing = outgoing = self._outgoing_for(plan)
        if outgoing.body is None or isinstance(outgoing.body, bytes):
            self._client.watch()
        self._sent = time.perf_counter()
        response = await self._services.upstreams.send(plan.route, outgoing)
        self._first_byte = time.perf_counter()
        try:
            self._client.check()
            await self._answer(response, plan)
        finally:
            response.close()

    async def _serve_itself(self) -> None:
        limit = self._services.config.server.max_parse_bytes
        body, complete = await self._client.read_body(limit)
        if not complete:
            raise too_large(limit)
        self._client.watch()
        answer = await self._services.pipeline.shorten(
            body,
            self._headers,
            tenant=self._caller.tenant,
            check_policy=self._caller.check_policy,
            check_models=self._caller.check_models,
        )
        self._client.check()
        self._status = 200
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer)),
            (b"x-request-id", self._id.encode("ascii")),
        ]
        if self._allowance is not None:
            headers += self._allowance.headers()
        await self._client.start(200, headers)
        await self._client.finish(answer)

    def _admitted(self) -> Caller:
        scope = self._scope
        caller = self._services.access.admit(
            scope["headers"], self._headers, path=scope["path"], query=scope["query_string"]
        )
        if caller.models_limited:
            deployment = scope.get("tersely.deployment")
            named = models_asked.in_query(scope["query_string"])
            caller.check_models(named if deployment is None else [*named, deployment])
        return caller

    async def _planned(self) -> Plan:
        planner = Planner(
            self._services, self._scope, self._headers, self._client, self._caller, self._id
        )
        return await (planner.passed() if self._dialect is None else planner.compressed())

    def _outgoing_for(self, plan: Plan) -> Outgoing:
        body: bytes | AsyncIterator[bytes] | None = plan.body or None
        if plan.body is None:
            body = self._client.rest(plan.first) if has_body(self._headers) else None
        deployment = self._scope.get("tersely.deployment")
        return Outgoing(
            method=self._scope["method"],
            path=self._scope["path"],
            target=target_of(self._scope),
            headers=self._scope["headers"],
            fields=self._headers,
            body=body,
            tenant=self._caller.tenant,
            max_bytes=self._services.config.server.max_parse_bytes,
            model=plan.model or deployment or "",
            length=len(plan.body) if plan.changed and plan.body is not None else None,
            decoded=plan.decoded,
            identity=self._reads_usage,
            # Requests that have no beginning in common with others are spread.
            conversation=plan.conversation or self._id.encode("ascii"),
            swaps=self._caller.swaps,
            azure="tersely.deployment" in self._scope,
            deployment=deployment,
        )

    async def _answer(self, response: UpstreamResponse, plan: Plan) -> None:
        status = response.status
        if not 200 <= status <= 599:
            raise UpstreamProtocolError(
                f"upstream '{self._upstream}' answered with the status {status}"
            )
        self._status = status
        raw = response.headers
        kind = head.find(raw, b"content-type") or b""
        is_stream = kind.lower().startswith(b"text/event-stream")
        rewritten, compressed = False, self._dialect is not None
        if self._reads_usage:
            self._tap, rewritten = tap_for(
                kind,
                head.find(raw, b"content-encoding") or b"",
                self._dialect or AnyUsage(),
                remove_added=plan.usage_added,
                looks=self._looks(is_stream=is_stream),
            )
        out = head.to_client(
            raw, status, rewritten=rewritten, drop_own=compressed or self._allowance is not None
        )
        if is_stream:
            out += head.sse_headers(raw)
            self._may_add_event = head.find(out, b"content-length") is None
        if compressed:
            out += head.report_headers(plan.report)
        if self._allowance is not None:
            out += self._allowance.headers()
        if self._tried_in_vain(plan, status) and head.find(out, b"x-should-retry") is None:
            out.append((b"x-should-retry", b"false"))
        await self._client.start(status, out)
        await relay_body(response, self._client, self._tap)

    async def _fail(self, error: Exception) -> None:
        """Tell the client what went wrong, in the way that is still open."""
        if self._client.gone:
            self._ending = Ending.CLIENT_GONE
            return
        answer = answer_for(error)
        self._ending = answer.ending
        if answer.status == 500:
            log.error("request %s failed:\n%s", self._id, without_words(error))
        shape = error_shape(self._scope["path"], self._headers)
        body = error_body(error, self._id, shape)
        try:
            if not self._client.started:
                self._status = answer.status
                headers = self._error_headers(error, body, shape)
                await self._client.start(answer.status, headers)
                await self._client.finish(body)
            elif self._dialect is not None and self._may_add_event and self._tap.takes_event():
                await self._client.finish(self._dialect.error_event(body))
            # Else the answer stays unfinished, and the server cuts the connection: a body that
            # ended cleanly would look complete.
        except (asyncio.CancelledError, ClientGone):
            if not self._client.gone:
                raise

    def _error_headers(
        self, error: Exception, body: bytes, shape: ErrorShape
    ) -> list[tuple[bytes, bytes]]:
        headers = error_headers(error, self._id, shape, len(body))
        if isinstance(error, UpstreamError) and self._tries > 1:
            headers.append((b"x-should-retry", b"false"))
        if self._dialect is not None and self._plan is not None:
            headers += head.report_headers(self._plan.report)
        return headers

    @property
    def _reads_usage(self) -> bool:
        if self._about is not None:
            return self._about in self._services.limiter.unsettled
        counted = self._counts_tokens and self._scope["method"] not in models_asked.READS
        return self._dialect is not None or counted

    @property
    def _counts_tokens(self) -> bool:
        return self._allowance is not None and self._allowance.counts_tokens

    def _looks(self, *, is_stream: bool) -> list[Look]:
        """Return what else looks at the answer, for the limits on tokens."""
        if not self._counts_tokens or self._about is not None:
            return []
        looks: list[Look] = [self._streamed.look] if is_stream else []
        return [*looks, self._response_id.look] if of_responses(self._scope["path"]) else looks

    @property
    def _upstream(self) -> str | None:
        """The upstream that served, or that was asked last; the route's first before any was."""
        if self._outgoing is not None and self._outgoing.upstream is not None:
            return self._outgoing.upstream
        return self._plan.route.upstream if self._plan is not None else None

    @property
    def _tries(self) -> int:
        return self._outgoing.tries if self._outgoing is not None else 0

    def _tried_in_vain(self, plan: Plan, status: int) -> bool:
        """Whether a bad answer is the last of several tries, which the client should not repeat."""
        return self._tries > 1 and status >= 400 and str(status) in plan.route.fallback_on

    def _record(self) -> None:
        now = time.perf_counter()
        plan = self._plan
        record = SavingsRecord(
            id=self._id,
            at=self._at,
            tenant=self._caller.tenant,
            method=self._scope["method"],
            path=self._scope["path"],
            model=plan.model if plan is not None else "",
            upstream=self._upstream,
            tries=self._tries,
            stream=plan.stream if plan is not None else False,
            ending=self._ending,
            status=self._status,
            report=plan.report if plan is not None else NOT_COMPRESSED,
            usage=self._tap.usage,
            upstream_first_byte_ms=_ms(self._sent, self._first_byte),
            upstream_ms=_ms(self._sent, now if self._first_byte is not None else None),
            total_ms=(now - self._began) * 1000,
        )
        if self._about is not None:
            self._services.limiter.settle_later(self._about, record.usage)
        elif self._allowance is not None:
            self._allowance.settle(record, self._streamed.tokens, self._response_id.found)
        record = self._priced(record)
        for sink in self._services.sinks:
            sink.write(record)

    def _priced(self, record: SavingsRecord) -> SavingsRecord:
        prices = self._services.prices
        if prices is None or not (record.tokens_saved or record.tokens_shadow):
            return record
        saved, source = prices.dollars_saved(record.model, record.tokens_saved, record.usage)
        shadow, source = prices.dollars_saved(record.model, record.tokens_shadow, record.usage)
        return replace(record, dollars_saved=saved, dollars_shadow=shadow, price_source=source)


def _ms(start: float | None, end: float | None) -> float | None:
    return (end - start) * 1000 if start is not None and end is not None else None


def target_of(scope: Scope) -> str:
    """Return what follows /v1 in the request line, byte for byte."""
    target: bytes = scope["raw_path"][len(b"/v1") :]
    if query := scope["query_string"]:
        target += b"?" + query
    return target.decode("utf-8", "surrogateescape")
