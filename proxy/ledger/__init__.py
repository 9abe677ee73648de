"""Where savings records go and how they are read back."""

from proxy.config import Config
from proxy.ledger.log import LogSink
from proxy.ledger.redis_stream import RedisStreamSink
from proxy.ledger.sqlite import SqliteSink
from proxy.metrics import Metrics
from proxy.savings import Sink


def build_sinks(config: Config, metrics: Metrics | None = None) -> list[Sink]:
    """Return the sinks that the config asks for, not started; `metrics` counts what they drop.

    Each has its own queue and thread, so that one that fails never holds up another.
    """
    on_dropped = metrics.dropped if metrics is not None else None
    savings = config.savings
    sinks: list[Sink] = []
    if savings.path is not None:
        sinks.append(SqliteSink(savings.path, on_dropped=on_dropped))
    if config.cache.url:
        sinks.append(
            RedisStreamSink(
                config.cache.url.get_secret_value(),
                savings.stream,
                savings.stream_max_records,
                on_dropped=on_dropped,
            )
        )
    if savings.log:
        sinks.append(LogSink(on_dropped=on_dropped))
    return sinks
