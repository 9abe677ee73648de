"""A request body in; the body to send, and a report of what was done to it, out."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from compressor.calibration import NamedThresholds
from compressor.types import PartCompressor
from policies.match import Router
from policies.select import select
from policies.types import Policy, RequestFacts, Role, Route
from proxy.body import BodyTooLarge, DecodedBody, decode_body, model_named
from proxy.config import Config
from proxy.config_thresholds import named_thresholds
from proxy.config_upstream import UsageMode
from proxy.context_windows import ContextWindows
from proxy.control import Control, read_control
from proxy.counting import PromptCounter, TokenizerSource
from proxy.dialects import DIALECTS
from proxy.dialects.base import BodyReading, BodyText, Dialect
from proxy.errors import RequestRefused, too_large
from proxy.json_spans import Edit, Unreadable, splice, string_literal
from proxy.request_question import questions
from proxy.sample import Sampler
from proxy.savings import CompressionReport, Treatment
from proxy.text_compression import answer_of, body_texts, policy_for, read_request, refusal
from proxy.tool_descriptions import with_tool_descriptions
from proxy.treatment import Treated, leave_alone, text_parts, treat
from proxy.upstream_choice import stickiness

# Reading this many bytes takes about as long as the way to a thread and back.
_INLINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Prepared:
    """What to send upstream for one request, and the report for its record.

    `body` is the received object itself when nothing changed. `decoded` is true when it changed
    and is out of its content-encoding, so that header has to go. `usage_added` is true when the
    stream was made to report usage, which has to be taken out of the answer again.
    `conversation` is the same for every turn of one, where the route has upstreams to choose from.
    """

    body: bytes
    decoded: bool
    route: Route
    model: str
    stream: bool
    usage_added: bool
    report: CompressionReport
    conversation: bytes = b""


class Pipeline:
    """Reads, routes, decides, compresses and splices. Keeps nothing but token counts."""

    def __init__(
        self,
        config: Config,
        compressor: PartCompressor,
        tokenizers: TokenizerSource,
        *,
        context_window: Callable[[str], int | None] | None = None,
        sampler: Sampler | None = None,
        thresholds: NamedThresholds | None = None,
    ) -> None:
        """Take `context_window` to look up, in tokens, what the config's own globs leave open.

        `sampler` is offered what is to be compressed. `thresholds` are the classifier's by name;
        without, they are read here. Raises UnknownThreshold for a policy whose name has none.
        """
        self._config = config
        self._compressor = compressor
        self._router = Router(config.routes)
        self._counter = PromptCounter(tokenizers)
        self._windows = ContextWindows(config.compressor.context_windows, context_window)
        self._thresholds = thresholds or named_thresholds(
            config.compressor.classifier, config.policies
        )
        self._sampler = sampler

    def route(
        self, *, path: str, headers: Mapping[str, str], tenant: str, model: str = ""
    ) -> Route:
        """Return the first route that matches; raises RequestRefused (404) when none does."""
        facts = RequestFacts(model=model, path=path, tenant=tenant, headers=headers)
        route = self._router.first_match(facts)
        if route is None:
            raise RequestRefused(
                404,
                f"no route in the proxy's config matches this request: model '{model[:100]}', "
                f"path '{path[:100]}', tenant '{tenant}' and its headers were looked at. "
                "A last route with an empty match takes what the others do not.",
                code="no_route",
            )
        return route

    def depends_on_model(self, *, path: str, headers: Mapping[str, str], tenant: str) -> bool:
        """Return whether a request's model decides on its route, all else being known."""
        facts = RequestFacts(model="", path=path, tenant=tenant, headers=headers)
        return self._router.depends_on_model(facts)

    def untouched(
        self,
        *,
        path: str,
        headers: Mapping[str, str],
        tenant: str,
        body: bytes,
        note: str,
        model: str | None = None,
    ) -> Prepared:
        """Return `body` itself, to be passed on with `note` as the reason; compresses nothing.

        Works by its own means, so that it serves when `prepare` has failed; where `model` is not
        given the body is asked for it. Raises RequestRefused when no route matches.
        """
        if model is None:
            model = self._model_named(body, headers)
        try:
            route = self.route(path=path, headers=headers, tenant=tenant, model=model)
        except RequestRefused as refused:
            message = f"{refused.message} (Its body was not compressed: {note}.)"
            raise RequestRefused(refused.status, message, code=refused.code) from None
        report = CompressionReport(policy=route.policy, treatment=Treatment.PASSED, note=note)
        return Prepared(body, False, route, model, False, False, report)

    async def prepare(
        self,
        *,
        path: str,
        headers: Mapping[str, str],
        tenant: str,
        body: bytes,
        check_policy: Callable[[str], None] | None = None,
        counts_tokens: bool = False,
    ) -> Prepared:
        """Return what to send for a request; header names are in lower case.

        `check_policy` is given the name of the policy that holds (`off` for a bypass) before
        anything is compressed, and raises where the caller may not have it. With `counts_tokens` a
        stream is made to report usage whatever the client says, as far as the upstream can.

        Raises RequestRefused for control headers that cannot be followed (400) and for a request
        that no route takes (404). A body that cannot be read goes on untouched.
        """
        control = read_control(headers, self._config.policies)
        try:
            content, reading = await self._read(path, headers, body)
        except Unreadable as why:
            return self.untouched(
                path=path,
                headers=headers,
                tenant=tenant,
                body=body,
                note=why.note,
                model=why.model,
            )
        route = self.route(path=path, headers=headers, tenant=tenant, model=reading.model)
        policy = control.applied(self._config.policies[route.policy])
        if check_policy is not None:
            check_policy("off" if control.bypass else policy.name)
        reading = await with_tool_descriptions(
            DIALECTS[path], content.data, policy, reading, self._counter
        )
        treated = await self._treat(control, policy, reading, tenant)
        ask = self._asking(route, reading, control, counts_tokens=counts_tokens)
        sent = await _edited(body, content, treated.changes, ask)
        return Prepared(
            body=sent,
            decoded=content.decoded and sent is not body,
            route=route,
            model=reading.model,
            stream=reading.stream,
            usage_added=ask is not None,
            report=replace(treated.report, note=reading.note),
            conversation=_beginning(reading) if len(route.upstreams) > 1 else b"",
        )

    async def shorten(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        tenant: str,
        check_policy: Callable[[str], None],
        check_models: Callable[[Sequence[str]], None],
    ) -> bytes:
        """Return the answer to POST /v1/compress. Raises RequestRefused for what cannot be done."""
        coding = headers.get("content-encoding", "")
        limit = self._config.server.max_parse_bytes
        try:
            content = await asyncio.to_thread(decode_body, body, coding, limit)
        except BodyTooLarge:
            raise too_large(limit) from None
        except Unreadable as why:
            raise refusal(why.note) from None
        request = await asyncio.to_thread(read_request, content.data)
        check_models([request.model])
        # In a thread, as the first threshold that has a name has files read.
        policy = await asyncio.to_thread(
            policy_for, request, self._config.policies, check_policy, self._thresholds.number
        )
        owner = self._owner(tenant)
        counts = await self._counter.count(request.model, request.all_texts, owner=owner)
        texts = body_texts(request, policy)
        parts = text_parts(texts, counts.tokens)
        treated = await treat(
            policy,
            texts,
            parts,
            select(policy, parts, window=self._windows.of(request.model)),
            counts,
            compressor=self._compressor,
            tenant=owner,
            questions=None if request.question is None else [request.question] * len(texts),
            number_of=self._thresholds.number,
        )
        return answer_of(request, treated)

    def _owner(self, tenant: str) -> str:
        """Return whose cache entries a request may use."""
        # Nobody's name, so that everybody finds the same entries.
        return "" if self._config.cache.share_between_tenants else tenant

    def _asking(
        self, route: Route, reading: BodyReading, control: Control, *, counts_tokens: bool
    ) -> Edit | None:
        """Return the edit that makes a stream report its usage, None where it is left alone."""
        modes = {self._config.upstreams[share.name].usage for share in route.upstreams}
        if counts_tokens and UsageMode.NEVER not in modes:
            # What neither a header nor a member of the body may switch off: it is a limit.
            return reading.ask_usage or reading.overrule_usage
        return reading.ask_usage if modes == {UsageMode.ASK} and not control.bypass else None

    async def _read(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[DecodedBody, BodyReading]:
        dialect = DIALECTS.get(path)
        if dialect is None:
            model = self._model_named(body, headers)
            raise Unreadable("texts of this path are not compressed", model=model)
        coding = headers.get("content-encoding", "")
        limit = self._config.server.max_parse_bytes
        # A small body in a content-encoding may be large inside.
        if coding or len(body) > _INLINE_BYTES:
            return await asyncio.to_thread(_read, dialect, body, coding, limit)
        return _read(dialect, body, coding, limit)

    async def _treat(
        self, control: Control, policy: Policy, reading: BodyReading, tenant: str
    ) -> Treated:
        owner = self._owner(tenant)
        texts = [text.text for text in reading.texts]
        counts = await self._counter.count(reading.model, texts, owner=owner)
        parts = text_parts(reading.texts, counts.tokens)
        if control.bypass:
            reason = "the request asked for no compression (x-tersely-bypass)"
            return leave_alone(policy, Treatment.BYPASSED, parts, counts, reason)
        window = self._windows.of(reading.model) if policy.fit_context else None
        decisions = select(policy, parts, window=window, reserved_tokens=reading.reserved_tokens)
        if self._sampler is not None:
            self._sampler.offer(policy.name, reading.model, reading.texts, decisions)
        return await treat(
            policy,
            reading.texts,
            parts,
            decisions,
            counts,
            compressor=self._compressor,
            tenant=owner,
            questions=await questions(reading) if policy.question_aware else None,
            number_of=self._thresholds.number,
        )

    def _model_named(self, body: bytes, headers: Mapping[str, str]) -> str:
        coding = headers.get("content-encoding", "")
        try:
            content = decode_body(body, coding, self._config.server.max_parse_bytes)
        except Unreadable:
            return ""
        return model_named(content.data)


def _beginning(reading: BodyReading) -> bytes:
    """Return a digest of what a conversation's turns have in common and others do not.

    That is all up to its first user message: the instructions alone are often the same for
    everybody, and then one upstream would get every request.
    """
    texts: list[str] = []
    for text in reading.texts:
        texts.append(text.text)
        if text.role is Role.USER:
            break
    return stickiness(*texts) if texts else b""


def _read(
    dialect: Dialect, body: bytes, coding: str, max_bytes: int
) -> tuple[DecodedBody, BodyReading]:
    content = decode_body(body, coding, max_bytes)
    try:
        return content, dialect.read(content.data)
    except Unreadable as why:
        raise Unreadable(why.note, model=model_named(content.data)) from None


async def _edited(
    body: bytes,
    content: DecodedBody,
    changes: Iterable[tuple[BodyText, str]],
    ask: Edit | None,
) -> bytes:
    """Return the content with the changes made; `body` itself, as received, when there are none."""
    edits = [
        Edit(text.start, text.end, string_literal(new, content.data[text.start : text.end]))
        for text, new in changes
    ]
    if ask is not None:
        edits.append(ask)
    if not edits:
        return body
    if len(content.data) > _INLINE_BYTES:
        return await asyncio.to_thread(splice, content.data, edits)
    return splice(content.data, edits)
