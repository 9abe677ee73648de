"""What one request was before and after compression: the record that every sink writes."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Ending(StrEnum):
    """How the exchange with the client ended. Every request ends in exactly one of these."""

    FINISHED = "finished"  # the upstream's whole answer was passed on, whatever its status
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_CUT = "upstream_cut"  # the answer broke off after it had begun
    CLIENT_GONE = "client_gone"
    REFUSED = "refused"  # by the proxy, before any upstream was asked
    INTERNAL_ERROR = "internal_error"


class Treatment(StrEnum):
    """What happened to the request's text; the value of x-tersely-outcome."""

    COMPRESSED = "compressed"
    SHADOW = "shadow"
    UNCHANGED = "unchanged"  # looked at, nothing to gain; the parts say why
    BYPASSED = "bypassed"
    OFF = "off"
    FAILED_OPEN = "failed_open"  # at least one part went as the original because of a failure
    PASSED = "passed"  # not a route that is compressed, or a body that cannot be read


@dataclass(frozen=True, slots=True)
class Usage:
    """The provider's own token counts. `cached_tokens` is the part of `prompt_tokens` it reused."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PartReport:
    """One text part: where it stands, what was decided and what came of it. Holds no text.

    `failure` is set only where a part should have been compressed and was not.
    """

    path: str
    role: str
    reason: str
    tokens_before: int
    tokens_after: int
    cache: str | None = None
    failure: str | None = None
    compress_ms: float = 0.0
    restored: int = 0
    budget_unmet: bool = False


@dataclass(frozen=True, slots=True)
class CompressionReport:
    """What the pipeline did to one body.

    `tokens_after` is what compression makes of the prompt's text; `tokens_sent` what the upstream
    got (equal to `tokens_before` in shadow mode). `tokens_estimated` marks a tokenizer that is not
    known to be the model's own. `note` explains a body that was passed on unread.
    """

    policy: str | None
    treatment: Treatment
    encoding: str | None = None
    tokens_estimated: bool = False
    tokens_before: int = 0
    tokens_after: int = 0
    tokens_sent: int = 0
    compress_ms: float = 0.0
    parts: tuple[PartReport, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SavingsRecord:
    """One request, on every exit. Token counts are of the prompt's text parts.

    `dollars_saved` is an estimate at the price of the day, with the provider's cached share taken
    into account; None where the price is unknown.
    """

    id: str
    at: float  # seconds since the epoch, UTC
    tenant: str
    method: str
    path: str
    model: str
    upstream: str | None
    stream: bool
    ending: Ending
    status: int | None
    report: CompressionReport
    usage: Usage = field(default_factory=Usage)
    upstream_first_byte_ms: float | None = None
    upstream_ms: float | None = None
    total_ms: float = 0.0
    dollars_saved: float | None = None
    price_source: str | None = None


class Sink(Protocol):
    """Takes records off the request path. `write` returns at once and never raises."""

    async def start(self) -> None:
        """Open what it writes to; a failure shows in `degraded`, not here."""
        ...

    def write(self, record: SavingsRecord) -> None:
        """Queue one record."""
        ...

    def degraded(self) -> str | None:
        """Why records are not being kept now; None when they are."""
        ...

    async def close(self) -> None:
        """Write what is queued, then close."""
        ...
