"""Stand-ins for the slow or outside parts, so that a test says exactly what goes wrong and when."""

import asyncio
import re
from collections.abc import Mapping, Sequence

from compressor.tokens import EncodingChoice
from compressor.types import (
    CacheState,
    CompressionResult,
    Failure,
    Kind,
    Outcome,
    Settings,
    Span,
    VerifiedCount,
)
from proxy.savings import SavingsRecord

_WORD = re.compile(r"\s*\S+")


def every_second_word(text: str) -> tuple[str, tuple[Span, ...]]:
    """Return what the fake keeps of a text (words 1, 3, 5 … with the space before them)."""
    kept = tuple(
        Span(match.start(), match.end())
        for number, match in enumerate(_WORD.finditer(text))
        if number % 2 == 0
    )
    return "".join(text[span.start : span.end] for span in kept), kept


class FakeCompressor:
    """Drops every second word; counts a word as a token.

    Set `failure` to send originals with that reason, `hang` to wait (until `release` is set) as a
    stuck classifier would, `raises` to break the protocol's promise, `rewrite` for a text of one's
    own, `cache` for where the answer is said to come from. `calls` holds what was asked.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Settings, str, float]] = []
        self.failure: Failure | None = None
        self.hang = False
        self.release = asyncio.Event()
        self.raises: BaseException | None = None
        self.rewrite: Mapping[str, str] = {}
        self.cache = CacheState.MISS
        self.verified: Mapping[Kind, VerifiedCount] = {}
        self.trouble: dict[str, str] = {}
        self.running = 0
        self.most_running = 0
        self.started = False
        self.closed = False

    @property
    def texts(self) -> list[str]:
        """The texts that were to be compressed, in order."""
        return [text for text, *_ in self.calls]

    async def compress(
        self, text: str, settings: Settings, *, tenant: str, deadline_ms: float
    ) -> Outcome:
        self.calls.append((text, settings, tenant, deadline_ms))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            if self.hang:
                await self.release.wait()
            if self.raises is not None:
                raise self.raises
        finally:
            self.running -= 1
        if self.failure is not None:
            return Outcome(text, CacheState.MISS, None, self.failure, 1.0)
        return Outcome(*self._answer(text), None, 1.0)

    def _answer(self, text: str) -> tuple[str, CacheState, CompressionResult]:
        shorter, kept = every_second_word(text)
        shorter = self.rewrite.get(text, shorter)
        result = CompressionResult(
            text=shorter,
            tokens_before=len(text.split()),
            tokens_after=len(shorter.split()),
            kept=kept,
            unchanged="nothing to drop" if shorter == text else None,
            verified=self.verified,
        )
        return shorter, self.cache, result

    def degraded(self) -> Mapping[str, str]:
        return self.trouble

    async def start(self) -> None:
        self.started = True

    async def close(self) -> None:
        self.closed = True
        self.release.set()


class FakeCounter:
    """Counts words as tokens."""

    def count(self, text: str) -> int:
        return len(text.split())

    def starts(self, text: str) -> Sequence[int]:
        return [match.start() for match in _WORD.finditer(text)]


class FakeTokenizers:
    """One word-counting tokenizer for every model; unknown to be right for `estimated` ones."""

    def __init__(self, *estimated: str) -> None:
        self.estimated = estimated

    def for_model(self, model: str) -> EncodingChoice:
        return EncodingChoice("words", model in self.estimated)

    def counter(self, encoding: str) -> FakeCounter:
        return FakeCounter()


class FakeSink:
    """Keeps records in a list. `wait_for` returns once that many have come."""

    def __init__(self) -> None:
        self.records: list[SavingsRecord] = []
        self.trouble: str | None = None
        self.started = False
        self.closed = False
        self._written = asyncio.Event()

    async def start(self) -> None:
        self.started = True

    def write(self, record: SavingsRecord) -> None:
        self.records.append(record)
        self._written.set()

    def degraded(self) -> str | None:
        return self.trouble

    async def close(self) -> None:
        self.closed = True

    async def wait_for(self, count: int, limit_seconds: float = 5.0) -> list[SavingsRecord]:
        """Return the records once there are `count`; raises TimeoutError after the limit."""
        async with asyncio.timeout(limit_seconds):
            while len(self.records) < count:
                self._written.clear()
                await self._written.wait()
        return self.records
