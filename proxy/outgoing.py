"""One client request, to be made into the form that each upstream wants."""

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass

from proxy import headers as head
from proxy.azure import to_azure, with_model, without_api_version, without_key
from proxy.config_upstream import Auth, UpstreamConfig, Via
from proxy.errors import RequestRefused
from proxy.headers import RawHeaders
from proxy.kept import Kept, is_stateless, kept_for, of_responses
from proxy.model_names import ModelNames, renamed
from proxy.upstream import UpstreamRequest
from proxy.upstream_choice import stickiness
from proxy.websocket_handshake import without_keys


@dataclass(slots=True)
class Outgoing:
    """A request that is about to go upstream, and, while it goes, how often it was tried where.

    `target` is the path and query below /v1 as the client wrote them; `headers` are the client's.
    `body` is None for none, and is streamed where it was too large to be read. `length` replaces
    the client's content-length. `conversation` keeps what belongs together at one upstream.
    `azure` says that the client speaks to Azure's URLs, `deployment` which one it named there.
    `swaps` says that what the client sent as its API key is a proxy key, which must not go on.
    `subprotocols` are those that the opening handshake of a websocket offers; None for a request.
    """

    method: str
    path: str
    target: str
    headers: RawHeaders
    fields: Mapping[str, str]
    body: bytes | AsyncIterable[bytes] | None
    tenant: str
    max_bytes: int
    model: str = ""
    length: int | None = None
    decoded: bool = False
    identity: bool = False
    conversation: bytes = b""
    swaps: bool = False
    azure: bool = False
    deployment: str | None = None
    subprotocols: tuple[str, ...] | None = None
    upstream: str | None = None
    tries: int = 0

    async def kept(self) -> Kept:
        """Return what it needs of the things that upstreams keep: whether another would do."""
        body = self.body
        if self.subprotocols is not None:
            # A call that goes on, and a key made for one session, are known where they were made.
            key = head.client_key(self.fields) or ""
            bound = "call_id=" in self.target or key.startswith("ek_")
            return Kept.AT_HOME if bound else Kept.NOTHING
        if body is not None and not isinstance(body, bytes):
            return Kept.AT_HOME
        coding = "" if self.decoded else self.fields.get("content-encoding", "")
        return await kept_for(self.method, self.path, body, coding, self.max_bytes)

    def key(self, kept: Kept) -> bytes:
        """Return what its upstream is chosen by; see upstream_choice."""
        # What an upstream keeps, like files and responses, is found there again by its tenant.
        if kept is Kept.NOTHING and is_stateless(self.path) and not of_responses(self.path):
            return stickiness(self.tenant, self.model, self.conversation)
        return stickiness(self.tenant)

    def may_go_to(self, config: UpstreamConfig) -> bool:
        """Whether an upstream would be sent no proxy key: where one came, its own replaces it."""
        return not self.swaps or config.api_key is not None or config.auth is Auth.NONE

    def subprotocols_for(self, config: UpstreamConfig) -> tuple[str, ...]:
        """Return what an upstream's websocket is offered: a key in it only where that goes on."""
        offered = self.subprotocols or ()
        return offered if self._keeps_key(config) else without_keys(offered)

    def _keeps_key(self, config: UpstreamConfig) -> bool:
        return config.auth is not Auth.NONE and self._credential(config) is None

    async def request(self, config: UpstreamConfig, names: ModelNames) -> UpstreamRequest:
        """Return what is sent to an upstream; raises RequestRefused where it cannot be asked."""
        if not self.may_go_to(config):
            raise RequestRefused(
                403,
                f"The upstream '{self.upstream}' has no key of its own (api_key_env) that could "
                "take the place of the proxy key. Send your provider's key as the API key, and the "
                "proxy key in the header x-tersely-key.",
                code="provider_key_required",
            )
        body, length, decoded = self.body, self.length, self.decoded
        if config.via is Via.OPENAI and names and isinstance(body, bytes):
            coding = "" if decoded else self.fields.get("content-encoding", "")
            name = names.find(self.model)
            if name is not None and name != self.model:
                new = await renamed(body, coding, name, self.max_bytes)
                if new is not None:
                    body, length, decoded = new, len(new), True
        return UpstreamRequest(
            method=self.method,
            target=self._target(config, names),
            headers=head.to_upstream(
                self.headers,
                credential=self._credential(config),
                drop_credentials=config.auth is Auth.NONE,
                new_length=length,
                decoded=decoded,
                identity=self.identity,
            ),
            body=body,
            model=self.model,
        )

    def _target(self, config: UpstreamConfig, names: ModelNames) -> str:
        target = self.target
        if self.subprotocols is not None:
            if self.model:
                deployed = config.via is Via.AZURE and self.path == "/v1/realtime"
                name = names.find(self.model) or self.model
                target = with_model(target, name, azure=deployed)
            if not self._keeps_key(config):
                target = without_key(target)
        if config.via is Via.AZURE:
            streamed = self.body is not None and not isinstance(self.body, bytes)
            if streamed and not self.model and is_stateless(self.path):
                raise RequestRefused(
                    413,
                    "the body is over server.max_parse_bytes, so its model is not known, and "
                    "Azure needs one to choose the deployment",
                    code="request_too_large",
                )
            return to_azure(
                target,
                base_url=config.base_url or "",
                deployment=self.deployment,
                model=self.model,
                names=names,
                api_version=config.api_version or "",
            )
        return without_api_version(target) if self.azure else target

    def _credential(self, config: UpstreamConfig) -> tuple[str, str] | None:
        """Return the header that replaces the client's credentials, None to leave those alone."""
        own = config.api_key.get_secret_value() if config.api_key is not None else None
        if own is None and (config.auth is None or config.auth is Auth.NONE):
            return None
        key = head.client_key(self.fields) if own is None else own
        if key is None:
            return None
        if config.key_goes_as is Auth.BEARER:
            return "authorization", f"Bearer {key}"
        return config.key_goes_as.value, key
