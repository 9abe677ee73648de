"""Whether what a classifier says of a window depends on anything but the window.

A text's compressed form has to be the same in whatever company it is compressed: the cache rests
on that, and so does the provider's prompt cache. Dynamic quantization over a batch breaks it.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import Classifier, Encoded
from compressor.engine import Compressor
from compressor.types import Settings
from compressor.windows import Window

_THREADS = 4
_Asked = Sequence[tuple[Encoded, Window]]
_Answers = Mapping[int, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Isolation:
    """How many windows were run, and for each company that changed some, how many it changed."""

    windows: int
    changed: Mapping[str, int]

    def faults(self) -> list[str]:
        """Return what is not as it has to be, in words; empty where nothing changed."""
        return [
            f"{count} of {self.windows} windows have another output {company} than alone"
            for company, count in self.changed.items()
        ]


def isolation(
    classifier: Classifier, texts: Sequence[str], *, most: int = 48, seed: int = 1
) -> Isolation:
    """Run about `most` windows of the texts one after the other, and again in other company.

    Outputs are compared bit by bit. Raises ValueError where there is no window, and what the
    classifier raises.
    """
    asked: list[tuple[Encoded, Window]] = []
    chosen: list[str] = []
    for text in texts:
        if len(asked) >= most:
            break
        encoded = classifier.encode(text)
        asked += [(encoded, window) for window in classifier.windows(encoded)]
        chosen.append(text)
    if not asked:
        raise ValueError("there is no text whose windows could be run")
    alone = [classifier.keep_probabilities(*one) for one in asked]
    order = list(range(len(asked)))
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, no secret
    companies: dict[str, Callable[[], _Answers]] = {
        "backwards": lambda: _run(classifier, asked, range(len(asked) - 1, -1, -1)),
        "in another order": lambda: _run(classifier, asked, order),
        "beside other threads": lambda: _run_in_threads(classifier, asked, order),
        "in the compressor's queue": lambda: _queued(classifier, asked, chosen),
    }
    changed = {}
    for company, run in companies.items():
        found = run()
        count = sum(not np.array_equal(a, found[i]) for i, a in enumerate(alone))
        if count:
            changed[company] = count
    return Isolation(len(asked), changed)


def _run(classifier: Classifier, asked: _Asked, order: Sequence[int]) -> _Answers:
    return {i: classifier.keep_probabilities(*asked[i]) for i in order}


def _run_in_threads(classifier: Classifier, asked: _Asked, order: Sequence[int]) -> _Answers:
    with ThreadPoolExecutor(_THREADS) as executor:
        outputs = executor.map(lambda i: classifier.keep_probabilities(*asked[i]), order)
        return dict(zip(order, outputs, strict=True))


def _queued(classifier: Classifier, asked: _Asked, texts: Sequence[str]) -> _Answers:
    """Run all texts at once, as a proxy does whose requests come together."""
    with Compressor(classifier, workers=_THREADS) as compressor:
        read = compressor.classify(texts, Settings(rate=0.5))
    together = np.concatenate([text.probabilities for text in read])
    sizes = [window.used_end - window.used_start for _, window in asked]
    return dict(enumerate(np.split(together, np.cumsum(sizes)[:-1])))
