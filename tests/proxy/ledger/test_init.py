import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from proxy.config import Config
from proxy.ledger import build_sinks
from proxy.ledger.log import LogSink
from proxy.ledger.redis_stream import RedisStreamSink, read_stream
from proxy.ledger.sqlite import SqliteSink, read_sqlite
from proxy.metrics import Metrics
from proxy.savings import Sink
from tests.proxy.ledger.records import make_record


def config(*, url: str | None = None, **savings: Any) -> Config:
    return Config.model_validate(
        {
            "upstreams": {"openai": {"base_url": "https://api.openai.com/v1"}},
            "policies": {},
            "routes": [],
            "cache": {"url": url},
            "savings": savings,
        }
    )


async def write(sinks: list[Sink]) -> None:
    for sink in sinks:
        await sink.start()
    for sink in sinks:
        sink.write(make_record())
    for sink in sinks:
        await sink.close()


def test_the_sinks_are_those_of_the_config(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    assert [type(s) for s in build_sinks(config(path=path))] == [SqliteSink, LogSink]
    assert [type(s) for s in build_sinks(config(path=path, log=False))] == [SqliteSink]
    with_redis = build_sinks(config(path=path, url="redis://localhost"))
    assert [type(s) for s in with_redis] == [SqliteSink, RedisStreamSink, LogSink]
    assert build_sinks(config(log=False)) == []


async def test_every_sink_gets_every_record(
    tmp_path: Path, valkey_url: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    key = uuid.uuid4().hex
    path = tmp_path / "savings.db"
    await write(build_sinks(config(path=path, url=valkey_url, stream=key)))
    assert list(read_sqlite(path)) == [make_record()]
    assert list(read_stream(valkey_url, key)) == [make_record()]
    assert json.loads(capfdbinary.readouterr().out)["id"] == make_record().id


async def test_broken_sinks_do_not_hurt_the_others(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    metrics = Metrics()
    sinks = build_sinks(config(path=tmp_path, url="redis://127.0.0.1:1"), metrics)
    await write(sinks)
    assert len(capfdbinary.readouterr().out.splitlines()) == 1
    body = metrics.render()[0].decode()
    assert 'tersely_records_dropped_total{sink="sqlite"} 1.0' in body
    assert 'tersely_records_dropped_total{sink="redis"} 1.0' in body
