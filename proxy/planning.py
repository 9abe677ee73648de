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
        limit = self._services.config.server.max_parse_bytes
        declared = self._fields.get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit:
            self._check_unread()
            return self._passed(_TOO_LARGE)
        body, complete = await self._client.read_body(limit)
        if not complete:
            self._check_unread()
            return self._passed(_TOO_LARGE, body)
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
        plan = self._passed(NOT_COMPRESSED)
        path = self._scope["path"]
        wanted = self._services.upstreams.reads_body(plan.route, path)
        if not has_body(self._fields) or not (wanted or self._has_to_name_a_model()):
            return plan
        limit = self._services.config.server.max_parse_bytes
        body, complete = await self._client.read_body(limit)
        if not complete:
            self._check_unread()
            plan.first = body
            return plan
        await self._check_models(body)
        plan.body = body
        kind, coding = (self._fields.get(f"content-{name}", "") for name in ("type", "encoding"))
        plan.model = await asyncio.to_thread(requested_model, body, kind, coding, limit)
        return plan

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
        try:
            return await pipeline.prepare(
                path=path,
                headers=self._fields,
                tenant=self._caller.tenant,
                body=body,
                check_policy=self._caller.check_policy,
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

    def _passed(self, report: CompressionReport, first: bytes = b"") -> Plan:
        route = self._services.pipeline.route(
            path=self._scope["path"], headers=self._fields, tenant=self._caller.tenant
        )
        return Plan(route=route, report=report, first=first)
