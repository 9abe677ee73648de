"""What every request is served with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from policies.types import Route
from proxy.access import Access
from proxy.config import Config
from proxy.limits import Limiter
from proxy.pipeline import Prepared
from proxy.savings import Sink, Usage
from proxy.upstreams import Upstreams


class Preparer(Protocol):
    """What an exchange asks of the pipeline."""

    def route(
        self, *, path: str, headers: Mapping[str, str], tenant: str, model: str = ""
    ) -> Route:
        """Return where a request goes."""
        ...

    def depends_on_model(self, *, path: str, headers: Mapping[str, str], tenant: str) -> bool:
        """Return whether that hangs on its model, all else being known."""
        ...

    async def prepare(
        self,
        *,
        path: str,
        headers: Mapping[str, str],
        tenant: str,
        body: bytes,
        check_policy: Callable[[str], None] | None = None,
        counts_tokens: bool = False,
    ) -> Prepared:
        """Return what the upstream is sent; raises RequestRefused, and what check_policy raises."""
        ...

    async def shorten(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        tenant: str,
        check_policy: Callable[[str], None],
        check_models: Callable[[Sequence[str]], None],
    ) -> bytes:
        """Return the answer to POST /v1/compress; raises RequestRefused."""
        ...

    def untouched(
        self, *, path: str, headers: Mapping[str, str], tenant: str, body: bytes, note: str
    ) -> Prepared:
        """Return the original with `note` as the reason, also when `prepare` has failed."""
        ...


class Prices(Protocol):
    """What an exchange asks of the price table."""

    def dollars_saved(
        self, model: str, tokens_saved: int, usage: Usage
    ) -> tuple[float | None, str | None]:
        """Return the estimate and its source, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What every exchange shares."""

    config: Config
    pipeline: Preparer
    upstreams: Upstreams
    sinks: Sequence[Sink]
    access: Access
    limiter: Limiter
    prices: Prices | None = None
