"""What stays together: words tied into atoms, and scores raised where one word needs another.

Every rule of the kind "this stays when that stays" is turned into a score: a word that must stay
whenever any of several others stays gets their highest score, one that stays only when all of them
stay gets their lowest. The kept words are then simply the best-scored ones, at every budget.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from compressor.structure import Structure
from compressor.ties import asides, label_ranges, mark_ranges, merged, numbered, rule_ranges
from compressor.types import Kind, ProtectedSpan

REQUIRED = 9.0  # stays whatever the budget says
NEEDED = 1  # the level of what the words around it need: a negation, a number, a reference
STRUCTURAL = 2.0  # marks and labels of required words: before all other words, after required ones
_REFERENT = 1.5  # what a number counts: before all other words, where the number has to stay
_LONGEST_REFERENT = 4  # words and marks that are tied together
# Of a longer clause, a table of numbers most likely, all words count as each number's others.
_LONG_CLAUSE = 400
_NEGATED_AFTER = 14  # words after a negation that it may bear on
_NEGATED_BEFORE = 3  # words before it (kommt nicht, stimmt doch gar nicht, ne sait pas)
_NEGATED_BEFORE_END = 8  # words before it where it ends its clause (ich komme heute nicht)
_NEGATED_TOGETHER = 12  # words between two that negate as one (ne ... aucun, neither ... nor)
_SHORT_HEAD = 3  # words above a list that stay together, where one of the list does
_ELLIPSIS = 4  # so short a sentence or clause negates the one before ("a clock, which is not")

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Atoms:
    """Runs of words that stay or go as one, in text order.

    `first` and `stop` are word indices, half open; `score` ranks; `level` orders equal scores:
    what others need comes before them (1 to 3), what needs others after (-1). `reach`, of shape
    (atoms, 2), is the half-open range of words among which are an atom's own and all that need it.
    `alone` says which may stand alone: those with a word that is neither a mark nor a label, those
    that are required, and all of them in a text that has nothing else.
    """

    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    score: FloatArray
    level: NDArray[np.int8]
    reach: NDArray[np.int64]
    alone: NDArray[np.bool_]

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
    score = np.where(structure.mark, 0.0, scores)
    required = np.zeros(len(scores), np.bool_)
    tied: list[tuple[int, int]] = []
    by_kind: dict[Kind, list[tuple[int, int]]] = {Kind.NEGATION: [], Kind.NUMBER: []}
    figures: list[tuple[int, int]] = []  # numbers, also those that are required
    for span in protected:
        first, stop = word_range(structure, span.start, span.end)
        if stop == first:
            continue
        if span.kind is Kind.NUMBER:
            figures.append((first, stop))
        if span.conditional:
            tied.append((first, stop))
            by_kind.setdefault(span.kind, []).append((first, stop))
        else:
            required[first:stop] = True
    numbers = by_kind[Kind.NUMBER]
    negations = [_Negation.of(structure, *edges) for edges in by_kind[Kind.NEGATION]]
    together = _together(structure, by_kind[Kind.NEGATION])
    whole = required.copy()
    for first, stop in tied:
        whole[first:stop] = True
    references = structure.links[structure.references]
    for opens, closes in references[:, 3:].tolist():
        tied.append((opens, closes + 1))
        score[opens : closes + 1] = 0.0  # for the sake of the link's text alone
    tied += [*label_ranges(structure), *rule_ranges(structure), *asides(structure)]
    for first, stop in numbered(structure, figures):
        if not structure.mark[first]:  # the word that has the numbers
            score[first:stop] = score[first]
        tied.append((first, stop))
    tied += [edges for edges in mark_ranges(structure) if not whole[slice(*edges)].any()]
    ranges = merged(tied)
    for first, stop in ranges:
        content = ~structure.mark[first:stop]
        score[first:stop] = score[first:stop][content].mean() if content.any() else 0.0
        if required[first:stop].any():
            required[first:stop] = True
    score[required] = REQUIRED
    standing = _Standing.of(score, ranges)
    for _ in range(2):  # a raised number can raise a negation, and the other way round
        _raise_negations(standing, negations, together)
        _raise_numbers(structure, standing, numbers)
    # a negation of a required word is required, and its label with it
    required |= standing.score >= REQUIRED
    _raise_referents(structure, standing)
    _raise_heads(structure, standing)
    _raise_negations(standing, negations, together)  # of what a number counts or a list is of
    _raise_references(standing, references)
    _raise_marks(structure, standing, required)
    return standing.atoms(content_words(structure) | required)


@dataclass(frozen=True, slots=True)
class _Negation:
    """The words of a negation, from `first` to before `stop`, and those that it may bear on."""

    first: int
    stop: int
    bearing: NDArray[np.int64]

    @classmethod
    def of(cls, structure: Structure, first: int, stop: int) -> Self:
        return cls(first, stop, _borne_on(structure, first, stop))


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is known of each word so far: arrays of shape (n,), and the ranges that are tied."""

    score: FloatArray
    level: NDArray[np.int8]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    ranges: list[tuple[int, int]]

    @classmethod
    def of(cls, score: FloatArray, ranges: list[tuple[int, int]]) -> Self:
        at = np.arange(len(score))
        return cls(score, np.zeros(len(score), np.int8), at, at + 1, ranges)

    def lift(self, first: int, needed: float, low: int, high: int, level: int = NEEDED) -> None:
        """Lift the whole tied range around a word to `needed`, for the words from low to high."""
        first, stop = self.range_of(first)
        self.score[first:stop] = np.maximum(self.score[first:stop], needed)
        self.level[first:stop] = np.maximum(self.level[first:stop], level)
        self.low[first:stop] = np.minimum(self.low[first:stop], low)
        self.high[first:stop] = np.maximum(self.high[first:stop], high)

    def range_of(self, word: int) -> tuple[int, int]:
        """Return the tied range that a word is in, or the word's own."""
        at = bisect_right(self.ranges, word, key=itemgetter(0)) - 1
        tied = at >= 0 and word < self.ranges[at][1]
        return self.ranges[at] if tied else (word, word + 1)

    def atoms(self, content: NDArray[np.bool_]) -> Atoms:
        opens = np.ones(len(self.score), np.bool_)
        for first, stop in self.ranges:
            opens[first + 1 : stop] = False
        first_words = np.flatnonzero(opens)
        low = np.minimum.reduceat(self.low, first_words)
        high = np.maximum.reduceat(self.high, first_words)
        return Atoms(
            first_words,
            np.append(first_words[1:], len(self.score)),
            np.maximum.reduceat(self.score, first_words),
            np.maximum.reduceat(self.level, first_words),
            np.stack((low, high), axis=1),
            np.logical_or.reduceat(content, first_words),
        )


def content_words(structure: Structure) -> NDArray[np.bool_]:
    """Return which words say something by themselves; in a text of marks alone they all do."""
    content = ~structure.mark & ~structure.label
    return content if content.any() else np.ones_like(content)


def _raise_negations(
    standing: _Standing, negations: Sequence[_Negation], groups: Sequence[Sequence[int]]
) -> None:
    """A negation stays when one of the words that it may bear on stays, or one next to it does."""
    score = standing.score
    needed: list[tuple[float, int, int]] = []
    for negation in reversed(negations):  # in "no one never" each later one is settled first
        first, stop, bearing = negation.first, negation.stop, negation.bearing
        highest = float(score[first:stop].max())
        low, high = first, stop
        if len(bearing):
            highest = max(highest, float(score[bearing].max()))
            low, high = min(low, int(bearing.min())), max(high, int(bearing.max()) + 1)
        needed.append((highest, low, high))
    needed.reverse()
    for group in groups:
        highest = max(needed[index][0] for index in group)
        low, high = min(needed[i][1] for i in group), max(needed[i][2] for i in group)
        for index in group:
            standing.lift(negations[index].first, highest, low, high)


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
    if len(in_clause) >= (1 if goes_on else _ELLIPSIS):  # less than that negates what it refers to
        within = in_clause
    return np.concatenate((after, within[-reach:]))


def _content(structure: Structure, start: int, end: int) -> NDArray[np.int64]:
    """Return the words of this range that are no marks."""
    window = np.arange(max(0, start), min(len(structure.mark), end))
    return window[~structure.mark[window]]


def _raise_numbers(
    structure: Structure, standing: _Standing, numbers: list[tuple[int, int]]
) -> None:
    """A number stays when half of the other words of its clause, or of its sentence, stay."""
    long: dict[tuple[int, int], float] = {}
    for first, stop in numbers:
        half = 0.0
        low, high = first, stop
        for groups in (structure.clause, structure.sentence):
            start = int(np.searchsorted(groups, groups[first], side="left"))
            end = int(np.searchsorted(groups, groups[stop - 1], side="right"))
            if end - start <= _LONG_CLAUSE:
                found = _half(structure, standing.score, (start, first), (stop, end))
            elif (start, end) in long:
                found = long[start, end]
            else:
                found = long[start, end] = _half(structure, standing.score, (start, end))
            half = max(half, found)
            low, high = min(low, start), max(high, end)
        if half > 0:
            standing.lift(first, half, low, high)


def _raise_references(standing: _Standing, references: NDArray[np.int32]) -> None:
    """What a link names as its reference stays with any word of the link's text, and goes with it.

    `references`, of shape (n, 5), are the marks of such links.
    """
    for _, first, last, opens, _ in references.tolist():
        needed = float(standing.score[first + 1 : last].max(initial=0.0))
        standing.lift(opens, needed, first, last + 1)


def _raise_referents(structure: Structure, standing: _Standing) -> None:
    """The word that says what a number counts stays with it, if anything but what has to stay fits.

    So do the words that say what an identifier is of.
    """
    for anchor, word in structure.referents.tolist():
        first, stop = standing.range_of(word)
        if stop - first > _LONGEST_REFERENT and not first <= anchor < stop:
            continue  # it is a part of a quote or the like, which would come along
        needed = min(float(standing.score[anchor]), _REFERENT)
        standing.lift(word, needed, min(anchor, word), max(anchor, word) + 1, level=2)


def _raise_heads(structure: Structure, standing: _Standing) -> None:
    """Above an item of a list stays a word of what it stands under, or all of it where it is short.

    Otherwise it would come out under what was kept before that.
    """
    speaks = ~structure.mark & ~structure.label
    for first, stop, below, end in structure.nested[::-1].tolist():
        head = first + np.flatnonzero(speaks[first:stop])
        needed = float(standing.score[below:end][speaks[below:end]].max(initial=0.0))
        if len(head) > _SHORT_HEAD:
            head = head[[int(standing.score[head].argmax())]]
        for word in head.tolist():
            standing.lift(word, min(needed, _REFERENT), word, end, level=3)


def _half(structure: Structure, score: FloatArray, *sides: tuple[int, int]) -> float:
    """Return the score at which half of these words stay; 0 when there are none."""
    others = np.concatenate([np.arange(*side) for side in sides])
    scores = score[others[~structure.mark[others] & ~structure.label[others]]]
    if not len(scores):
        return 0.0
    rank = len(scores) // 2  # this one and those above it are half of them, or one more
    return float(np.partition(scores, rank)[rank])


def _raise_marks(structure: Structure, standing: _Standing, required: NDArray[np.bool_]) -> None:
    """Labels and sentence ends stay with any of their words, other marks with both their sides."""
    score, level = standing.score, standing.level
    content = ~structure.mark & ~structure.label
    settled = np.minimum(score, STRUCTURAL)
    ending = structure.ending & ~required
    score[ending] = _group_max(settled, structure.sentence, content)[structure.sentence[ending]]
    level[ending] = -1
    label = structure.label & ~required
    # A protected word brings its line's bullet or speaker along, also where nothing else fits.
    highest = _group_max(np.where(required, REQUIRED, settled), structure.block, content)
    block = structure.block[label]
    highest = highest[block]
    score[label] = np.where(highest > 0, highest, score[label])
    level[label] = 3
    standing.low[label] = np.searchsorted(structure.block, block, side="left")
    standing.high[label] = np.searchsorted(structure.block, block, side="right")
    marks = structure.mark & ~ending & ~label & ~required & (level == 0)
    left, right = sides(settled, structure)
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


def sides(score: FloatArray, structure: Structure) -> tuple[FloatArray, FloatArray]:
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
