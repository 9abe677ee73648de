"""Paired bootstrap over documents: intervals of shares, and of differences between methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
_SEED = 20240319
_LOW, _HIGH = 2.5, 97.5


class NotComparable(ValueError):
    """Results that no share or difference can be taken of."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Per document, how many questions count and how many of them survived: both (documents,)."""

    survived: NDArray[np.float64]
    counted: NDArray[np.float64]


def shares(
    methods: Mapping[str, Counted], resamples: int = RESAMPLES
) -> tuple[dict[str, Interval], dict[tuple[str, str], Interval]]:
    """Return every method's pooled share and every ordered pair's difference, with intervals.

    Documents are drawn with replacement, since the questions of one document stand or fall
    together; every method sees the same draws, so differences are paired (Efron & Tibshirani, An
    Introduction to the Bootstrap, 1993, percentile intervals). Seeded. All methods have the same
    documents in the same order; raises NotComparable where they do not.
    """
    sizes = {len(m.counted) for m in methods.values()} | {len(m.survived) for m in methods.values()}
    if len(sizes) != 1:
        raise NotComparable("methods have results for different documents; run all of them first")
    documents = sizes.pop()
    if not documents or any(not m.counted.sum() for m in methods.values()):
        raise NotComparable("no question has its answer in its document")
    draws = _draws(np.any([m.counted > 0 for m in methods.values()], axis=0), resamples)
    resampled = {name: _pooled(m, draws) for name, m in methods.items()}
    whole = np.ones((1, documents))
    values = {name: float(_pooled(m, whole)[0]) for name, m in methods.items()}
    single = {name: _interval(values[name], draws) for name, draws in resampled.items()}
    paired = {
        (a, b): _interval(values[a] - values[b], resampled[a] - resampled[b])
        for a in methods
        for b in methods
        if a != b
    }
    return single, paired


def differences(
    pairs: Sequence[tuple[Counted, Counted]], resamples: int = RESAMPLES
) -> tuple[float, float, Interval]:
    """Return the mean share of the first of every pair, of the second, and by how much it rose.

    A pair is one set's documents in two runs. Every set is drawn by itself, the two runs of one
    alike, and every set counts the same. Raises NotComparable for a set without a question.
    """
    before, after, rises = [], [], []
    for index, (first, second) in enumerate(pairs):
        if not first.counted.sum() or not second.counted.sum():
            raise NotComparable("no question has its answer in its document")
        whole = np.ones((1, len(first.counted)))
        before.append(float(_pooled(first, whole)[0]))
        after.append(float(_pooled(second, whole)[0]))
        draws = _draws(first.counted + second.counted > 0, resamples, index)
        rises.append(_pooled(second, draws) - _pooled(first, draws))
    mean_before, mean_after = float(np.mean(before)), float(np.mean(after))
    return mean_before, mean_after, _interval(mean_after - mean_before, np.mean(rises, axis=0))


def counted(by_document: Sequence[Sequence[bool | None]]) -> Counted:
    """Return the counts of questions by document; None is a question that does not count."""
    return Counted(
        np.array([sum(bool(q) for q in document) for document in by_document], np.float64),
        np.array([sum(q is not None for q in document) for document in by_document], np.float64),
    )


def _draws(counts: NDArray[np.bool_], resamples: int, index: int = 0) -> NDArray[np.float64]:
    """Return how often each document is in each resample, shape (resamples, documents).

    `counts` says which documents have a question that counts: the others say nothing about a share
    and are never drawn, since a resample of them alone would have none.
    """
    generator = np.random.default_rng(_SEED + index)
    documents = int(counts.sum())
    draws = generator.multinomial(documents, counts / documents, size=resamples)
    return draws.astype(np.float64)


def _pooled(method: Counted, draws: NDArray[np.float64]) -> NDArray[np.float64]:
    # Where two methods differ in what counts, a resample may have nothing of one: share 0.
    share: NDArray[np.float64] = (draws @ method.survived) / np.maximum(draws @ method.counted, 1)
    return share


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(resampled, [_LOW, _HIGH])
    return Interval(value, float(low), float(high))
