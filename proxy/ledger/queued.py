"""A sink that hands records to a store on a thread of its own, in batches."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

_log = logging.getLogger("tersely.ledger")

_BATCH = 200  # small enough that encoding one batch never holds the interpreter for long
_LAST_RETRY_SECONDS = 10.0

_Record = TypeVar("_Record")
_Record_contra = TypeVar("_Record_contra", contravariant=True)

OnDropped = Callable[[str, int], None]


class StoreError(Exception):
    """A store cannot take records now; the text says why and how to mend it."""


class Store(Protocol[_Record_contra]):
    """Where batches go. Called from one thread only."""

    def open(self) -> None:
        """Make ready for `append`. Raises StoreError."""
        ...

    def append(self, records: Sequence[_Record_contra]) -> None:
        """Write all of them. Raises StoreError; the same records then come again."""
        ...

    def close(self) -> None:
        """Release what `open` took; never raises, and may be called twice."""
        ...


class QueuedSink(Generic[_Record]):
    """Keeps up to `max_waiting` records for its store; what is above that is dropped and counted.

    A batch is written `gather_seconds` after its first record came. While the store is
    unavailable, records wait and it is tried again after `retry_seconds`, then less often, up to
    every 10 s.
    `on_dropped(name, count)` is called on the thread that drops: the caller's or the writer's.
    """

    def __init__(
        self,
        name: str,
        store: Store[_Record],
        *,
        on_dropped: OnDropped | None = None,
        max_waiting: int = 50_000,
        gather_seconds: float = 0.25,
        retry_seconds: float = 0.5,
        close_seconds: float = 5.0,
    ) -> None:
        self.name = name
        self._store = store
        self._on_dropped = on_dropped
        self._max_waiting = max_waiting
        self._gather_seconds = gather_seconds
        self._retry_seconds = retry_seconds
        self._close_seconds = close_seconds
        self._queue: queue.SimpleQueue[_Record | None] = queue.SimpleQueue()
        self._pending: list[_Record] = []
        self._closing = threading.Event()
        self._tried = threading.Event()
        self._is_open = False
        self._reason: str | None = None
        self._dropped = 0
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"tersely-{name}", daemon=True)

    @property
    def dropped(self) -> int:
        """How many records were lost since the start."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return self._queue.qsize() + len(self._pending)

    async def start(self) -> None:
        """Start the writer and wait for its first try at opening the store, two seconds at most."""
        self._thread.start()
        await asyncio.to_thread(self._tried.wait, 2.0)

    def write(self, record: _Record) -> None:
        """Queue one record; drops it when the queue is full or the sink closed."""
        if self.waiting >= self._max_waiting or self._closing.is_set():
            self._drop(1)
        else:
            self._queue.put(record)

    def degraded(self) -> str | None:
        """Why records are not being kept now, and how many wait or are lost."""
        reason = self._reason
        if self._tried.is_set() and not self._thread.is_alive() and not self._closing.is_set():
            reason = "its writer stopped because of a fault in Tersely; see the log"
        elif reason is None and self.waiting >= self._max_waiting:
            reason = "records come faster than they can be written"
        if reason is None:
            return None
        return f"{reason} ({self.waiting} records wait, {self._dropped} are lost)"

    async def close(self) -> None:
        """Write what is queued and close the store; gives up after `close_seconds`."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._queue.put(None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, self._close_seconds)
        self._lose_the_rest()

    def _lose_the_rest(self) -> None:
        lost = len(self._pending)
        while not self._queue.empty():
            lost += self._queue.get() is not None
        if lost:
            self._drop(lost)
            why = self._reason or "the store did not take them in time"
            _log.error("%s: %d records were lost at shutdown: %s", self.name, lost, why)

    def _run(self) -> None:
        delay = 0.0
        if not self._pass():
            delay = self._retry_seconds
        self._tried.set()
        closing = False
        while not closing:
            self._wait(delay)
            closing = self._closing.is_set()
            self._take_queued()
            if self._pass():
                delay = 0.0
            else:
                delay = min(max(2 * delay, self._retry_seconds), _LAST_RETRY_SECONDS)
        self._store.close()

    def _wait(self, delay: float) -> None:
        """Wait for the time of the next try; or for a record, and then for company."""
        if delay:
            self._closing.wait(delay)
            return
        first = self._queue.get()
        if first is not None:
            self._pending.append(first)
            self._closing.wait(self._gather_seconds)

    def _take_queued(self) -> None:
        # Not until it is empty: a steady stream of records would keep it from ever writing.
        for _ in range(self._queue.qsize()):
            record = self._queue.get()
            if record is not None:
                self._pending.append(record)

    def _pass(self) -> bool:
        """Write what is pending; returns whether the store is well."""
        try:
            if not self._is_open:
                self._store.open()
                self._is_open = True
            while self._pending:
                self._store.append(self._pending[:_BATCH])
                del self._pending[:_BATCH]
        except StoreError as error:
            self._store.close()
            self._is_open = False
            self._turn(str(error))
            return False
        self._turn(None)
        return True

    def _turn(self, reason: str | None) -> None:
        """Remember the store's state and log it when it changes, not on every try."""
        if reason is not None and self._reason is None:
            _log.warning("%s: %s; records wait in memory", self.name, reason)
        elif reason is None and self._reason is not None:
            _log.warning("%s: works again", self.name)
        self._reason = reason

    def _drop(self, count: int) -> None:
        with self._counting:
            self._dropped += count
        if self._on_dropped is not None:
            self._on_dropped(self.name, count)
