"""One entry of `upstreams` in config.yaml: where requests go and how."""

import re
import ssl
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from proxy.config_section import Section, check_port


class UsageMode(StrEnum):
    """How the provider's own token counts are read."""

    OBSERVE = "observe"
    ASK = "ask"
    NEVER = "never"


class Via(StrEnum):
    """What an upstream speaks."""

    OPENAI = "openai"
    AZURE = "azure"
    LITELLM = "litellm"


class Auth(StrEnum):
    """How a key is sent: the header's name, or `bearer` for `Authorization: Bearer`."""

    BEARER = "bearer"
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"
    NONE = "none"


# Which keys belong to one kind of upstream alone.
_ONLY: Mapping[str, tuple[Via, ...]] = {
    "api_version": (Via.AZURE,),
    "params": (Via.LITELLM,),
    "drop_params": (Via.LITELLM,),
    "ca_file": (Via.OPENAI, Via.AZURE),
}
_PROVIDER = re.compile(r"[a-z][a-z0-9_]*")
# Keys of `params` that would say where requests go, or with whose key, behind the config's back.
_OWN_PARAMS = frozenset({"model", "api_base", "base_url", "api_key", "custom_llm_provider"})
# It follows redirects, and has no setting against that.
_OTHER_CLIENT = "aiohttp_openai"


class UpstreamConfig(Section):
    """One API that requests are sent to."""

    via: Via = Field(
        Via.OPENAI,
        description="What it speaks: `openai` is any OpenAI-compatible API, `azure` is Azure "
        "OpenAI with its deployments and api-version, `litellm` is any other provider through the "
        "litellm SDK (needs the litellm extra).",
    )
    base_url: str | None = Field(
        None,
        description="Its base URL, as an OpenAI client would take it, usually ending in /v1; for "
        "`azure` https://NAME.openai.azure.com. Required, but for `litellm`, which knows where its "
        "providers are.",
        pattern=r"^https?://[^\s?#]+$",
    )
    models: Mapping[str, str] = Field(
        default_factory=dict,
        description="Model glob to the name that the model has at this upstream, first match "
        "wins; `{model}` stands for the requested name. For `azure` it is the deployment; for "
        "`litellm` the provider and its model, like `anthropic/{model}`, and models that are not "
        "listed are refused.",
    )
    api_version: str | None = Field(
        None,
        description="Azure's api-version, like 2024-10-21, for requests that name none.",
        pattern=r"^[0-9A-Za-z.-]+$",
    )
    api_key_env: str | None = Field(
        None,
        description="Environment variable that holds the key to send. Without it the client's "
        "own Authorization header is passed on.",
    )
    auth: Auth | None = Field(
        None,
        description="How the key is sent: `bearer`, the header `x-api-key` or `api-key`, or `none`,"
        " which takes out the client's. Left out, the key from api_key_env goes as `bearer`, to "
        "`azure` as `api-key`, and a client's key as it came; given, a client's key is sent in this"
        " form too.",
    )
    params: Mapping[str, str] = Field(
        default_factory=dict,
        description="Further arguments for litellm, like aws_region_name or vertex_project.",
    )
    drop_params: bool = Field(
        True,
        description="Leave out OpenAI parameters that the provider does not have, and name them "
        "in the answer's x-litellm-dropped-params header; false refuses such requests.",
    )
    usage: UsageMode = Field(
        UsageMode.OBSERVE,
        description="`observe` reads usage where the client asked for it; `ask` also requests it "
        "for streams and takes out of the answer exactly what that adds. A route with several "
        "upstreams asks when all of them do. For a tenant with a limit on tokens `observe` asks "
        "too; `never` does not, for servers that refuse `stream_options`.",
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file of a private certificate authority, trusted for this upstream "
        "besides the system's. Certificates are always verified.",
    )
    connect_timeout_seconds: float = Field(5, gt=0, description="Limit for opening a connection.")
    read_timeout_seconds: float = Field(
        600, gt=0, description="Longest silence between two pieces of an answer."
    )
    max_connections: int = Field(
        512, ge=1, description="Connections kept to this upstream, without websockets."
    )
    connect_retries: int = Field(
        1, ge=0, le=5, description="Further tries when no connection could be opened."
    )
    circuit_failures: int = Field(
        5,
        ge=1,
        description="Failures in a row (no answer, or 500 and above) after which a route with "
        "other upstreams sets this one aside.",
    )
    circuit_seconds: float = Field(
        5,
        gt=0,
        description="How long it is set aside before one request tries it; twice as long after "
        "each trial that fails.",
    )
    aside_max_seconds: float = Field(
        120,
        gt=0,
        description="The longest that it is set aside, by failures or by its own retry-after.",
    )
    api_key: SecretStr | None = Field(
        None,
        exclude=True,
        description="Filled in by `load`.",
        json_schema_extra={"written_as": "api_key_env"},
    )

    @property
    def key_goes_as(self) -> Auth:
        """How a key of our own is sent."""
        if self.auth is not None:
            return self.auth
        return Auth.API_KEY if self.via is Via.AZURE else Auth.BEARER

    @property
    def where(self) -> str:
        """Where requests go, for people."""
        return self.base_url or f"{', '.join(sorted(set(self.models.values())))} through litellm"

    @field_validator("base_url")
    @classmethod
    def _usable_base_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
        except ValueError:  # its own words may show the address
            raise ValueError("cannot be read as a URL") from None
        if not parts.hostname:
            raise ValueError("has no host; a base URL is like https://api.openai.com/v1")
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "holds a user or password; name an environment variable in api_key_env instead"
            )
        check_port(parts.netloc)
        return url

    @field_validator("params")
    @classmethod
    def _usable_params(cls, params: Mapping[str, str]) -> Mapping[str, str]:
        for name in params:
            if name == "ssl_verify":
                raise ValueError("may not hold ssl_verify: certificates are always verified")
            if name in _OWN_PARAMS:
                raise ValueError(f"may not hold {name}; base_url, models and api_key_env say that")
            if any(word in name for word in ("key", "secret", "token", "password")):
                raise ValueError(f"may not hold {name}: secrets do not belong in this file")
        return params

    @field_validator("ca_file")
    @classmethod
    def _usable_ca_file(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            ssl.create_default_context(cafile=str(path))
        except FileNotFoundError:
            raise ValueError(f"names {path}, and there is no such file") from None
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"{path} holds no PEM certificates: {error}") from None
        return path

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for name, kinds in _ONLY.items():
            if name in self.model_fields_set and self.via not in kinds:
                raise ValueError(f"{name} means nothing for `via: {self.via}`; remove it")
        if self.base_url is None and self.via is not Via.LITELLM:
            raise ValueError("base_url is missing; it is like https://api.openai.com/v1")
        if self.via is Via.AZURE and self.api_version is None:
            raise ValueError(
                "api_version is missing; it is like 2024-10-21. (Azure's v1 API, a base_url that "
                "ends in /openai/v1, needs no `via`.)"
            )
        if self.auth is Auth.NONE and self.api_key_env is not None:
            raise ValueError("`auth: none` sends no key, and api_key_env names one; keep one")
        if self.via is Via.LITELLM:
            self._check_litellm_models()
        return self

    def _check_litellm_models(self) -> None:
        if not self.models:
            raise ValueError(
                "models is missing: `via: litellm` needs to know the provider, as in "
                "`models: {'claude-*': 'anthropic/{model}'}`"
            )
        for glob, name in self.models.items():
            provider, slash, rest = name.partition("/")
            # A client that could choose the provider could have the key sent to another one.
            if not slash or not rest or not _PROVIDER.fullmatch(provider):
                raise ValueError(
                    f"models has '{name}' for {glob}; it starts with litellm's name of the "
                    "provider and a slash, like anthropic/{model}"
                )
            if provider == _OTHER_CLIENT:
                raise ValueError(
                    f"models has '{name}' for {glob}; write openai/ for {provider}/, which is the "
                    "same by an HTTP client that would follow redirects"
                )
            if provider == "bedrock" and "aws_region_name" not in self.params:
                raise ValueError(
                    "params has no aws_region_name, and Bedrock's addresses begin with the region"
                )
