"""The numbers behind /metrics. A sink like the others, but it only counts."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from proxy.savings import PartReport, SavingsRecord

DegradedSource = Callable[[], Mapping[str, str]]

_COMPRESS_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_UPSTREAM_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_ENDPOINTS: Final = {
    "/v1/chat/completions": "chat_completions",
    "/v1/completions": "completions",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/embeddings": "embeddings",
    "/v1/models": "models",
}
_MOST_POLICIES: Final = 100  # label values; what comes after is counted as "other"

_Labels = tuple[str, ...]


class Metrics(Collector):
    """Counts records, and what else the proxy's parts report, in a registry of its own.

    Labels hold nothing that a client can make up: no model, no tenant. Kept as plain counters that
    become Prometheus samples when they are asked for, since labelled client-library counters cost
    ten times as much on the request path. `write` belongs to the event loop; `dropped` may be
    called from any thread.
    """

    def __init__(self) -> None:
        self._requests: Counter[_Labels] = Counter()
        self._before: Counter[_Labels] = Counter()
        self._sent: Counter[_Labels] = Counter()
        self._shadow: Counter[_Labels] = Counter()
        self._failures: Counter[_Labels] = Counter()
        self._cache: Counter[_Labels] = Counter()
        self._dropped: Counter[_Labels] = Counter()
        self._upstreams: Counter[_Labels] = Counter()
        self._upstream_failures: Counter[_Labels] = Counter()
        self._shared_cache_errors = 0
        self._reloads: Counter[_Labels] = Counter()
        self._reloaded = True
        self._dollars = 0.0
        self._unpriced = 0
        self._compress = _Histogram(_COMPRESS_BUCKETS)
        self._first_byte = _Histogram(_UPSTREAM_BUCKETS)
        self._policies: set[str] = set()
        self._sources: list[DegradedSource] = []
        self._dropping = threading.Lock()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def start(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def degraded(self) -> str | None:
        """Counting cannot fail."""
        return None

    def write(self, record: SavingsRecord) -> None:
        """Count one record."""
        report = record.report
        policy = self._policy_label(report.policy)
        endpoint = _ENDPOINTS.get(record.path, "other")
        status = f"{record.status // 100}xx" if record.status is not None else "none"
        self._requests[endpoint, policy, report.treatment, record.ending, status] += 1
        if record.upstream is not None and record.tries:
            self._upstreams[record.upstream, status] += 1
        if report.tokens_before and record.accepted:
            self._before[policy,] += report.tokens_before
            self._sent[policy,] += report.tokens_sent
            self._shadow[policy,] += record.tokens_shadow
            if record.dollars_saved is not None:
                self._dollars += record.dollars_saved
            else:
                self._unpriced += record.tokens_saved
        if report.compress_ms:
            self._compress.observe(report.compress_ms / 1000)
        if record.upstream_first_byte_ms is not None:
            self._first_byte.observe(record.upstream_first_byte_ms / 1000)
        for part in report.parts:
            self._count_part(part)

    def dropped(self, sink: str, count: int) -> None:
        """Count records that a sink lost. Thread-safe."""
        with self._dropping:
            self._dropped[sink,] += count

    def upstream_failure(self, upstream: str, cause: str) -> None:
        """Count one try that failed: connect, disconnect, timeout, or a status."""
        self._upstream_failures[upstream, cause] += 1

    def shared_cache_error(self) -> None:
        """Count one failed call to the shared cache."""
        self._shared_cache_errors += 1

    def config_reload(self, succeeded: bool) -> None:
        """Count one attempt to take over a changed config."""
        self._reloads["succeeded" if succeeded else "failed",] += 1
        self._reloaded = succeeded

    def watch(self, source: DegradedSource) -> None:
        """Ask `source` on every scrape what is degraded: component to reason."""
        self._sources.append(source)

    def render(self) -> tuple[bytes, str]:
        """Return the exposition text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def describe(self) -> Iterable[Metric]:
        """Return no names: the registry would otherwise collect once to learn them."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield every metric as it stands."""
        yield _counter(
            "tersely_requests",
            "Requests, by how they were treated and how they ended.",
            ("endpoint", "policy", "treatment", "ending", "status"),
            self._requests,
        )
        yield from self._token_counters()
        yield self._compress.family(
            "tersely_compress_seconds", "Time spent on a request's text, where any was compressed."
        )
        yield self._first_byte.family(
            "tersely_upstream_first_byte_seconds",
            "Time from sending a request upstream to the first byte of its answer.",
        )
        yield _counter(
            "tersely_upstream_requests",
            "Requests, by the upstream that served them or was tried last, and the status.",
            ("upstream", "status"),
            self._upstreams,
        )
        yield _counter(
            "tersely_upstream_failures",
            "Tries that failed, those included that another try or upstream made up for.",
            ("upstream", "cause"),
            self._upstream_failures,
        )
        yield _counter(
            "tersely_part_failures",
            "Text parts sent as the original because compressing them failed.",
            ("reason",),
            self._failures,
        )
        yield _counter(
            "tersely_cache_results",
            "Text parts that were to be compressed, by where the result came from.",
            ("state",),
            self._cache,
        )
        yield CounterMetricFamily(
            "tersely_shared_cache_errors",
            "Calls to the shared cache that failed.",
            value=self._shared_cache_errors,
        )
        with self._dropping:
            dropped = Counter(self._dropped)
        yield _counter(
            "tersely_records_dropped", "Savings records that a sink lost.", ("sink",), dropped
        )
        yield from self._reload_metrics()
        yield self._degraded_gauge()

    def _token_counters(self) -> Iterable[Metric]:
        policy = ("policy",)
        accepted = "of requests that the upstream accepted"
        saved = Counter({key: n - self._sent[key] for key, n in self._before.items()})
        yield _counter(
            "tersely_prompt_tokens_before",
            f"Tokens of prompt text as the client sent it, {accepted}.",
            policy,
            self._before,
        )
        yield _counter(
            "tersely_prompt_tokens_sent",
            f"Tokens of prompt text sent to the upstream, {accepted}.",
            policy,
            self._sent,
        )
        yield _counter(
            "tersely_prompt_tokens_saved",
            f"Tokens of prompt text that compression kept from the upstream, {accepted}.",
            policy,
            saved,
        )
        yield _counter(
            "tersely_prompt_tokens_shadow",
            f"Tokens that shadow mode would have saved, {accepted}.",
            policy,
            self._shadow,
        )
        yield CounterMetricFamily(
            "tersely_saved_dollars",
            "Estimated US dollars saved, where the price is known.",
            value=self._dollars,
        )
        yield CounterMetricFamily(
            "tersely_prompt_tokens_unpriced",
            "Saved tokens that are not in tersely_saved_dollars, since their price is unknown.",
            value=self._unpriced,
        )

    def _reload_metrics(self) -> Iterable[Metric]:
        yield _counter(
            "tersely_config_reloads",
            "Changed configs, by whether they could be taken over.",
            ("result",),
            self._reloads,
        )
        yield GaugeMetricFamily(
            "tersely_config_last_reload_successful",
            "0 while the config file cannot be used and an earlier one holds.",
            value=int(self._reloaded),
        )

    def _degraded_gauge(self) -> Metric:
        gauge = GaugeMetricFamily(
            "tersely_degraded",
            "1 for each component that does not work now.",
            labels=("component",),
        )
        components = {name for source in self._sources for name in source()}
        for name in sorted(components):
            gauge.add_metric((name,), 1)
        return gauge

    def _count_part(self, part: PartReport) -> None:
        if part.failure is not None:
            self._failures[part.failure,] += 1
        if part.cache is not None:
            self._cache[part.cache,] += 1

    def _policy_label(self, policy: str | None) -> str:
        if policy is None:
            return ""
        if policy not in self._policies:
            if len(self._policies) >= _MOST_POLICIES:
                return "other"
            self._policies.add(policy)
        return policy


class _Histogram:
    """Counts by bucket and a sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self, name: str, help_text: str) -> HistogramMetricFamily:
        names = [str(bound) for bound in self._bounds] + ["+Inf"]
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=self._sum)


def _counter(
    name: str, help_text: str, labels: tuple[str, ...], values: Mapping[_Labels, int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, help_text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
