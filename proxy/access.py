"""Who is calling: proxy keys, what each of them allows, and what must not leave with a request.

There are two ways to send a proxy key, and a request is one or the other:

- *swap*: as the API key (`Authorization: Bearer tsly_...`, `x-api-key` or `api-key`). The upstream
  gets its own key from the config in its place.
- *pass-through*: in `x-tersely-key`, beside the client's own provider key, which goes on untouched.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from policies.match import glob, model_glob
from proxy.config_access import KEY_PREFIX, AccessConfig, AccessKey, Limits
from proxy.errors import RequestRefused
from proxy.headers import CONTROL_PREFIX, CREDENTIALS, RawHeaders, tenant_of

KEY_HEADER = "x-tersely-key"
# Whose record it is when a request was refused before anybody knew who sent it.
UNKNOWN_TENANT = "unauthenticated"
_KEY_BYTES = 32
# As `new_key` makes them: 32 bytes are 43 characters of URL-safe base64.
_PROXY_KEY = re.compile(rb"tsly_[A-Za-z0-9_-]{43}")
_ASK_FOR_KEY = ((b"www-authenticate", b'Bearer realm="tersely"'),)

_Test = Callable[[str], bool]


def new_key() -> str:
    """Return a new proxy key: 256 random bits behind a prefix that it can be told by."""
    return KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def digest_of(key: str) -> str:
    """Return what is kept of a key.

    Plain SHA-256: slow, salted hashes protect words that people choose, by making each guess dear.
    Of 2**256 equally likely keys none is ever guessed, however cheap a guess is, and the check runs
    on every request.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request and what they may do. `swaps`: the proxy key came as the API key."""

    tenant: str
    name: str | None = None
    swaps: bool = False
    limits: Limits | None = None
    _models: tuple[_Test, ...] | None = None
    _policies: tuple[_Test, ...] | None = None

    @property
    def models_limited(self) -> bool:
        """Whether a request's model has to be known before it may go on."""
        return self._models is not None

    def check_models(self, models: Iterable[str]) -> None:
        """Raise RequestRefused (403) for a model that the key does not allow."""
        if self._models is None:
            return
        for model in models:
            if not any(allows(model) for allows in self._models):
                raise RequestRefused(
                    403,
                    f"The proxy key '{self.name}' does not allow the model '{model[:100]}'.",
                    code="model_not_allowed",
                    param="model",
                )

    def model_unknown(self, why: str) -> RequestRefused:
        """Return the 403 for a request whose model cannot be told, while the key allows only some.

        `why` completes the sentence "its model cannot be told: ...".
        """
        return RequestRefused(
            403,
            f"The proxy key '{self.name}' allows only some models, and this request was refused "
            f"because its model cannot be told: {why}.",
            code="model_not_known",
            param="model",
        )

    def check_policy(self, policy: str) -> None:
        """Raise RequestRefused (403) for a policy that the key does not allow."""
        if self._policies is None or any(allows(policy) for allows in self._policies):
            return
        raise RequestRefused(
            403,
            f"The proxy key '{self.name}' does not allow the policy '{policy}', which this request "
            "would get by its route, its x-tersely-* headers or the body of POST /v1/compress.",
            code="policy_not_allowed",
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """A key with its globs made ready."""

    name: str
    key: AccessKey
    limits: Limits | None
    models: tuple[_Test, ...] | None
    policies: tuple[_Test, ...] | None
    paths: tuple[_Test, ...] | None

    @classmethod
    def of(cls, name: str, key: AccessKey, limits: Limits | None) -> "_Known":
        return cls(
            name=name,
            key=key,
            limits=key.limits or limits,
            models=_all(model_glob, key.models),
            policies=_all(glob, key.policies),
            paths=_all(glob, key.paths),
        )

    def caller(self, *, swaps: bool) -> Caller:
        tenant = self.key.tenant or self.name
        return Caller(tenant, self.name, swaps, self.limits, self.models, self.policies)


def _all(make: Callable[[str], _Test], globs: Iterable[str] | None) -> tuple[_Test, ...] | None:
    return None if globs is None else tuple(map(make, globs))


class Access:
    """The keys of one config, by digest: how long a look-up takes says nothing about any key."""

    def __init__(self, config: AccessConfig, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._required = config.required
        self._limits = config.limits
        self._known = {
            key.sha256.get_secret_value(): _Known.of(name, key, config.limits)
            for name, key in config.keys.items()
        }

    def admit(
        self, raw: RawHeaders, fields: Mapping[str, str], *, path: str, query: bytes = b""
    ) -> Caller:
        """Return who is calling; `fields` are the headers by lower-case name.

        Raises RequestRefused: 401 without a valid key, 403 for what the key does not allow, 400 for
        a proxy key in a place where it could leave with the request.
        """
        if not self._required:
            return Caller(tenant_of(fields), limits=self._limits)
        given = fields.get(KEY_HEADER)
        as_api_key = _proxy_keys(fields)
        if given is not None and as_api_key:
            raise _unauthorized(
                f"A proxy key came twice, in {KEY_HEADER} and as the API key. Send it in "
                f"{KEY_HEADER} beside your provider's own key, or alone as the API key."
            )
        if given is None and not as_api_key:
            raise _unauthorized(
                "This proxy asks for a key of its own. Send it as your API key "
                f"(Authorization: Bearer {KEY_PREFIX}...), or in {KEY_HEADER} beside your "
                "provider's own key."
            )
        if len(as_api_key) > 1:
            raise _unauthorized("Two different proxy keys came with this request; send one.")
        _check_leaks(raw, query, swaps=given is None)
        key = given.strip() if given is not None else as_api_key.pop()
        return self._checked(key, fields, path).caller(swaps=given is None)

    def _checked(self, key: str, fields: Mapping[str, str], path: str) -> _Known:
        known = self._known.get(digest_of(key))
        if known is None:
            raise _unauthorized(
                "The proxy key that was sent is not valid here: it is misspelled, or was revoked."
            )
        expires = known.key.expires
        if expires is not None and self._clock() >= expires.timestamp():
            when = expires.astimezone(UTC).isoformat(timespec="minutes")
            raise _unauthorized(f"The proxy key '{known.name}' expired at {when}.")
        if known.paths is not None and not any(allows(path) for allows in known.paths):
            raise RequestRefused(
                403,
                f"The proxy key '{known.name}' does not allow the path '{path[:100]}'.",
                code="path_not_allowed",
            )
        if not known.key.control_headers:
            _check_control_headers(known.name, fields)
        return known


def expired(key: AccessKey, now: float) -> bool:
    """Return whether a key has expired; `now` in seconds since the epoch."""
    return key.expires is not None and datetime.fromtimestamp(now, UTC) >= key.expires


def _proxy_keys(fields: Mapping[str, str]) -> set[str]:
    """Return the proxy keys among a request's credentials."""
    found = set()
    for name in ("authorization", "x-api-key", "api-key"):
        value = fields.get(name, "")
        scheme, _, rest = value.partition(" ")
        key = rest.strip() if scheme.lower() == "bearer" else value
        if key.startswith(KEY_PREFIX):
            found.add(key)
    return found


def _check_leaks(raw: RawHeaders, query: bytes, *, swaps: bool) -> None:
    """Refuse a proxy key that stands where nothing would take it out again."""
    for name, value in raw:
        if name.startswith(CONTROL_PREFIX) or (swaps and name in CREDENTIALS):
            continue
        if b"tsly_" in value and _PROXY_KEY.search(value):
            raise _misplaced(f"the header {name.decode('latin-1')}")
    if b"tsly_" in query and _PROXY_KEY.search(query):
        raise _misplaced("the query")


def _check_control_headers(name: str, fields: Mapping[str, str]) -> None:
    prefix = CONTROL_PREFIX.decode()
    for header in fields:
        if header.startswith(prefix) and header != KEY_HEADER:
            # Not passed over: the client would take what it gets for what it asked for.
            raise RequestRefused(
                403,
                f"The proxy key '{name}' does not allow the header {header} "
                "(access.keys.NAME.control_headers).",
                code="control_header_not_allowed",
                param=header,
            )


def _misplaced(where: str) -> RequestRefused:
    return RequestRefused(
        400,
        f"There is a proxy key in {where}, from where it would reach the upstream. Send it as the "
        f"API key or in {KEY_HEADER}.",
        code="misplaced_proxy_key",
    )


def _unauthorized(message: str) -> RequestRefused:
    return RequestRefused(401, message, code="invalid_api_key", headers=_ASK_FOR_KEY)
