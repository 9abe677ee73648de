"""Which headers pass, both ways. Names are lower-case bytes, as ASGI has them; order is kept."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from proxy.savings import CompressionReport, Treatment

RawHeaders = Sequence[tuple[bytes, bytes]]

CONTROL_PREFIX = b"x-tersely-"

# RFC 9110 section 7.6.1, and the proxy-* family that belongs to one hop as well.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_HOP_PREFIX = b"proxy-"

# The client of the next hop writes its own host, and uvicorn answers expect itself.
_NOT_FORWARDED = _HOP_BY_HOP | {b"host", b"expect"}

# The HTTP client takes more than RFC 9110 section 5.5 allows, and no server sends that on.
_UNSENDABLE_NAME = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")
_UNSENDABLE_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# Where clients put an API key.
CREDENTIALS = frozenset((b"authorization", b"api-key", b"x-api-key"))


def _named_by_connection(raw: RawHeaders) -> frozenset[bytes]:
    named: set[bytes] = set()
    for name, value in raw:
        if name.lower() == b"connection":
            named.update(token.strip().lower() for token in value.split(b","))
    # Naming an end-to-end header here must not strip the message of its framing.
    return frozenset(named - {b"content-length", b""})


def _text(value: bytes) -> str:
    # The HTTP client encodes UTF-8, so bytes that are UTF-8 go out as they came.
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def to_upstream(
    raw: RawHeaders,
    *,
    credential: tuple[str, str] | None = None,
    drop_credentials: bool = False,
    new_length: int | None = None,
    decoded: bool = False,
    identity: bool = False,
) -> list[tuple[str, str]]:
    """Return the request headers for the upstream.

    `new_length` replaces content-length (None keeps the client's); `decoded` drops
    content-encoding; `identity` asks for an answer that can be read in passing; `credential`, a
    header, takes the place of whatever credentials the client sent, and `drop_credentials` takes
    them out.
    """
    named = _named_by_connection(raw)
    drop_credentials = drop_credentials or credential is not None
    headers: list[tuple[str, str]] = []
    for name, value in raw:
        if (
            name in _NOT_FORWARDED
            or name in named
            or name.startswith((CONTROL_PREFIX, _HOP_PREFIX))
        ):
            continue
        if name == b"content-length" and new_length is not None:
            continue
        if name == b"content-encoding" and decoded:
            continue
        if name == b"accept-encoding" and identity:
            continue
        if drop_credentials and name in CREDENTIALS:
            continue
        headers.append((name.decode("ascii"), _text(value)))
    if credential is not None:
        headers.append(credential)
    if identity:
        headers.append(("accept-encoding", "identity"))
    if new_length is not None:
        headers.append(("content-length", str(new_length)))
    return headers


def to_client(
    raw: RawHeaders, status: int, *, rewritten: bool = False, drop_own: bool = False
) -> list[tuple[bytes, bytes]]:
    """Return the response headers for the client, duplicates and order kept.

    `rewritten` drops content-length and content-encoding of a body that changes on its way;
    `drop_own` drops x-tersely-* of an upstream that is a Tersely too. A 204 or 304 has no body,
    and a server may refuse to name a length that it does not send.
    """
    named = _named_by_connection(raw)
    bodiless = status in (204, 304)
    headers: list[tuple[bytes, bytes]] = []
    for name, value in raw:
        lower = name.lower()
        if lower in _HOP_BY_HOP or lower in named or lower.startswith(_HOP_PREFIX):
            continue
        if lower == b"content-length" and (rewritten or bodiless):
            continue
        if lower == b"content-encoding" and rewritten:
            continue
        if drop_own and lower.startswith(CONTROL_PREFIX):
            continue
        if _UNSENDABLE_VALUE.search(value) or _UNSENDABLE_NAME.search(name):
            continue
        headers.append((name, value))
    return headers


def header_map(raw: RawHeaders) -> dict[str, str]:
    """Return lower-case names to values; repeated headers are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def find(raw: RawHeaders, wanted: bytes) -> bytes | None:
    """Return the first value of a header, by its lower-case name."""
    for name, value in raw:
        if name.lower() == wanted:
            return value
    return None


def client_key(headers: Mapping[str, str]) -> str | None:
    """Return the key that a client sent, in whatever form; None without one."""
    for name in ("authorization", "x-api-key", "api-key"):
        value = headers.get(name)
        if value:
            scheme, _, rest = value.partition(" ")
            return rest.strip() if scheme.lower() == "bearer" else value
    return None


def tenant_of(headers: Mapping[str, str]) -> str:
    """Return who is asking: a hash of their credentials, or "anonymous"."""
    for name in ("authorization", "x-api-key", "api-key"):
        value = headers.get(name)
        if value:
            digest = hashlib.sha256(value.encode("latin-1", "replace")).hexdigest()
            return f"t-{digest[:12]}"
    return "anonymous"


def cache_state(caches: Iterable[str | None]) -> str:
    """Sum up where the compressed parts came from: hit, partial, miss, or none of them."""
    states = {"miss" if cache == "miss" else "hit" for cache in caches if cache is not None}
    if not states:
        return "none"
    return "partial" if len(states) == 2 else states.pop()


def report_headers(report: CompressionReport) -> list[tuple[bytes, bytes]]:
    """Return the x-tersely-* headers that tell the client what was done to its request."""
    headers = [(b"x-tersely-outcome", report.treatment.value.encode("ascii"))]
    if report.policy is not None:
        headers.append((b"x-tersely-policy", report.policy.encode("utf-8")))
    if report.treatment in (Treatment.PASSED, Treatment.BYPASSED, Treatment.OFF):
        return headers
    cache = cache_state(part.cache for part in report.parts)
    return [
        *headers,
        (b"x-tersely-tokens-before", b"%d" % report.tokens_before),
        (b"x-tersely-tokens-after", b"%d" % report.tokens_after),
        (b"x-tersely-compress-ms", b"%.1f" % report.compress_ms),
        (b"x-tersely-cache", cache.encode("ascii")),
    ]


def sse_headers(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return what an event stream needs so that nothing on its way holds it back."""
    wanted = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
    return [(name, value) for name, value in wanted if find(raw, name) is None]
