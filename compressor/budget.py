"""Which atoms stay: the best-scored ones that the budget holds, counted in the target's tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import REQUIRED, Atoms
from compressor.structure import Structure
from compressor.types import Settings, TokenCounter

BoolArray = NDArray[np.bool_]

_ROUNDS = 8
_CLOSE_ENOUGH = 0.005  # of the budget; a further count costs more than the tokens are worth


@dataclass(frozen=True, slots=True)
class Choice:
    """Which words stay, shape (words,), and whether protected text alone is over the budget."""

    kept: BoolArray
    budget_unmet: bool


def word_costs(text: str, structure: Structure, counter: TokenCounter) -> NDArray[np.int64]:
    """Return how many of the text's tokens each word takes, shape (words,).

    A token counts for the word that it is part of or leads to. Only an estimate of what a word
    costs in the result, where it may have other neighbours.
    """
    starts = np.asarray(counter.starts(text), np.int64)
    word = np.searchsorted(structure.ends, starts, side="right")
    costs: NDArray[np.int64] = np.bincount(
        np.minimum(word, len(structure.ends) - 1), minlength=len(structure.ends)
    )
    return costs


def budget_tokens(settings: Settings, tokens_before: int) -> int | None:
    """Return how many tokens may stay; None where a threshold decides."""
    if settings.target_tokens is not None:
        return settings.target_tokens
    if settings.rate is not None:
        return max(1, int(settings.rate * tokens_before))
    return None


def above_threshold(atoms: Atoms, threshold: float, words: int) -> Choice:
    """Keep the atoms whose score is above the threshold, and those that are required."""
    return Choice(_words_of(atoms, np.flatnonzero(atoms.score > threshold), words), False)


def within_budget(
    atoms: Atoms,
    costs: NDArray[np.int64],
    budget: int,
    count: Callable[[BoolArray], int],
) -> Choice:
    """Keep the best-scored atoms whose text has at most `budget` tokens.

    `count` builds the text of some words and counts its tokens. Counts are not additive, so the
    estimate by `costs` is corrected by a few real counts: the result has been counted itself.
    """
    words = len(costs)
    ranking = atoms.ranking()
    required = int(np.count_nonzero(atoms.score >= REQUIRED))

    def keeping(number: int) -> BoolArray:
        return _words_of(atoms, ranking[:number], words)

    estimates = np.cumsum(np.add.reduceat(costs, atoms.first)[ranking])
    best = keeping(required)
    if required:
        spent = count(best)
        if spent >= budget:
            return Choice(best, budget_unmet=spent > budget)
    fits, over = required, len(ranking) + 1
    ratio = 1.0  # tokens really counted, per token estimated
    for _ in range(_ROUNDS):
        if over - fits <= 1:
            break
        wanted = int(np.searchsorted(estimates, budget / ratio, side="right"))
        number = min(max(wanted, fits + 1), over - 1)
        kept = keeping(number)
        tokens = count(kept)
        if tokens <= budget:
            fits, best = number, kept
            if budget - tokens <= _CLOSE_ENOUGH * budget:
                break
        else:
            over = number
        ratio = max(tokens, 1) / max(int(estimates[number - 1]), 1)
    return Choice(best, budget_unmet=False)


def _words_of(atoms: Atoms, chosen: Sequence[int] | NDArray[np.int64], words: int) -> BoolArray:
    """Return which words the chosen atoms hold."""
    edges = np.zeros(words + 1, np.int64)
    np.add.at(edges, atoms.first[chosen], 1)
    np.add.at(edges, atoms.stop[chosen], -1)
    kept: BoolArray = np.cumsum(edges[:-1]) > 0
    return kept
