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


_ANSWERED = frozenset({Ending.FINISHED, Ending.UPSTREAM_CUT, Ending.CLIENT_GONE})
_MAX_NAME = 256


class Treatment(StrEnum):
    """What happened to the request's text; the value of x-tersely-outcome."""

    COMPRESSED = "compressed"
    SHADOW = "shadow"
    UNCHANGED = "unchanged"  # looked at, nothing to gain; the parts say why
    BYPASSED = "bypassed"
    OFF = "off"
    FAILED_OPEN = "failed_open"  # at least one part went as the original because of a failure
    PASSED = "passed"  # not a route that is compressed, or a body that cannot be read


_SHADOWED = frozenset({Treatment.SHADOW, Treatment.FAILED_OPEN})


@dataclass(frozen=True, slots=True)
class Usage:
    """The provider's own token counts. `cached_tokens` is the part of `prompt_tokens` it reused."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PartReport:
    """One text part: where it stands, what was decided and what came of it. Holds no text.

    `failure` is set only where a part should have been compressed and was not. Of a shortened part,
    `protected` counts the protected things that had to stay, `restored` those of them that
    verification put back, and `lost` those that are not whole all the same (a bug).
    """

    path: str
    role: str
    reason: str
    tokens_before: int
    tokens_after: int
    cache: str | None = None
    failure: str | None = None
    compress_ms: float = 0.0
    protected: int = 0
    restored: int = 0
    lost: int = 0
    budget_unmet: bool = False


@dataclass(frozen=True, slots=True)
class CompressionReport:
    """What the pipeline did to one body.

    `tokens_after` is what compression makes of the prompt's text; `tokens_sent` what the upstream
    got (equal to `tokens_before` in shadow mode). `tokens_estimated` marks a tokenizer that is not
    known to be the model's own. `note` explains a body that was passed on unread, or texts of it
    that were not looked at.
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

    `id` is unique and made by the proxy, never taken from the client: readers drop a second record
    with the same id. `path` has no query. `upstream` is the one that served, or was tried last, and
    `tries` how often any was tried. `dollars_saved` is an estimate at the price of the day,
    with the provider's cached share taken into account; None where the price is unknown.
    `dollars_shadow` is the same for what shadow mode would have saved, and is no part of it.
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
    dollars_shadow: float | None = None
    tries: int = 0

    def __post_init__(self) -> None:
        # These come from the client; a 50 MB model name must not fill the queue and the ledger.
        for name in ("tenant", "method", "path", "model"):
            value = getattr(self, name)
            if len(value) > _MAX_NAME:
                object.__setattr__(self, name, value[: _MAX_NAME - 1] + "…")

    @property
    def accepted(self) -> bool:
        """Whether the upstream took the prompt. Only then is anything billed, or saved.

        Without this a request that is refused with 429 and tried three times by its client would
        count its saving three times.
        """
        return self.status is not None and self.status < 400 and self.ending in _ANSWERED

    @property
    def tokens_saved(self) -> int:
        """Tokens that the upstream was not sent; 0 where it did not take the prompt."""
        return self.report.tokens_before - self.report.tokens_sent if self.accepted else 0

    @property
    def tokens_shadow(self) -> int:
        """Tokens that shadow mode would have saved, which were sent; 0 outside shadow mode."""
        # A shadow request with a failed part is recorded as failed open, so both can hold some.
        if not self.accepted or self.report.treatment not in _SHADOWED:
            return 0
        return self.report.tokens_sent - self.report.tokens_after


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
