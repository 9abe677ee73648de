"""Puts the parts together: a config in, an ASGI application out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from starlette.applications import Starlette

import compressor as compression
from compressor.tokens import DEFAULT_ENCODING, Tokenizers
from compressor.types import PartCompressor
from proxy.access import Access
from proxy.config import Config
from proxy.ledger import build_sinks
from proxy.limits import Limiter
from proxy.limits_shared import RedisTallies
from proxy.metrics import Metrics
from proxy.pipeline import Pipeline
from proxy.prices import PriceTable
from proxy.routes import Probe, Routes, liveness, readiness
from proxy.savings import Sink
from proxy.services import Services
from proxy.upstream import Upstream
from proxy.upstreams import Upstreams


def create_app(
    config: Config,
    *,
    upstreams: Mapping[str, Upstream] | None = None,
    compressor: PartCompressor | None = None,
    sinks: Sequence[Sink] | None = None,
    tokenizers: Tokenizers | None = None,
) -> Starlette:
    """Return the proxy as an ASGI application. What is not given is built from the config.

    Its lifespan starts and closes all of it, given or built. Metrics are counted besides. Raises
    ValueError for a Redis address or an encryption key that cannot be used.
    """
    metrics = Metrics()
    if tokenizers is None:
        tokenizers = Tokenizers(config.compressor.encodings)
    prices = PriceTable(config.savings.prices)
    if compressor is None:
        compressor = _compressor(config, tokenizers, metrics.shared_cache_error)
    services = Services(
        config=config,
        pipeline=Pipeline(config, compressor, tokenizers, context_window=prices.context_window),
        upstreams=Upstreams(config.upstreams, given=upstreams, on_failure=metrics.upstream_failure),
        sinks=(metrics, *(build_sinks(config, metrics) if sinks is None else sinks)),
        access=Access(config.access),
        limiter=_limiter(config),
        prices=prices,
    )
    parts = _Parts(services, compressor, tokenizers)
    metrics.watch(parts.degraded)
    app = Starlette(lifespan=parts.lifespan)
    # Not as a route: those go by the decoded path, and this takes every path there is.
    app.router.default = Routes(services, _probes(parts, metrics))
    return app


def _compressor(
    config: Config, tokenizers: Tokenizers, on_shared_error: Callable[[], None]
) -> PartCompressor:
    key, url = config.cache.encryption_key, config.cache.url
    # By attribute, because the model runtimes are imported then, and not for a given compressor.
    return compression.build_part_compressor(
        classifier=config.compressor.classifier,
        backend=config.compressor.backend,
        workers=config.compressor.workers,
        max_queued_tokens=config.compressor.max_queued_tokens,
        tokenizers=tokenizers,
        memory_bytes=config.cache.memory_mb * 1024 * 1024,
        redis_url=None if url is None else url.get_secret_value(),
        ttl_seconds=config.cache.ttl_seconds,
        call_budget_ms=config.cache.call_budget_ms,
        encryption_key=None if key is None else key.get_secret_value(),
        on_shared_error=on_shared_error,
    )


def _limiter(config: Config) -> Limiter:
    url = config.cache.url
    if url is None:
        return Limiter()
    budget = config.cache.call_budget_ms
    return Limiter(RedisTallies(url.get_secret_value(), call_budget_ms=budget))


def _probes(parts: "_Parts", metrics: Metrics) -> dict[str, Probe]:
    def metrics_page() -> tuple[int, bytes, bytes]:
        body, content_type = metrics.render()
        return 200, body, content_type.encode("latin-1")

    return {
        "/healthz": liveness,
        "/readyz": lambda: readiness(parts.degraded()),
        "/metrics": metrics_page,
    }


class _Parts:
    """What has to be started before the first request and closed after the last."""

    def __init__(
        self, services: Services, compressor: PartCompressor, tokenizers: Tokenizers
    ) -> None:
        self._services = services
        self._compressor = compressor
        self._tokenizers = tokenizers
        self._loading = True

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Start everything; the classifier loads while /healthz already answers."""
        await self._services.upstreams.start()
        for sink in self._services.sinks:
            await sink.start()
        loading = asyncio.create_task(self._load())
        try:
            yield
        finally:
            loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loading
            await self._services.upstreams.close()
            await self._services.limiter.close()
            await self._compressor.close()
            for sink in self._services.sinks:
                await sink.close()

    async def _load(self) -> None:
        await self._compressor.start()
        # Else the first request would wait for it.
        await asyncio.to_thread(self._tokenizers.counter, DEFAULT_ENCODING)
        self._loading = False

    def degraded(self) -> Mapping[str, str]:
        """What does not work now and why, by component."""
        found = {**self._compressor.degraded(), **self._services.upstreams.degraded()}
        if self._loading:
            found.setdefault("classifier", "it is still loading")
        if (why := self._services.limiter.degraded()) is not None:
            found["limits"] = why
        for sink in self._services.sinks:
            if (why := sink.degraded()) is not None:
                found[type(sink).__name__] = why
        return found
