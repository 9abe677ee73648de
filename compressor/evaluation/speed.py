"""How fast methods are from end to end, the classifier included."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from compressor.evaluation.datasets import QASet
from compressor.evaluation.methods import Method
from compressor.types import TokenCounter


@dataclass(frozen=True, slots=True)
class Speed:
    """One method's throughput over some documents, one after the other, in the target's tokens."""

    method: str
    documents: int
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Source tokens by wall-clock seconds."""
        return self.tokens / max(self.seconds, 1e-9)


def measure(
    sets: Sequence[QASet],
    methods: Sequence[Method],
    rate: float,
    counter: TokenCounter,
    advance: Callable[[], None] = lambda: None,
) -> Iterator[Speed]:
    """Yield every method's speed. A question-aware method gets each document's first question.

    The methods must not share a cache of classifier outputs. The first document is done once
    before the clock starts, so that loading is left out.
    """
    documents = [d for qa_set in sets for d in qa_set.documents if d.questions]
    tokens = sum(counter.count(document.text) for document in documents)
    for method in methods:
        if documents:
            method.shorten(documents[0].text, documents[0].questions[0].text, rate)
        seconds = 0.0
        for document in documents:
            started = time.perf_counter()
            method.shorten(document.text, document.questions[0].text, rate)
            seconds += time.perf_counter() - started
            advance()
        yield Speed(method.name, len(documents), tokens, seconds)
