"""Which atoms stay: the best-scored ones that fit, counted in the target model's tokens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import REQUIRED, STRUCTURAL, Atoms
from compressor.structure import Structure

Measure = Callable[[NDArray[np.bool_]], int]

_ROUNDS = 8
_CLOSE = 0.004  # share of the goal that may stay unused without another count
_FILL_ROUNDS = 24
_FILL_REACH = 400  # atoms past the cut that are tried for the room that is left
_SWAP_ROUNDS = 12
_SWAP_REACH = 60  # of the atoms kept last and of the next ones, how many are looked at for a swap


@dataclass(frozen=True, slots=True)
class Allocation:
    """The words kept, shape (n,), their real token count, and whether the required ones fit."""

    kept: NDArray[np.bool_]
    tokens: int
    unmet: bool


def share(rate: float, tokens: int) -> int:
    """Return the whole tokens in a share of `tokens`."""
    # A share that is a whole number of tokens stays one: 0.29 * 100 is 28.999999999999996.
    return floor(rate * tokens + 1e-6)


def word_costs(
    structure: Structure, token_starts: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float64]:
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
        order = atoms.ranking()
        chosen[order[atoms.alone[order]][0]] = True
    kept = _words(atoms, chosen)
    return Allocation(kept, measure(kept), unmet=False)


def allocate(
    atoms: Atoms, costs: NDArray[np.float64], goal: int, measure: Measure, *, apart: float = 0.0
) -> Allocation:
    """Keep the best atoms whose words together take at most `goal` tokens.

    `costs` are estimates, one a word; `measure` counts a choice for real, with what stands `apart`
    from the words and takes so many tokens by estimate. Atoms that score below 0 are never kept.
    Where the required atoms alone take more than `goal`, exactly those are kept.
    """
    sums = np.concatenate(([0.0], np.cumsum(costs)))
    order = atoms.ranking()
    allowed = order[atoms.score[order] >= 0]
    atom_costs = sums[atoms.stop] - sums[atoms.first]
    search = _Search(atoms, allowed, atom_costs, goal, apart, measure)
    required = int(np.count_nonzero(atoms.score >= REQUIRED))
    choice = _largest_prefix(search, required)
    if choice is None and required:
        kept = search.words(search.order[:required])
        return Allocation(kept, measure(kept), unmet=True)
    if choice is None:
        choice = _Choice(np.zeros(len(atoms.first), np.bool_), 0, ceil(apart))
    choice = _filled(search, choice)
    if not (choice.atoms & atoms.alone).any():  # marks and labels, of which no text is made
        choice = _smallest(search)
        if choice.tokens > goal:
            return Allocation(_words(atoms, choice.atoms), choice.tokens, unmet=True)
        choice = _filled(search, choice)
    choice = _swapped(search, choice)
    return Allocation(_words(atoms, choice.atoms), choice.tokens, unmet=False)


@dataclass(frozen=True, slots=True)
class _Search:
    """What is chosen from: the atoms in `order`, best first; the costs of all atoms; the cap."""

    atoms: Atoms
    order: NDArray[np.int64]
    costs: NDArray[np.float64]
    goal: int
    apart: float
    measure: Measure

    @property
    def slack(self) -> int:
        """How many tokens may stay unused."""
        return int(self.goal * _CLOSE)

    def words(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.costs), np.bool_)
        mask[chosen] = True
        return _words(self.atoms, mask)

    def needing(self, atom: int) -> slice:
        """Return the atoms that may need this one."""
        low, high = self.atoms.reach[atom]
        first = np.searchsorted(self.atoms.stop, low, side="right")
        return slice(int(first), int(np.searchsorted(self.atoms.first, high, side="left")))


@dataclass(frozen=True, slots=True)
class _Choice:
    """The atoms chosen, bool of shape (atoms,): the best `size` and some more; their tokens."""

    atoms: NDArray[np.bool_]
    size: int
    tokens: int


def _largest_prefix(search: _Search, required: int) -> _Choice | None:
    """Return the longest prefix found of the ranking that fits; None where none does.

    The estimates are scaled to the last real count; where that does not close in, halving does.
    """
    total = np.cumsum(search.costs[search.order])
    # The one fits, the other does not; neither is counted yet.
    low, high = max(required, 1) - 1, len(search.order) + 1
    best: tuple[int, int] | None = None
    ratio = 1.0
    for round_number in range(_ROUNDS + 12):
        guess = int(np.searchsorted(total, (search.goal - search.apart) / ratio, side="right"))
        if round_number >= _ROUNDS:
            guess = (low + high) // 2
        size = min(max(guess, low + 1), high - 1)
        if size <= low or size >= high:
            break
        tokens = search.measure(search.words(search.order[:size]))
        if tokens <= search.goal:
            low, best = size, (size, tokens)
            if search.goal - tokens <= search.slack:
                break
        else:
            high = size
        ratio = max(tokens - search.apart, 1) / max(total[size - 1], 0.25)
    if best is None:
        return None
    chosen = np.zeros(len(search.costs), np.bool_)
    chosen[search.order[: best[0]]] = True
    return _Choice(chosen, *best)


def _smallest(search: _Search) -> _Choice:
    """Return the one atom, of those that may stand alone, that is the smallest by estimate."""
    alone = search.atoms.alone
    order = search.order[alone[search.order]]
    if not len(order):
        order = search.atoms.ranking()
        order = order[alone[order]]
    chosen = np.zeros(len(search.costs), np.bool_)
    chosen[order[np.argmin(search.costs[order])]] = True
    return _Choice(chosen, 0, search.measure(_words(search.atoms, chosen)))


def _filled(search: _Search, choice: _Choice) -> _Choice:
    """Use the room that is left for smaller atoms further down the ranking.

    What turns out too much is halved; an atom that is too much by itself is passed over, and with
    it, where others need it, all that may.
    """
    passed = np.zeros(len(search.costs), np.bool_)
    allowed = np.inf
    for _ in range(_FILL_ROUNDS):
        room = search.goal - choice.tokens
        if room <= search.slack:
            break
        picked = _picked(search, choice, passed, min(room, allowed))
        if not picked:
            break
        more = choice.atoms.copy()
        more[picked] = True
        tokens = search.measure(_words(search.atoms, more))
        if tokens <= search.goal:
            choice = _Choice(more, choice.size, tokens)
        elif len(picked) > 1:
            allowed = float(search.costs[picked].sum()) / 2
        else:
            _pass_over(search, picked[0], passed)
            allowed = np.inf
    return choice


def _picked(search: _Search, choice: _Choice, passed: NDArray[np.bool_], room: float) -> list[int]:
    """Return the atoms that would fill the room, by estimate; at least one where any is left."""
    passed = passed.copy()
    picked: list[int] = []
    left = room
    for atom in search.order[choice.size : choice.size + _FILL_REACH].tolist():
        if choice.atoms[atom] or passed[atom]:
            continue
        if search.costs[atom] <= left or (not picked and search.costs[atom] <= 1):
            picked.append(atom)
            left -= search.costs[atom]
        else:
            _pass_over(search, atom, passed)
        if left < 0.25:
            break
    return picked


def _pass_over(search: _Search, atom: int, passed: NDArray[np.bool_]) -> None:
    passed[atom] = True
    if search.atoms.level[atom] > 0:
        passed[search.needing(atom)] = True


def _swapped(search: _Search, choice: _Choice) -> _Choice:
    """Use room that no atom fits in by putting one that is a little larger in another's place."""
    tried: set[tuple[int, int]] = set()
    for _ in range(_SWAP_ROUNDS):
        room = search.goal - choice.tokens
        if room <= search.slack:
            break
        pair = next((p for p in _pairs(search, choice, room) if p not in tried), None)
        if pair is None:
            break
        tried.add(pair)
        other = choice.atoms.copy()
        other[pair[0]], other[pair[1]] = False, True
        tokens = search.measure(_words(search.atoms, other))
        if choice.tokens < tokens <= search.goal:
            choice = _Choice(other, choice.size, tokens)
    return choice


def _pairs(search: _Search, choice: _Choice, room: int) -> Iterator[tuple[int, int]]:
    """Yield an atom to take out and one to put in, those first that would fill most of the room."""
    atoms = search.atoms
    alone = (atoms.reach[:, 0] >= atoms.first) & (atoms.reach[:, 1] <= atoms.stop)
    free = alone & (atoms.level >= 0) & (atoms.score < STRUCTURAL)
    for atom in np.flatnonzero(~choice.atoms & (atoms.level > 0) & ~alone).tolist():
        free[search.needing(atom)] &= choice.atoms[search.needing(atom)]
    order = search.order[free[search.order]]
    kept = choice.atoms[order]
    out, into = order[kept][-_SWAP_REACH:][::-1], order[~kept][:_SWAP_REACH]
    gain = search.costs[into][None, :] - search.costs[out][:, None]
    gain[(gain <= 0) | (gain > room)] = 0
    for index in np.argsort(-gain, axis=None, kind="stable").tolist():
        row, column = divmod(index, len(into))
        if not gain[row, column]:
            break
        yield int(out[row]), int(into[column])


def _words(atoms: Atoms, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.repeat(chosen, atoms.stop - atoms.first)
