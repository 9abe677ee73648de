"""Puts the parts together: a config in, an ASGI application out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette

import compressor as compression
from compressor.calibration import NamedThresholds
from compressor.tokens import DEFAULT_ENCODING, Tokenizers
from compressor.types import PartCompressor
from proxy import openapi
from proxy.access import Access
from proxy.config import Config
from proxy.config_thresholds import named_thresholds
from proxy.generation import Generation
from proxy.ledger import build_sinks
from proxy.limits import Limiter
from proxy.limits_shared import RedisTallies
from proxy.metrics import Metrics
from proxy.pipeline import Pipeline
from proxy.prices import PriceTable
from proxy.reload import ConfigSource, Reloader
from proxy.routes import Probe, Routes, liveness, readiness
from proxy.sample import Sampler
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
    source: ConfigSource | None = None,
) -> Starlette:
    """Return the proxy as an ASGI application. What is not given is built from the config.

    Its lifespan starts and closes all of it, given or built. Metrics are counted besides. With
    `source` a changed config is taken over while it runs; `app.state.reload()` has it read at once.
    Raises ValueError for a Redis address, an encryption key or a `redact` that cannot be used.
    """
    metrics = Metrics()
    if tokenizers is None:
        tokenizers = Tokenizers(config.compressor.encodings)
    if compressor is None:
        compressor = _compressor(config, tokenizers, metrics.shared_cache_error)
    kept = _Kept(
        compressor=compressor,
        tokenizers=tokenizers,
        limiter=_limiter(config),
        sinks=(metrics, *(build_sinks(config, metrics) if sinks is None else sinks)),
        metrics=metrics,
        sampler=None
        if config.sample.path is None
        else Sampler(config.sample, on_dropped=metrics.dropped),
    )
    parts = _Parts(kept, kept.services(config, upstreams), source)
    metrics.watch(parts.degraded)
    app = Starlette(lifespan=parts.lifespan)
    app.state.reload = parts.reload
    # Not as a route: those go by the decoded path, and this takes every path there is.
    app.router.default = parts.routes
    return app


@dataclass(frozen=True, slots=True)
class _Kept:
    """What stays when the config changes."""

    compressor: PartCompressor
    tokenizers: Tokenizers
    limiter: Limiter
    sinks: Sequence[Sink]
    metrics: Metrics
    sampler: Sampler | None = None

    @property
    def writers(self) -> Sequence[Sink | Sampler]:
        """Return what writes on a thread of its own."""
        return (*self.sinks, *([] if self.sampler is None else [self.sampler]))

    def services(
        self,
        config: Config,
        given: Mapping[str, Upstream] | None = None,
        thresholds: NamedThresholds | None = None,
    ) -> Services:
        """Return what a config asks for, made new but for what is kept."""
        prices = PriceTable(config.savings.prices)
        window = prices.context_window
        failed = self.metrics.upstream_failure
        return Services(
            config=config,
            pipeline=Pipeline(
                config,
                self.compressor,
                self.tokenizers,
                context_window=window,
                sampler=self.sampler,
                thresholds=thresholds,
            ),
            upstreams=Upstreams(config.upstreams, given=given, on_failure=failed),
            sinks=self.sinks,
            access=Access(config.access),
            limiter=self.limiter,
            prices=prices,
        )


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
    description = openapi.rendered()

    def metrics_page() -> tuple[int, bytes, bytes]:
        body, content_type = metrics.render()
        return 200, body, content_type.encode("latin-1")

    return {
        "/healthz": liveness,
        "/readyz": lambda: readiness(parts.degraded()),
        "/metrics": metrics_page,
        "/openapi.json": lambda: (200, description, b"application/json"),
    }


class _Parts:
    """What has to be started before the first request and closed after the last."""

    def __init__(self, kept: _Kept, services: Services, source: ConfigSource | None) -> None:
        self._kept = kept
        self._generation = Generation(services)
        self._source = source
        self._reloader: Reloader | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._loading = True
        self.routes = Routes(self._generation, _probes(self, kept.metrics))

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Start everything; the classifier loads while /healthz already answers."""
        await self._generation.services.upstreams.start()
        for sink in self._kept.writers:
            await sink.start()
        tasks = [asyncio.create_task(self._load())]
        if self._source is not None:
            on_result = self._kept.metrics.config_reload
            self._reloader = Reloader(self._source, self._take_over, on_result=on_result)
            tasks.append(asyncio.create_task(self._reloader.run()))
        try:
            yield
        finally:
            for task in (*tasks, *self._retiring):
                task.cancel()
            await asyncio.gather(*tasks, *self._retiring, return_exceptions=True)
            await self._generation.services.upstreams.close()
            await self._kept.limiter.close()
            await self._kept.compressor.close()
            for sink in self._kept.writers:
                await sink.close()

    def reload(self) -> None:
        """Have the config read again soon. Does nothing where there is no source to read."""
        if self._reloader is not None:
            self._reloader.request()

    async def _take_over(self, config: Config) -> None:
        # In a thread, as it may have files to read.
        thresholds = await asyncio.to_thread(
            named_thresholds, config.compressor.classifier, config.policies
        )
        services = self._kept.services(config, thresholds=thresholds)
        async with contextlib.AsyncExitStack() as unless_started:
            unless_started.push_async_callback(services.upstreams.close)
            await services.upstreams.start()
            unless_started.pop_all()
        old, self._generation = self._generation, Generation(services)
        self.routes.use(self._generation)
        task = asyncio.create_task(self._retire(old))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retire(self, old: Generation) -> None:
        try:
            await old.ended()
        finally:
            await old.services.upstreams.close()

    async def _load(self) -> None:
        await self._kept.compressor.start()
        # Else the first request would wait for it.
        await asyncio.to_thread(self._kept.tokenizers.counter, DEFAULT_ENCODING)
        self._loading = False

    def degraded(self) -> Mapping[str, str]:
        """What does not work now and why, by component."""
        kept = self._kept
        found = {**kept.compressor.degraded(), **self._generation.services.upstreams.degraded()}
        if self._loading:
            found.setdefault("classifier", "it is still loading")
        if self._reloader is not None and self._reloader.trouble is not None:
            found["config"] = self._reloader.trouble
        if (why := kept.limiter.degraded()) is not None:
            found["limits"] = why
        for sink in kept.writers:
            if (why := sink.degraded()) is not None:
                found[type(sink).__name__] = why
        return found
