"""Which atoms stay: the best-scored ones that fit, counted in the target model's tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import REQUIRED, Atoms
from compressor.structure import Structure

Measure = Callable[[NDArray[np.bool_]], int]

_ROUNDS = 8
_CLOSE = 0.004  # share of the goal that may stay unused without another count
_FILL_REACH = 400  # atoms past the cut that are tried for the room that is left


@dataclass(frozen=True, slots=True)
class Allocation:
    """The words kept, shape (n,), their real token count, and whether the required ones fit."""

    kept: NDArray[np.bool_]
    tokens: int
    unmet: bool


def word_costs(structure: Structure, token_starts: Sequence[int]) -> NDArray[np.float64]:
    """Return the tokens that each word of the source costs, shape (n,).

    A token belongs to the word that it starts in or, starting in white space, to the next one; a
    word that shares its only token with the word before it costs a little all the same.
    """
    n = len(structure.starts)
    owner = np.searchsorted(structure.ends, np.asarray(token_starts, np.int64), side="right")
    counts = np.bincount(np.minimum(owner, n - 1), minlength=n).astype(np.float64)
    return np.maximum(counts, 0.25)


def above(atoms: Atoms, threshold: float, measure: Measure) -> Allocation:
    """Keep the atoms that score above `threshold`; the best one where none does."""
    chosen = atoms.score > threshold
    if not chosen.any():
        chosen[atoms.ranking()[0]] = True
    kept = _words(atoms, chosen)
    return Allocation(kept, measure(kept), unmet=False)


def allocate(atoms: Atoms, costs: NDArray[np.float64], goal: int, measure: Measure) -> Allocation:
    """Keep the best atoms whose words together take at most `goal` tokens.

    `costs` are estimates, one a word; `measure` counts a choice for real and is called a few
    times. Where the required atoms alone take more than `goal`, exactly those are kept.
    """
    order = atoms.ranking()
    sums = np.concatenate(([0.0], np.cumsum(costs)))
    atom_costs = sums[atoms.stop] - sums[atoms.first]
    total = np.cumsum(atom_costs[order])
    required = int(np.count_nonzero(atoms.score >= REQUIRED))
    best = _largest_prefix(atoms, order, total, required, goal, measure)
    if best is None:
        return _smallest(atoms, order, atom_costs, required, goal, measure)
    size, tokens = best
    chosen = np.zeros(len(order), np.bool_)
    chosen[order[:size]] = True
    return _filled(atoms, order, atom_costs, chosen, size, tokens, goal, measure)


def _largest_prefix(
    atoms: Atoms,
    order: NDArray[np.int64],
    total: NDArray[np.float64],
    required: int,
    goal: int,
    measure: Measure,
) -> tuple[int, int] | None:
    """Return the longest prefix found of the ranking that fits, with its count; None: none fits.

    The estimates are scaled to the last real count; where that does not close in, halving does.
    """
    low, high = max(required, 1) - 1, len(order) + 1  # fits, does not fit; neither counted yet
    best: tuple[int, int] | None = None
    ratio = 1.0
    for round_number in range(_ROUNDS + 12):
        guess = int(np.searchsorted(total, goal / ratio, side="right"))
        if round_number >= _ROUNDS:
            guess = (low + high) // 2
        size = min(max(guess, low + 1), high - 1)
        if size <= low or size >= high:
            break
        tokens = _count(atoms, order[:size], measure)
        if tokens <= goal:
            low, best = size, (size, tokens)
            if goal - tokens <= max(goal * _CLOSE, 0):
                break
        else:
            high = size
        ratio = max(tokens, 1) / max(total[size - 1], 0.25)
    return best


def _smallest(
    atoms: Atoms,
    order: NDArray[np.int64],
    atom_costs: NDArray[np.float64],
    required: int,
    goal: int,
    measure: Measure,
) -> Allocation:
    """Keep the required atoms where there are any; else the best few that fit, or the smallest."""
    if required:
        kept = _words(atoms, _mask(order[:required], len(order)))
        tokens = measure(kept)
        return Allocation(kept, tokens, unmet=tokens > goal)
    small = order[np.argsort(atom_costs[order], kind="stable")[:8]]
    for atom in small:
        kept = _words(atoms, _mask(np.array([atom]), len(order)))
        tokens = measure(kept)
        if tokens <= goal:
            return Allocation(kept, tokens, unmet=False)
    kept = _words(atoms, _mask(small[:1], len(order)))
    return Allocation(kept, measure(kept), unmet=True)


def _filled(
    atoms: Atoms,
    order: NDArray[np.int64],
    atom_costs: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    size: int,
    tokens: int,
    goal: int,
    measure: Measure,
) -> Allocation:
    """Use the room that is left for smaller atoms further down the ranking.

    An atom that others need (level above 0) is never passed over: what comes after it may be
    what needs it.
    """
    best = Allocation(_words(atoms, chosen), tokens, unmet=False)
    room = float(goal - tokens)
    while room >= 1:
        more = chosen.copy()
        left = room
        for atom in order[size : size + _FILL_REACH].tolist():
            if atom_costs[atom] <= left:
                more[atom] = True
                left -= atom_costs[atom]
            elif atoms.level[atom] > 0:
                break
            if left < 0.25:
                break
        kept = _words(atoms, more)
        if np.array_equal(kept, best.kept):
            break
        counted = measure(kept)
        if counted <= goal:
            return Allocation(kept, counted, unmet=False)
        room = room / 2 if room > 1.5 else 0.0
    return best


def _count(atoms: Atoms, prefix: NDArray[np.int64], measure: Measure) -> int:
    return measure(_words(atoms, _mask(prefix, len(atoms.first))))


def _mask(chosen: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    mask[chosen] = True
    return mask


def _words(atoms: Atoms, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.repeat(chosen, atoms.stop - atoms.first)
