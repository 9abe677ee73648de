"""What goes upstream for a request: read as far as it has to be, checked, compressed."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.types import Scope

from policies.types import Route
from proxy import models_asked
from proxy.access import Caller
from proxy.errors import RequestRefused, without_words
from proxy.json_spans import Unreadable
from proxy.kept import is_stateless
from proxy.model_names import requested_model
from proxy.pipeline import Prepared
from proxy.relay import Client
from proxy.savings import CompressionReport, Treatment
from proxy.services import Services

log = logging.getLogger("tersely.proxy")

NOT_COMPRESSED = CompressionReport(policy=None, treatment=Treatment.PASSED)
_TOO_LARGE = CompressionReport(
    policy=None,
    treatment=Treatment.PASSED,
    note="the body is over server.max_parse_bytes and was passed on unread",
)
_BROKEN = "preparing the request failed, so the original was sent; the log says why"


@dataclass(slots=True)
class Plan:
    """What goes upstream, and what is known about it."""

    route: Route
    report: CompressionReport
    body: bytes | None = None  # None: the client's body is streamed on
    first: bytes = b""  # the part of a streamed body that was read already
    changed: bool = False
    decoded: bool = False
    usage_added: bool = False
    model: str = ""
    stream: bool = False
    conversation: bytes = b""


def has_body(fields: Mapping[str, str]) -> bool:
    """Return whether a request's headers announce a body."""
    return "transfer-encoding" in fields or fields.get("content-length", "0") != "0"


class Planner:
    """Makes the plan for one request. `fields` are its headers by lower-case name."""

    def __init__(
        self,
        services: Services,
        scope: Scope,
        fields: Mapping[str, str],
        client: Client,
        caller: Caller,
        request_id: str,
    ) -> None:
        self._services = services
        self._scope = scope
        self._fields = fields
        self._client = client
        self._caller = caller
        self._id = request_id

    async def compressed(self) -> Plan:
        """Return the plan for a request whose text is compressed where it can be read."""
        if self._announced_too_large():
            self._check_unread()
            return self._passed(_TOO_LARGE)
        body, complete = await self._read_body()
        if not complete:
            self._check_unread()
            return self._passed(_TOO_LARGE, first=body)
        await self._check_models(body)
        self._client.watch()
        prepared = await self._prepared(body)
        self._client.check()
        return Plan(
            route=prepared.route,
            report=prepared.report,
            body=prepared.body,
            changed=prepared.body is not body,
            decoded=prepared.decoded,
            usage_added=prepared.usage_added,
            model=prepared.model,
            stream=prepared.stream,
            conversation=prepared.conversation,
        )

    async def passed(self) -> Plan:
        """Return the plan for one that goes on as it is, read where its upstreams or key want."""
        path, model = self._scope["path"], self._model_in_address()
        body: bytes | None = None
        complete = False
        if not model and self._routed_by_body():
            body, complete = await self._read_body()
            model = await self._model_in(body) if complete else ""
        plan = self._passed(NOT_COMPRESSED, model=model)
        wanted = self._services.upstreams.reads_body(plan.route, path)
        if body is None:
            if not has_body(self._fields) or not (wanted or self._has_to_name_a_model()):
                return plan
            body, complete = await self._read_body()
        if not complete:
            self._check_unread()
            plan.first = body
            return plan
        await self._check_models(body)
        plan.body = body
        plan.model = model or await self._model_in(body)
        return plan

    def _model_in_address(self) -> str:
        """Return the model that a request names outside its body, "" where it does not."""
        if (deployment := self._scope.get("tersely.deployment")) is not None:
            return str(deployment)
        if has_body(self._fields):
            return ""
        named = models_asked.in_query(self._scope["query_string"])
        return named[0] if len(named) == 1 else ""

    def _routed_by_body(self) -> bool:
        """Return whether the route hangs on a model that the body may name."""
        path, kind = self._scope["path"], self._fields.get("content-type", "").lower()
        return (
            has_body(self._fields)
            and not self._announced_too_large()
            # The upload of a file, which may be large and names no model, is streamed on.
            and ("json" in kind or is_stateless(path))
            and self._services.pipeline.depends_on_model(
                path=path, headers=self._fields, tenant=self._caller.tenant
            )
        )

    def _announced_too_large(self) -> bool:
        declared = self._fields.get("content-length", "0")
        limit = self._services.config.server.max_parse_bytes
        return declared.isdecimal() and int(declared) > limit

    async def _read_body(self) -> tuple[bytes, bool]:
        return await self._client.read_body(self._services.config.server.max_parse_bytes)

    async def _model_in(self, body: bytes) -> str:
        limit = self._services.config.server.max_parse_bytes
        kind, coding = (self._fields.get(f"content-{name}", "") for name in ("type", "encoding"))
        return await asyncio.to_thread(requested_model, body, kind, coding, limit)

    def _has_to_name_a_model(self) -> bool:
        method, path = self._scope["method"], self._scope["path"]
        return self._caller.models_limited and models_asked.has_to_name_one(method, path)

    def _check_unread(self) -> None:
        if self._has_to_name_a_model():
            raise self._caller.model_unknown("the body is over server.max_parse_bytes")

    async def _check_models(self, body: bytes) -> None:
        if not self._has_to_name_a_model():
            return
        limit = self._services.config.server.max_parse_bytes
        try:
            models = await asyncio.to_thread(models_asked.in_body, body, self._fields, limit)
        except Unreadable as why:
            raise self._caller.model_unknown(why.note) from None
        self._caller.check_models(models)

    async def _prepared(self, body: bytes) -> Prepared:
        pipeline, path = self._services.pipeline, self._scope["path"]
        limits = self._caller.limits
        try:
            return await pipeline.prepare(
                path=path,
                headers=self._fields,
                tenant=self._caller.tenant,
                body=body,
                check_policy=self._caller.check_policy,
                counts_tokens=limits is not None and limits.on_tokens,
            )
        except RequestRefused:
            raise
        except Exception as error:  # noqa: BLE001 - fail open
            # Fail open: what goes wrong with the savings must not cost the user the answer.
            why = without_words(error)
            log.error("preparing request %s failed; the original is sent:\n%s", self._id, why)
            original = pipeline.untouched(
                path=path, headers=self._fields, tenant=self._caller.tenant, body=body, note=_BROKEN
            )
            report = replace(original.report, treatment=Treatment.FAILED_OPEN)
            return replace(original, report=report)

    def _passed(self, report: CompressionReport, *, model: str = "", first: bytes = b"") -> Plan:
        route = self._services.pipeline.route(
            path=self._scope["path"],
            headers=self._fields,
            tenant=self._caller.tenant,
            model=model,
        )
        return Plan(route=route, report=report, first=first, model=model)
