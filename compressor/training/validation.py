"""How well a classifier ranks the words of held-out documents: the area under the ROC curve."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from compressor.scoring import word_probabilities
from compressor.training.examples import Passage
from compressor.words import Word

Probabilities = Callable[[str], tuple[NDArray[np.int32], NDArray[np.float32]]]
"""A text to its tokens' offsets, (tokens, 2), and keep probabilities, (tokens,)."""

Scores = tuple[NDArray[np.float32], NDArray[np.float32]]
"""The scores and labels of some words: (words,) each."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """AUC against the words that both grades keep, and against those that the light one keeps."""

    heavy: float
    light: float
    words: int

    @property
    def mean(self) -> float:
        """The mean of those that are known: what training stops on. NaN where neither is."""
        known = [auc for auc in (self.heavy, self.light) if not math.isnan(auc)]
        return fmean(known) if known else math.nan

    def as_dict(self) -> dict[str, float | None]:
        """Return both by name, to four decimals, None where there was nothing to rank."""
        pairs = (("heavy", self.heavy), ("light", self.light))
        return {name: None if math.isnan(auc) else round(auc, 4) for name, auc in pairs}


def area_under_curve(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """Return the chance that a positive scores above a negative, ties counting half.

    NaN where there are no positives or no negatives. Source: the Mann-Whitney U statistic.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def word_scores(passage: Passage, probabilities: Probabilities) -> Scores:
    """Return the scores and labels of a passage's words, marks left out: (words,) each."""
    offsets, tokens = probabilities(passage.text)
    words = [Word(int(start), int(end)) for start, end in passage.spans]
    scores = word_probabilities(words, offsets, tokens)
    known = ~np.isnan(passage.labels)
    return scores[known], passage.labels[known]


def ranking(passages: Iterable[Passage], probabilities: Probabilities) -> Ranking:
    """Return how the words of all passages together are ranked."""
    return _together([word_scores(passage, probabilities) for passage in passages])


@dataclass(frozen=True, slots=True)
class Ranked:
    """How the words of some of the passages are ranked, and whose they are."""

    name: str
    passages: int
    ranking: Ranking


def ranked(scored: Sequence[tuple[Passage, Scores]]) -> list[Ranked]:
    """Return how words are ranked in all passages, in each language's and in each source's.

    `scored` has every passage with its `word_scores`. Languages and sources come in the order of
    their names.
    """
    rows = [Ranked("all", len(scored), _together([scores for _, scores in scored]))]
    for kind in ("lang", "source"):
        groups: dict[str, list[Scores]] = {}
        for passage, scores in scored:
            groups.setdefault(getattr(passage, kind), []).append(scores)
        rows += [
            Ranked(name, len(group), _together(group)) for name, group in sorted(groups.items())
        ]
    return rows


def _together(pairs: Sequence[Scores]) -> Ranking:
    if not pairs:
        return Ranking(float("nan"), float("nan"), 0)
    scores = np.concatenate([pair[0] for pair in pairs])
    labels = np.concatenate([pair[1] for pair in pairs])
    return Ranking(
        heavy=area_under_curve(scores, labels == 1),
        light=area_under_curve(scores, labels >= 0.5),
        words=len(labels),
    )
