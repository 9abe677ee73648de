"""An engine that keeps every second word, can be held back, and counts what it is asked."""

from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event

from compressor.types import CompressionResult, Settings


@dataclass
class FakeDraft:
    engine: "FakeEngine"
    text: str
    pending: Future[None] | None

    def finish(self) -> CompressionResult:
        words = self.text.split()
        kept = " ".join(words[::2]) + self.engine.mark
        return CompressionResult(kept, len(words), len(kept.split()), ())


class FakeEngine:
    """`hold` keeps every text with the classifier until `release`; `begun` is set when one is.

    `error` is raised for every text. `mark` is added to results, as another CPU's rounding would.
    """

    def __init__(self, revision: str = "fake/1", mark: str = "") -> None:
        self.revision = revision
        self.mark = mark
        self.relevance = "fake-relevance/1"
        self.texts: list[str] = []
        self.error: BaseException | None = None
        self.hold = False
        self.begun = Event()
        self.closed = False
        self._held: list[Future[None]] = []

    def revision_for(self, settings: Settings) -> str:
        return self.revision if settings.question is None else f"{self.revision}/{self.relevance}"

    def begin(self, text: str, settings: Settings) -> FakeDraft:
        self.texts.append(text)
        if self.error is not None:
            raise self.error
        pending: Future[None] | None = None
        if self.hold:
            pending = Future()
            self._held.append(pending)
        self.begun.set()
        return FakeDraft(self, text, pending)

    def release(self) -> None:
        self.hold = False
        for pending in self._held:
            if pending.set_running_or_notify_cancel():
                pending.set_result(None)
        self._held.clear()

    def close(self) -> None:
        self.closed = True


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
