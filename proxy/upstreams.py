"""Every upstream of a config: which one a request goes to, and where it goes when that fails."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from policies.types import FallbackCause, Route
from proxy.config_upstream import Auth, UpstreamConfig, Via
from proxy.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from proxy.kept import Kept, is_stateless
from proxy.kept_lookup import look_up
from proxy.litellm_request import serves
from proxy.model_names import ModelNames
from proxy.outgoing import Outgoing
from proxy.upstream import AiohttpUpstream, Upstream, UpstreamRequest, UpstreamResponse
from proxy.upstream_choice import in_order
from proxy.upstream_health import Health
from proxy.websocket import Handshake, SocketOptions

OnFailure = Callable[[str, str], None]
# What is asked of an upstream, and the answer's head that says whether another is to be asked.
_A = TypeVar("_A", UpstreamResponse, Handshake)
_Ask = Callable[[Upstream, UpstreamRequest], Awaitable[_A]]

_BY_STATUS = {int(cause): cause for cause in FallbackCause if cause.isdecimal()}


@dataclass(frozen=True, slots=True)
class _Member:
    upstream: Upstream
    config: UpstreamConfig
    names: ModelNames
    health: Health


class Upstreams:
    """The upstreams by name, with what their answers have said about them so far.

    All state about upstreams is in here, so a new config gets a new one, and the old is closed
    when its last request has ended. `given` replaces the upstreams that the config would build;
    `on_failure` is told an upstream's name and what went wrong: connect, disconnect, timeout or a
    status.
    """

    def __init__(
        self,
        configs: Mapping[str, UpstreamConfig],
        *,
        given: Mapping[str, Upstream] | None = None,
        on_failure: OnFailure | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._on_failure = on_failure
        self._members = {
            name: _Member(
                upstream=given[name] if given is not None else _built(name, config),
                config=config,
                names=ModelNames(config.models),
                health=Health(config, clock, wall_clock),
            )
            for name, config in configs.items()
        }

    async def start(self) -> None:
        """Make every upstream ready."""
        for member in self._members.values():
            await member.upstream.start()

    async def close(self) -> None:
        """Close every upstream."""
        for member in self._members.values():
            await member.upstream.close()

    def degraded(self) -> Mapping[str, str]:
        """Return which upstreams are set aside, or would be if there were others, and why."""
        found = ((name, member.health.trouble()) for name, member in self._members.items())
        return {f"upstream {name}": trouble for name, trouble in found if trouble is not None}

    def reads_body(self, route: Route, path: str) -> bool:
        """Whether a request has to be read before it is sent: to be sent again, or for its model.

        What could go to one upstream only, like the upload of a file, is streamed all the same.
        """
        if not is_stateless(path):
            return False
        configs = [self._members[share.name].config for share in route.upstreams]
        return len(configs) > 1 or configs[0].via is not Via.OPENAI or bool(configs[0].models)

    async def send(self, route: Route, outgoing: Outgoing) -> UpstreamResponse:
        """Send a request to the route's upstream for it, then to the next where the route says so.

        `outgoing` keeps count. Raises what Upstream.send raises, of the last one that was tried,
        and RequestRefused.
        """

        async def ask(upstream: Upstream, request: UpstreamRequest) -> UpstreamResponse:
            return await upstream.send(request)

        kept, order = await self._order(route, outgoing)
        if kept is Kept.SOMEWHERE:
            return await self._looked_up(route, order, outgoing, ask)
        return await self._first_good(route, kept, order, outgoing, ask)

    async def open(self, route: Route, outgoing: Outgoing, options: SocketOptions) -> Handshake:
        """Open a websocket as `send` sends a request: until there is one, others may be tried."""

        async def ask(upstream: Upstream, request: UpstreamRequest) -> Handshake:
            offered = outgoing.subprotocols_for(self._members[outgoing.upstream or ""].config)
            return await upstream.open(request, replace(options, subprotocols=offered))

        kept, order = await self._order(route, outgoing)
        return await self._first_good(route, kept, order, outgoing, ask)

    def own_key(self, route: Route) -> bool:
        """Whether an upstream of the route takes requests that bring no key of their own."""
        configs = (self._members[share.name].config for share in route.upstreams)
        return any(config.api_key is not None or config.auth is Auth.NONE for config in configs)

    async def _order(self, route: Route, outgoing: Outgoing) -> tuple[Kept, list[str]]:
        if len(route.upstreams) == 1:
            return Kept.AT_HOME, [route.upstream]
        kept = await outgoing.kept()
        return kept, list(in_order(route.tiers, outgoing.key(kept)))

    async def _looked_up(
        self, route: Route, order: list[str], outgoing: Outgoing, ask: _Ask[UpstreamResponse]
    ) -> UpstreamResponse:
        """Ask for something that one of the upstreams has; the well ones first."""

        def is_failure(result: UpstreamResponse | UpstreamError) -> bool:
            if isinstance(result, UpstreamError):
                return _cause(result) in route.fallback_on
            return _BY_STATUS.get(result.status) in route.fallback_on

        found = await look_up(
            self._places(order, outgoing),
            order[0],
            lambda name: self._ask(name, outgoing, ask),
            is_failure,
        )
        outgoing.upstream = found.name
        if isinstance(found.result, Exception):
            raise found.result
        return found.result

    def _places(self, order: list[str], outgoing: Outgoing) -> Iterator[str]:
        asked: set[str] = set()
        for name in self._usable(iter(order), outgoing):
            asked.add(name)
            yield name
        yield from (name for name in order if name not in asked)

    async def _first_good(
        self, route: Route, kept: Kept, order: list[str], outgoing: Outgoing, ask: _Ask[_A]
    ) -> _A:
        if kept is not Kept.NOTHING:
            return await self._ask(order[0], outgoing, ask)
        usable = self._usable(iter(order), outgoing)
        # With every one of them set aside the first is asked all the same: it may be well again.
        name = next(usable, order[0])
        while True:
            try:
                response = await self._ask(name, outgoing, ask)
            except UpstreamError as error:
                following = next(usable, None) if _cause(error) in route.fallback_on else None
                if following is None:
                    raise
            else:
                cause = _BY_STATUS.get(response.status)
                following = next(usable, None) if cause in route.fallback_on else None
                if following is None:
                    return response
                response.close()
            name = following

    def _usable(self, order: Iterator[str], outgoing: Outgoing) -> Iterator[str]:
        # Lazily: asking an open circuit takes up its one trial.
        for name in order:
            member = self._members[name]
            if not _has(member, outgoing) or not outgoing.may_go_to(member.config):
                continue
            if member.health.allows(outgoing.tenant):
                yield name

    async def _ask(self, name: str, outgoing: Outgoing, ask: _Ask[_A]) -> _A:
        """Send to one upstream, again where no connection could be opened."""
        member = self._members[name]
        outgoing.upstream = name
        request = await outgoing.request(member.config, member.names)
        retries = member.config.connect_retries
        while True:
            outgoing.tries += 1
            try:
                response = await ask(member.upstream, request)
            except UpstreamError as error:
                self._failed(name, _cause(error))
                if isinstance(error, UpstreamUnreachable) and retries > 0:
                    retries -= 1
                    continue
                member.health.failed(str(error))
                raise
            status = response.status
            if status >= 500 or status == 429:
                self._failed(name, str(status))
            member.health.answered(status, response.headers, outgoing.tenant)
            return response

    def _failed(self, name: str, cause: str) -> None:
        if self._on_failure is not None:
            self._on_failure(name, cause)


def _has(member: _Member, outgoing: Outgoing) -> bool:
    """Whether an upstream has what is asked for at all; only litellm's are known not to."""
    if member.config.via is not Via.LITELLM:
        return True
    is_socket = outgoing.subprotocols is not None
    if is_socket or not serves(outgoing.method, outgoing.path):
        return False
    return member.names.find(outgoing.model) is not None


def _cause(error: UpstreamError) -> FallbackCause:
    if isinstance(error, UpstreamUnreachable):
        return FallbackCause.CONNECT
    return FallbackCause.TIMEOUT if isinstance(error, UpstreamTimeout) else FallbackCause.DISCONNECT


def _built(name: str, config: UpstreamConfig) -> Upstream:
    if config.via is Via.LITELLM:
        from proxy.upstream_litellm import LitellmUpstream  # noqa: PLC0415  (only where asked for)

        return LitellmUpstream(name, config)
    return AiohttpUpstream(name, config)
