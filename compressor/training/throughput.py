"""How many tokens a second a classifier reads: in one thread, and on all cores."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from compressor.classifier.base import Classifier
from compressor.engine import Compressor
from compressor.pool import usable_cores
from compressor.types import Settings


@dataclass(frozen=True, slots=True)
class Throughput:
    """Classifier tokens by wall-clock seconds, in one thread and with a thread for each core."""

    one_thread: float
    all_cores: float
    cores: int


def throughput(classifier: Classifier, texts: Sequence[str], *, tokens: int = 20_000) -> Throughput:
    """Measure on about so many tokens of the texts; context that windows share is not counted.

    The first text is read once before the clock starts. Raises ValueError where there is no text.
    """
    chosen: list[str] = []
    count = 0
    for text in texts:
        if count >= tokens:
            break
        chosen.append(text)
        count += len(classifier.encode(text).ids)
    if not count:
        raise ValueError("there is no text to measure the speed on")
    return Throughput(
        one_thread=count / _seconds(classifier, chosen, workers=1),
        all_cores=count / _seconds(classifier, chosen, workers=usable_cores()),
        cores=usable_cores(),
    )


def _seconds(classifier: Classifier, texts: Sequence[str], *, workers: int) -> float:
    settings = Settings(rate=0.5)
    with Compressor(classifier, workers=workers) as compressor:
        compressor.classify(texts[:1], settings)
        started = time.perf_counter()
        compressor.classify(texts, settings)
        return max(time.perf_counter() - started, 1e-9)
