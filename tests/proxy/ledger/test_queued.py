import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.ledger.queued import QueuedSink
from tests.proxy.ledger.records import FakeStore, make_record


@asynccontextmanager
async def running(store: FakeStore, **options: Any) -> AsyncIterator[QueuedSink]:
    sink = QueuedSink("fake", store, **{"gather_seconds": 0.01, "retry_seconds": 0.05} | options)
    await sink.start()
    try:
        yield sink
    finally:
        store.gate.set()
        await sink.close()


async def _tries(store: FakeStore, count: int) -> None:
    for _ in range(count):
        assert await asyncio.to_thread(store.tried.acquire, True, 10)


async def test_records_arrive_in_order_and_off_the_loop() -> None:
    store = FakeStore()
    async with running(store) as sink:
        for number in range(1000):
            sink.write(make_record(number))
    assert [record.id for record in store.records] == [make_record(n).id for n in range(1000)]
    assert store.threads == {"tersely-fake"}
    assert max(store.batches) <= 200
    assert not store.is_open


async def test_records_are_written_without_a_close() -> None:
    store = FakeStore()
    async with running(store) as sink:
        sink.write(make_record())
        assert await asyncio.to_thread(store.entered.wait, 10)


async def test_records_written_before_the_start_are_kept() -> None:
    store = FakeStore()
    sink = QueuedSink("fake", store)
    sink.write(make_record())
    await sink.start()
    await sink.close()
    assert len(store.records) == 1


async def test_an_unavailable_store_is_tried_again_and_nothing_is_lost() -> None:
    store = FakeStore()
    store.trouble = "the disk is full"
    async with running(store) as sink:
        sink.write(make_record(1))
        degraded = sink.degraded()
        assert degraded is not None
        assert degraded.startswith("the disk is full (")
        await _tries(store, 2)
        store.trouble = None
        await _tries(store, 2)
        sink.write(make_record(2))
    assert [record.id for record in store.records] == [make_record(n).id for n in (1, 2)]
    assert sink.degraded() is None
    assert sink.dropped == 0


async def test_trouble_in_the_middle_sends_the_batch_again() -> None:
    store = FakeStore()
    async with running(store) as sink:
        store.trouble = "gone"
        sink.write(make_record(1))
        await _tries(store, 2)
        store.trouble = None
        await _tries(store, 2)
    assert [record.id for record in store.records] == [make_record(1).id]
    assert store.opened == 2
    assert store.closed >= 2


async def test_a_full_queue_drops_counts_and_says_so() -> None:
    store = FakeStore()
    dropped: list[tuple[str, int]] = []
    store.gate.clear()
    async with running(
        store, max_waiting=3, on_dropped=lambda name, count: dropped.append((name, count))
    ) as sink:
        for number in range(5):
            sink.write(make_record(number))
        degraded = sink.degraded()
        assert (
            degraded == "records come faster than they can be written (3 records wait, 2 are lost)"
        )
    assert sink.dropped == 2
    assert dropped == [("fake", 1), ("fake", 1)]
    assert len(store.records) == 3


async def test_close_gives_up_on_a_store_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    store.gate.clear()
    dropped: list[int] = []
    sink = QueuedSink(
        "fake",
        store,
        gather_seconds=0.0,
        close_seconds=0.05,
        on_dropped=lambda _, count: dropped.append(count),
    )
    await sink.start()
    sink.write(make_record())
    assert await asyncio.to_thread(store.entered.wait, 10)
    await sink.close()
    assert dropped == [1]
    assert "1 records were lost at shutdown" in caplog.text
    store.gate.set()


async def test_close_with_an_unavailable_store_counts_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FakeStore()
    store.trouble = "no such folder"
    async with running(store) as sink:
        sink.write(make_record(1))
        sink.write(make_record(2))
    assert sink.dropped == 2
    assert "no such folder" in caplog.text


async def test_a_write_after_close_is_counted() -> None:
    store = FakeStore()
    async with running(store) as sink:
        pass
    sink.write(make_record())
    assert sink.dropped == 1
    await sink.close()  # again, harmless


async def test_close_without_start_counts_what_was_queued() -> None:
    sink = QueuedSink("fake", FakeStore())
    sink.write(make_record())
    await sink.close()
    assert sink.dropped == 1


async def test_trouble_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    store.trouble = "gone"
    async with running(store):
        await _tries(store, 2)
        store.trouble = None
        await _tries(store, 1)
    messages = [entry.getMessage() for entry in caplog.records]
    assert messages == ["fake: gone; records wait in memory", "fake: works again"]


async def test_a_writer_that_died_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[BaseException | None] = []
    finished = threading.Event()

    def note(args: threading.ExceptHookArgs) -> None:
        died.append(args.exc_value)
        finished.set()

    monkeypatch.setattr(threading, "excepthook", note)

    class Broken(FakeStore):
        def append(self, records: Any) -> None:
            raise ZeroDivisionError

    sink = QueuedSink("fake", Broken(), gather_seconds=0.0)
    await sink.start()
    assert sink.degraded() is None
    sink.write(make_record())
    assert await asyncio.to_thread(finished.wait, 10)
    await asyncio.to_thread(sink._thread.join, 10)
    degraded = sink.degraded()
    assert degraded is not None
    assert degraded.startswith("its writer stopped because of a fault in Tersely")
    await sink.close()
    assert isinstance(died[0], ZeroDivisionError)
    assert sink.dropped == 1
