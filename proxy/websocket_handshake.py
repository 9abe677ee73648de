"""A client's opening handshake of a websocket: its headers, its key, its model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from proxy import models_asked
from proxy.headers import RawHeaders, header_map

# Browsers cannot set headers on a websocket, so OpenAI takes the key as a subprotocol from them.
_KEY_PREFIX = "openai-insecure-api-key."
_OF_THE_HOP = b"sec-websocket-"


@dataclass(frozen=True, slots=True)
class ClientHandshake:
    """What a client asked for.

    `headers` are without those of the handshake itself. In `fields`, by lower-case name, a key from
    the subprotocols stands as an `authorization` where there is none. `checked` are the headers as
    they are to be searched for proxy keys in wrong places.
    """

    headers: RawHeaders
    fields: Mapping[str, str]
    checked: RawHeaders
    subprotocols: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def model(self) -> str:
        """The model that the address names, "" where it names none or several."""
        return self.models[0] if len(self.models) == 1 else ""

    @property
    def origin(self) -> str | None:
        """The web page that a browser opened the socket for, None outside browsers."""
        return self.fields.get("origin")


def read_handshake(scope: Scope) -> ClientHandshake:
    """Return what an ASGI websocket's scope asks for."""
    headers = [pair for pair in scope["headers"] if not pair[0].startswith(_OF_THE_HOP)]
    fields = header_map(headers)
    subprotocols = tuple(scope["subprotocols"])
    looked_through: Iterable[str] = subprotocols
    keys = [name for name in subprotocols if name.startswith(_KEY_PREFIX)]
    if len(keys) == 1 and not fields.keys() & {"authorization", "x-api-key", "api-key"}:
        fields["authorization"] = f"Bearer {keys[0].removeprefix(_KEY_PREFIX)}"
        looked_through = without_keys(subprotocols)
    shown = ", ".join(looked_through).encode("latin-1", "replace")
    deployment = scope.get("tersely.deployment")
    models = models_asked.in_query(scope["query_string"], deployments=True)
    return ClientHandshake(
        headers=headers,
        fields=fields,
        checked=[*headers, (b"sec-websocket-protocol", shown)],
        subprotocols=subprotocols,
        models=tuple(models if deployment is None else [*models, deployment]),
    )


def without_keys(subprotocols: Iterable[str]) -> tuple[str, ...]:
    """Return the subprotocols that are no API key."""
    return tuple(name for name in subprotocols if not name.startswith(_KEY_PREFIX))
