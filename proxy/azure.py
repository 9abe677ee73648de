"""Azure OpenAI's URLs, both ways: served to its clients, and made for its endpoints.

https://learn.microsoft.com/azure/ai-foundry/openai/reference
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus, unquote_to_bytes

from proxy.errors import RequestRefused
from proxy.model_names import ModelNames

PREFIX = b"/openai"
_DEPLOYMENT = re.compile(rb"/openai/deployments/([^/]+)(/.+)")

# What the API has below a deployment; all else is below the resource.
_DEPLOYED = frozenset(
    {
        "/chat/completions",
        "/completions",
        "/embeddings",
        "/audio/transcriptions",
        "/audio/translations",
        "/audio/speech",
        "/images/generations",
        "/images/edits",
    }
)
_NAMED = re.compile(r"(?:^|(?<=&))(?:model|deployment)=[^&]*")
_API_KEY = re.compile(r"(?:^|(?<=&))api-key=[^&]*(?:&|$)", re.IGNORECASE)
_API_VERSION = re.compile(r"(?:^|(?<=&))api-version=[^&]*(?:&|$)")


@dataclass(frozen=True, slots=True)
class AzurePath:
    """A path of Azure's as OpenAI's, and the deployment that it named."""

    raw_path: bytes
    deployment: str | None

    @property
    def path(self) -> str:
        """The path without percent-encoding, as ASGI has it beside the raw one."""
        return unquote_to_bytes(self.raw_path).decode("utf-8", "replace")


def from_azure(raw_path: bytes) -> AzurePath | None:
    """Return what a client of Azure asks for, None when the path is not one of Azure's."""
    if not raw_path.startswith(PREFIX + b"/"):
        return None
    if raw_path.startswith(b"/openai/v1/") or raw_path == b"/openai/v1":
        return AzurePath(raw_path.removeprefix(PREFIX), None)
    if found := _DEPLOYMENT.fullmatch(raw_path):
        return AzurePath(b"/v1" + found[2], unquote(found[1].decode("latin-1")))
    return AzurePath(b"/v1" + raw_path.removeprefix(PREFIX), None)


def to_azure(
    target: str,
    *,
    base_url: str,
    deployment: str | None,
    model: str,
    names: ModelNames,
    api_version: str,
) -> str:
    """Return the path and query below Azure's base URL for a target below /v1.

    `deployment` is the one that the client's own URL named; else the model's is taken. Raises
    RequestRefused (400) when there has to be one and there is none.
    """
    path, _, query = target.partition("?")
    if deployment is None and path in _DEPLOYED:
        deployment = model
        if not model:
            raise RequestRefused(
                400,
                "the request names no model, and Azure needs one to choose the deployment",
                param="model",
                code="missing_model",
            )
    if deployment is not None:
        name = names.find(deployment) or deployment
        if name in {".", ".."}:
            raise RequestRefused(400, "that is not the name of a model", param="model")
        path = f"/deployments/{quote(name, safe='', errors='replace')}{path}"
    if not _API_VERSION.search(query):
        query = f"{query}&api-version={api_version}" if query else f"api-version={api_version}"
    prefix = "" if base_url.rstrip("/").endswith("/openai") else "/openai"
    return f"{prefix}{path}?{query}"


def with_model(target: str, name: str, *, azure: bool) -> str:
    """Return a websocket's target that asks for the model `name`, all else in it as it was.

    https://learn.microsoft.com/azure/ai-foundry/openai/realtime-audio-websockets: where OpenAI has
    `?model=`, Azure's api-version URLs have `?deployment=`. A target that names none, or more than
    one, stays as it is.
    """
    path, _, query = target.partition("?")
    found = _NAMED.findall(query)
    if len(found) != 1:
        return target
    parameter = "deployment" if azure else "model"
    key, value = found[0].split("=", 1)
    if key == parameter and unquote_plus(value) == name:
        return target
    new = f"{parameter}={quote(name, safe='', errors='replace')}"
    return f"{path}?{_NAMED.sub(lambda _: new, query)}"


def without_key(target: str) -> str:
    """Return the target without Azure's `api-key` parameter, for where another key goes along.

    Browsers, which cannot set headers on a websocket, send their key in it.
    """
    path, _, query = target.partition("?")
    query = _API_KEY.sub("", query).rstrip("&")
    return f"{path}?{query}" if query else path


def without_api_version(target: str) -> str:
    """Return the target without Azure's query parameter, for an upstream that has none."""
    path, _, query = target.partition("?")
    query = _API_VERSION.sub("", query).rstrip("&")
    return f"{path}?{query}" if query else path
