"""What stays together: words tied into atoms, and scores raised where one word needs another.

Every rule of the kind "this stays when that stays" is turned into a score: a word that must stay
whenever any of several others stays gets their highest score, one that stays only when all of them
stay gets their lowest. The kept words are then simply the best-scored ones, at every budget.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from compressor.structure import Structure
from compressor.types import Kind, ProtectedSpan

REQUIRED = 9.0  # stays whatever the budget says
STRUCTURAL = 2.0  # marks and labels of required words: before all other words, after required ones
_NEGATED_AFTER = 14  # words after a negation that it may bear on
_NEGATED_BEFORE = 1  # words before it (kommt nicht, ne sait pas)
_NEGATED_BEFORE_END = 8  # words before it where it ends its clause (ich komme heute nicht)
_NEGATED_TOGETHER = 12  # words between two that negate as one (ne ... aucun, neither ... nor)
_ELLIPSIS = 4  # a sentence of so few words negates the one before it ("Covered? I'm afraid not.")

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Atoms:
    """Runs of words that stay or go as one, in text order.

    `first` and `stop` are word indices, half open; `score` ranks; `level` orders equal scores:
    what others need comes before them (1), what needs others after them (-1).
    """

    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    score: FloatArray
    level: NDArray[np.int8]

    def ranking(self) -> NDArray[np.int64]:
        """Return the atoms' numbers, best first; equals in text order."""
        return np.lexsort((self.first, -self.level, -self.score))


def word_range(structure: Structure, start: int, end: int) -> tuple[int, int]:
    """Return the half-open range of the words that overlap these character offsets."""
    first = int(np.searchsorted(structure.ends, start, side="right"))
    stop = int(np.searchsorted(structure.starts, end, side="left"))
    return first, max(first, stop)


def bind(structure: Structure, scores: FloatArray, protected: Sequence[ProtectedSpan]) -> Atoms:
    """Return the atoms of a text with their final scores. `scores` is one a word, in [0, 1]."""
    n = len(scores)
    score = np.where(structure.mark, 0.0, scores)
    tied: list[tuple[int, int]] = []
    negations: list[tuple[int, int]] = []
    numbers: list[tuple[int, int]] = []
    required = np.zeros(n, np.bool_)
    for span in protected:
        first, stop = word_range(structure, span.start, span.end)
        if stop == first:
            continue
        if not span.conditional:
            required[first:stop] = True
            continue
        tied.append((first, stop))
        if span.kind is Kind.NEGATION:
            negations.append((first, stop))
        elif span.kind is Kind.NUMBER:
            numbers.append((first, stop))
    tied += _label_ranges(structure)
    ranges = _merged(tied)
    for first, stop in ranges:
        content = ~structure.mark[first:stop]
        score[first:stop] = score[first:stop][content].mean() if content.any() else 0.0
        if required[first:stop].any():
            required[first:stop] = True
    score[required] = REQUIRED
    level = np.zeros(n, np.int8)
    for _ in range(2):  # a raised number can raise a negation, and the other way round
        _raise_negations(structure, score, level, negations, ranges)
        _raise_numbers(structure, score, level, numbers, ranges)
    _raise_marks(structure, score, level, required)
    return _atoms(score, level, ranges)


def without_orphans(
    structure: Structure, atoms: Atoms, kept: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the kept words less the labels, sentence ends and pairs of whom nothing else stays.

    Where the budget ends, a cheap mark may have been taken and the words that it goes with not.
    """
    required = np.repeat(atoms.score >= REQUIRED, atoms.stop - atoms.first)
    content = kept & ~structure.mark & ~structure.label
    lone = structure.label & ~_any_by(content, structure.block)
    lone |= structure.ending & ~_any_by(content | (kept & required), structure.sentence)
    before = np.concatenate(([0], np.cumsum(kept & ~structure.mark)))
    opens = np.flatnonzero(kept & (structure.partner > np.arange(len(kept)) + 1))
    closes = structure.partner[opens]
    empty = before[closes] == before[opens + 1]
    lone[opens[empty]] = lone[closes[empty]] = True
    return kept & (required | ~lone)


def _any_by(chosen: NDArray[np.bool_], groups: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return for every word whether its group has a chosen one."""
    found = np.zeros(int(groups[-1]) + 1, np.bool_)
    found[groups[chosen]] = True
    return found[groups]


def _label_ranges(structure: Structure) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], structure.label.astype(np.int8), [0]))))
    cuts: list[tuple[int, int]] = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        blocks = structure.block[first:stop]
        inner = [first, *(np.flatnonzero(np.diff(blocks)) + first + 1).tolist(), stop]
        cuts += list(pairwise(inner))
    return cuts


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, stop in sorted(ranges):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((first, stop))
    return merged


def _raise(
    score: FloatArray,
    level: NDArray[np.int8],
    ranges: list[tuple[int, int]],
    at: tuple[int, int],
    needed: float,
) -> None:
    """Lift the whole tied range around `at` to `needed`."""
    first, stop = at
    index = bisect_right(ranges, first, key=itemgetter(0)) - 1
    first, stop = ranges[index]
    score[first:stop] = np.maximum(score[first:stop], needed)
    level[first:stop] = 1


def _raise_negations(
    structure: Structure,
    score: FloatArray,
    level: NDArray[np.int8],
    negations: list[tuple[int, int]],
    ranges: list[tuple[int, int]],
) -> None:
    """A negation stays when one of the words that it may bear on stays, or one next to it does."""
    needed = []
    for first, stop in reversed(negations):  # in "no one never" each later one is settled first
        bearing = _borne_on(structure, first, stop)
        highest = float(score[bearing].max()) if len(bearing) else 0.0
        needed.append(max(highest, float(score[first:stop].max())))
    needed.reverse()
    for group in _together(structure, negations):
        highest = max(needed[index] for index in group)
        for index in group:
            _raise(score, level, ranges, negations[index], highest)


def _together(structure: Structure, negations: list[tuple[int, int]]) -> list[list[int]]:
    """Group the negations (by index) of one sentence that stand near each other."""
    groups: list[list[int]] = []
    for index, (first, _) in enumerate(negations):
        if groups:
            last_stop = negations[index - 1][1]
            near = first - last_stop <= _NEGATED_TOGETHER
            if near and structure.sentence[first] == structure.sentence[last_stop - 1]:
                groups[-1].append(index)
                continue
        groups.append([index])
    return groups


def _borne_on(structure: Structure, first: int, stop: int) -> NDArray[np.int64]:
    """Return the words that a negation may bear on, its own left out."""
    sentence = structure.sentence[first]
    after = _content(structure, stop, stop + 2 * _NEGATED_AFTER)
    after = after[structure.sentence[after] == sentence][:_NEGATED_AFTER]
    goes_on = len(after) and structure.clause[after[0]] == structure.clause[stop - 1]
    reach = _NEGATED_BEFORE if goes_on else _NEGATED_BEFORE_END
    before = _content(structure, first - 2 * reach, first)
    before = before[~structure.label[before]]
    within = before[structure.sentence[before] == sentence]
    if not len(after) and len(within) < _ELLIPSIS:
        return before[-reach:]
    in_clause = within[structure.clause[within] == structure.clause[first]]
    within = in_clause if len(in_clause) else within
    return np.concatenate((after, within[-reach:]))


def _content(structure: Structure, start: int, end: int) -> NDArray[np.int64]:
    """Return the words of this range that are no marks."""
    window = np.arange(max(0, start), min(len(structure.mark), end))
    return window[~structure.mark[window]]


def _raise_numbers(
    structure: Structure,
    score: FloatArray,
    level: NDArray[np.int8],
    numbers: list[tuple[int, int]],
    ranges: list[tuple[int, int]],
) -> None:
    """A number stays when half of the other words of its clause, or of its sentence, stay."""
    for first, stop in numbers:
        needed = max(
            _half(structure, score, structure.clause, first, stop),
            _half(structure, score, structure.sentence, first, stop),
        )
        if needed > 0:
            _raise(score, level, ranges, (first, stop), needed)


def _half(
    structure: Structure, score: FloatArray, groups: NDArray[np.int32], first: int, stop: int
) -> float:
    """Return the score at which half of the group's other words stay; 0 when there is none."""
    low = int(np.searchsorted(groups, groups[first], side="left"))
    high = int(np.searchsorted(groups, groups[stop - 1], side="right"))
    others = np.concatenate((np.arange(low, first), np.arange(stop, high)))
    scores = score[others[~structure.mark[others] & ~structure.label[others]]]
    if not len(scores):
        return 0.0
    rank = len(scores) - 1 - len(scores) // 2  # with this many and one more, at least half stay
    return float(np.partition(scores, rank)[rank])


def _raise_marks(
    structure: Structure,
    score: FloatArray,
    level: NDArray[np.int8],
    required: NDArray[np.bool_],
) -> None:
    """Labels and sentence ends stay with any of their words, other marks with both their sides."""
    content = ~structure.mark & ~structure.label
    settled = np.minimum(score, STRUCTURAL)
    ending = structure.ending & ~required
    score[ending] = _group_max(settled, structure.sentence, content)[structure.sentence[ending]]
    level[ending] = -1
    label = structure.label & ~required
    # A protected word brings its line's bullet or speaker along, also where nothing else fits.
    highest = _group_max(np.where(required, REQUIRED, settled), structure.block, content)
    highest = highest[structure.block[label]]
    score[label] = np.where(highest > 0, highest, score[label])
    level[label] = 1
    marks = structure.mark & ~ending & ~label & ~required & (level == 0)
    left, right = _sides(settled, structure)
    score[marks] = np.minimum(left, right)[marks]
    level[marks] = -1
    for index in np.flatnonzero(marks & (structure.partner > np.arange(len(score)))).tolist():
        other = int(structure.partner[index])
        inside = settled[index + 1 : other][~structure.mark[index + 1 : other]]
        value = float(np.median(inside)) if len(inside) else 0.0
        if required[other]:
            score[index], level[index] = STRUCTURAL, 0
            continue
        score[index] = score[other] = value
        level[index] = level[other] = 0


def _group_max(
    score: FloatArray, groups: NDArray[np.int32], content: NDArray[np.bool_]
) -> FloatArray:
    highest = np.zeros(int(groups[-1]) + 1)
    np.maximum.at(highest, groups[content], score[content])
    return highest


def _sides(score: FloatArray, structure: Structure) -> tuple[FloatArray, FloatArray]:
    """Return the score of the nearest word that is no mark before and after each word.

    A mark at the edge of the text takes the side that it has.
    """
    n = len(score)
    at = np.arange(n)
    before = np.maximum.accumulate(np.where(structure.mark, -1, at))
    after = np.minimum.accumulate(np.where(structure.mark, n, at)[::-1])[::-1]
    left = np.where(before >= 0, score[np.maximum(before, 0)], 0.0)
    right = np.where(after < n, score[np.minimum(after, n - 1)], 0.0)
    left = np.where(before < 0, right, left)
    right = np.where(after >= n, left, right)
    return left, right


def _atoms(score: FloatArray, level: NDArray[np.int8], ranges: list[tuple[int, int]]) -> Atoms:
    opens = np.ones(len(score), np.bool_)
    for first, stop in ranges:
        opens[first + 1 : stop] = False
    first_words = np.flatnonzero(opens)
    stops = np.append(first_words[1:], len(score))
    return Atoms(
        first_words,
        stops,
        np.maximum.reduceat(score, first_words),
        np.maximum.reduceat(level, first_words),
    )
