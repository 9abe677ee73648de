"""Records to test with: one that is easy to change, and all that can be."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from proxy.ledger.queued import QueuedSink, StoreError
from proxy.savings import (
    CompressionReport,
    Ending,
    PartReport,
    SavingsRecord,
    Treatment,
    Usage,
)

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_COUNTS = st.integers(0, 2**40)
_MS = st.floats(0, 1e7)


def make_record(number: int = 0, **changes: Any) -> SavingsRecord:
    """A finished, compressed request; `changes` are members of the record or of its report."""
    report: dict[str, Any] = {
        "policy": "balanced",
        "treatment": Treatment.COMPRESSED,
        "encoding": "o200k_base",
        "tokens_before": 1000,
        "tokens_after": 400,
        "tokens_sent": 400,
        "compress_ms": 12.5,
        "parts": (PartReport("messages.0.content", "user", "rate 0.4", 1000, 400, cache="miss"),),
    }
    record: dict[str, Any] = {
        "id": f"req_{number:032x}",
        "at": 1_790_000_000.0 + number,
        "tenant": "t-0123456789ab",
        "method": "POST",
        "path": "/v1/chat/completions",
        "model": "gpt-4o",
        "upstream": "openai",
        "stream": False,
        "ending": Ending.FINISHED,
        "status": 200,
        "usage": Usage(410, 20, 0),
        "upstream_first_byte_ms": 200.0,
        "upstream_ms": 900.0,
        "total_ms": 915.0,
        "dollars_saved": 0.0015,
        "price_source": "config as of 2026-11-01",
    }
    for name, value in changes.items():
        (report if name in report or name in _REPORT_ONLY else record)[name] = value
    return SavingsRecord(report=CompressionReport(**report), **record)


_REPORT_ONLY = {"tokens_estimated", "note"}

parts = st.builds(
    PartReport,
    path=_NAMES,
    role=st.sampled_from(["user", "tool"]),
    reason=st.sampled_from(["rate 0.5", "7 tokens, below min_tokens 200", "policy is off"]),
    tokens_before=_COUNTS,
    tokens_after=_COUNTS,
    cache=st.sampled_from([None, "miss", "memory", "shared", "joined"]),
    failure=st.sampled_from([None, "deadline", "overloaded"]),
    compress_ms=_MS,
    protected=_COUNTS,
    restored=_COUNTS,
    lost=_COUNTS,
    budget_unmet=st.booleans(),
)
reports = st.builds(
    CompressionReport,
    policy=st.none() | _NAMES,
    treatment=st.sampled_from(Treatment),
    encoding=st.none() | _NAMES,
    tokens_estimated=st.booleans(),
    tokens_before=_COUNTS,
    tokens_after=_COUNTS,
    tokens_sent=_COUNTS,
    compress_ms=_MS,
    parts=st.lists(parts, max_size=4).map(tuple),
    note=st.none() | _NAMES,
)
usages = st.builds(
    Usage,
    prompt_tokens=st.none() | _COUNTS,
    completion_tokens=st.none() | _COUNTS,
    cached_tokens=st.none() | _COUNTS,
)
records = st.builds(
    SavingsRecord,
    id=_NAMES,
    at=st.floats(0, 4e9),
    tenant=_NAMES,
    method=st.sampled_from(["GET", "POST"]),
    path=_NAMES,
    model=_NAMES,
    upstream=st.none() | _NAMES,
    stream=st.booleans(),
    ending=st.sampled_from(Ending),
    status=st.none() | st.integers(100, 599),
    report=reports,
    usage=usages,
    upstream_first_byte_ms=st.none() | _MS,
    upstream_ms=st.none() | _MS,
    total_ms=_MS,
    dollars_saved=st.none() | st.floats(0, 1e6),
    price_source=st.none() | _NAMES,
    dollars_shadow=st.none() | st.floats(0, 1e6),
)


class FakeStore:
    """Keeps records in a list. `trouble` makes it unavailable; clear `gate` and it hangs."""

    def __init__(self) -> None:
        self.records: list[SavingsRecord] = []
        self.batches: list[int] = []
        self.trouble: str | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.tried = threading.Semaphore(0)
        self.is_open = False
        self.opened = 0
        self.closed = 0
        self.threads: set[str] = set()

    def open(self) -> None:
        self._meet_trouble()
        self.is_open = True
        self.opened += 1

    def append(self, records: Sequence[SavingsRecord]) -> None:
        assert self.is_open
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        self.gate.wait(10)
        self._meet_trouble()
        self.batches.append(len(records))
        self.records.extend(records)

    def close(self) -> None:
        self.is_open = False
        self.closed += 1

    def _meet_trouble(self) -> None:
        self.tried.release()
        if self.trouble is not None:
            raise StoreError(self.trouble)


async def until_degraded(sink: QueuedSink, *, degraded: bool = True) -> str:
    """Wait until the sink says that it is degraded, or well; returns what it says, or ""."""
    async with asyncio.timeout(15):
        while (sink.degraded() is not None) != degraded:
            await asyncio.sleep(0.01)
    return sink.degraded() or ""
