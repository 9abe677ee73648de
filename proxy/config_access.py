"""The `access` section of config.yaml: who may use the proxy, for what and how much."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from proxy.config_section import Section

# How every proxy key begins, so that it can be told from a provider's key wherever it turns up.
KEY_PREFIX = "tsly_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STARTS_WITH_A_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Limits(Section):
    """How much one tenant may use. What is left out is not limited."""

    requests_per_minute: int | None = Field(
        None, ge=1, description="Requests in any minute, whatever becomes of them."
    )
    tokens_per_minute: int | None = Field(
        None,
        ge=1,
        description="Tokens in any minute, prompt and completion: counted as sent to the upstream, "
        "then corrected to the usage in its answer.",
    )
    tokens_per_day: int | None = Field(
        None, ge=1, description="The same tokens in a day, which begins at 00:00 UTC."
    )

    @property
    def on_tokens(self) -> bool:
        """Whether tokens are limited at all."""
        return self.tokens_per_minute is not None or self.tokens_per_day is not None


class AccessKey(Section):
    """One proxy key; `tersely keys create NAME` makes it and prints this block."""

    sha256: SecretStr = Field(
        description="SHA-256 of the key in 64 hex digits; the key itself is kept nowhere."
    )
    tenant: str | None = Field(
        None,
        description="Whose key it is, in records, caches, limits and routes; left out, the tenant "
        "has the key's name. Several keys may share a tenant.",
    )
    expires: datetime | None = Field(
        None,
        description="From then on the key is refused. A date alone is its first moment; a time "
        "without a zone is UTC.",
    )
    models: tuple[str, ...] | None = Field(
        None,
        description="Globs of the models that it may ask for; a request whose model cannot be told "
        "is then refused. Left out, every model.",
    )
    policies: tuple[str, ...] | None = Field(
        None,
        description="Globs of the policies that may apply to it; `off` also stands for "
        "x-tersely-bypass. Left out, every policy.",
    )
    paths: tuple[str, ...] | None = Field(
        None, description="Globs of the paths that it may use, like /v1/chat/*. Left out, all."
    )
    control_headers: bool = Field(
        False,
        description="Whether its requests may carry x-tersely-* headers (bypass, policy, rate); "
        "they are refused otherwise.",
    )
    limits: Limits | None = Field(
        None, description="Its tenant's limits, in place of access.limits."
    )

    @field_validator("sha256")
    @classmethod
    def _a_digest(cls, digest: SecretStr) -> SecretStr:
        text = digest.get_secret_value()
        if text.startswith(KEY_PREFIX):
            raise ValueError(
                "holds the key itself; write its SHA-256 instead, and make a new key, since this "
                "one has been in a file"
            )
        if not _DIGEST.fullmatch(text):
            raise ValueError("is not 64 hex digits (0-9, a-f); `tersely keys create` prints them")
        return digest

    @field_validator("tenant")
    @classmethod
    def _usable_tenant(cls, tenant: str | None) -> str | None:
        if tenant is not None:
            check_name(tenant)
        return tenant

    @field_validator("expires", mode="before")
    @classmethod
    def _a_date_first(cls, written: object) -> object:
        # Else a number would be taken for seconds since 1970.
        if isinstance(written, str) and not _STARTS_WITH_A_DATE.match(written):
            raise ValueError("is not a date like 2027-01-31, or a time like 2027-01-31T18:00:00Z")
        return written

    @field_validator("expires")
    @classmethod
    def _in_utc(cls, expires: datetime | None) -> datetime | None:
        if expires is not None and expires.tzinfo is None:
            return expires.replace(tzinfo=UTC)
        return expires

    @field_validator("models", "policies", "paths")
    @classmethod
    def _some_glob(cls, globs: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if globs is not None and not all(globs):
            raise ValueError("has an empty glob, which matches nothing; `*` matches everything")
        return globs


class AccessConfig(Section):
    """Who may use the proxy. Without keys, everyone who can reach it may.

    `required` tells whether keys are asked for: with an empty list of keys nobody is let in.
    """

    keys: Mapping[str, AccessKey] = Field(
        default_factory=dict,
        description="Proxy keys under names of your choice. With this or keys_file written, every "
        "request under /v1 needs a key, also when none is left.",
    )
    keys_file: Path | None = Field(
        None,
        description="A YAML file of further keys, each as in `keys`, without that word. It is read "
        "again when it changes.",
    )
    limits: Limits | None = Field(
        None,
        description="For each tenant whose key has no limits of its own; without keys, for each "
        "client by its credentials.",
    )

    @property
    def required(self) -> bool:
        """Whether a request needs a proxy key."""
        return not {"keys", "keys_file"}.isdisjoint(self.model_fields_set)

    @field_validator("keys")
    @classmethod
    def _usable_keys(cls, keys: Mapping[str, AccessKey]) -> Mapping[str, AccessKey]:
        seen: dict[str, str] = {}
        for name, key in keys.items():
            check_name(name)
            digest = key.sha256.get_secret_value()
            if digest in seen:
                raise ValueError(f"{seen[digest]} and {name} are the same key; make a new one")
            seen[digest] = name
        return keys


def check_name(name: str) -> None:
    """Raise ValueError for a name that would be trouble in a log, a Redis key or a shell."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"'{name[:64]}' is no usable name: up to 64 letters, digits and _ . @ -, of which the "
            "first is a letter or a digit"
        )
