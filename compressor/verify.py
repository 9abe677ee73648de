"""Counts again what must never be lost, on the words that are about to stay, and names the losses.

It knows nothing of scores and atoms: whatever chose the words, it looks at the source and at the
choice alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import word_range
from compressor.structure import Structure
from compressor.types import Kind, ProtectedSpan

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Loss:
    """A protected span that the chosen words break, and the words that it needs, half open."""

    kind: Kind
    first: int
    stop: int


def find_losses(
    structure: Structure, kept: BoolArray, protected: Sequence[ProtectedSpan]
) -> list[Loss]:
    """Return what the chosen words lose.

    Unconditional spans have to be whole. A negation has to stay with the word it stands next to, a
    number with its clause when at least half of the clause's other words stay, and neither may be
    cut in half.
    """
    losses = []
    for span in protected:
        first, stop = word_range(structure, span.start, span.end)
        if first == stop or kept[first:stop].all():
            continue
        if (
            not span.conditional
            or kept[first:stop].any()
            or _needed(structure, kept, span, first, stop)
        ):
            losses.append(Loss(span.kind, first, stop))
    return losses


def _needed(
    structure: Structure, kept: BoolArray, span: ProtectedSpan, first: int, stop: int
) -> bool:
    if span.kind is Kind.NEGATION:
        neighbour = _next_word(structure, stop)
        if neighbour is None:
            neighbour = _word_before(structure, first)
        return neighbour is not None and bool(kept[neighbour])
    if span.kind is Kind.NUMBER:
        others = _others_of_clause(structure, first, stop)
        return len(others) > 0 and 2 * int(np.count_nonzero(kept[others])) >= len(others)
    return False


def _next_word(structure: Structure, stop: int) -> int | None:
    """Return the word after these in the same clause; marks are no words."""
    at = stop
    while at < len(structure.mark) and structure.clause[at] == structure.clause[stop - 1]:
        if not structure.mark[at]:
            return at
        at += 1
    return None


def _word_before(structure: Structure, first: int) -> int | None:
    at = first - 1
    while at >= 0 and structure.clause[at] == structure.clause[first]:
        if not structure.mark[at] and not structure.label[at]:
            return at
        at -= 1
    return None


def _others_of_clause(structure: Structure, first: int, stop: int) -> NDArray[np.int64]:
    clause = structure.clause
    low = int(np.searchsorted(clause, clause[first], side="left"))
    high = int(np.searchsorted(clause, clause[stop - 1], side="right"))
    others = np.concatenate((np.arange(low, first), np.arange(stop, high)))
    words: NDArray[np.int64] = others[~structure.mark[others] & ~structure.label[others]]
    return words
