"""Aligns a shortened text with its original: which of the original's words were kept.

A teacher that was told to delete words only still changes a few: a capital at the start of a
sentence, a plural, a hyphen. And words repeat, so that a shortened text does not say which "the" it
has. Both are settled by one alignment of the whole texts that keeps the order and has the highest
score: words that are rare in the passage count for more than those that stand everywhere, words
kept next to each other for more than scattered ones, and a jump over many words costs something, so
that it takes more than one common word to make one. (LLMLingua-2, section 3.2, looks for each word
greedily within a window around the last one found; one wrong find carries the following ones off.)
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compressor.words import UNSPACED, Word, is_mark, is_unspaced, split_words

WINDOW = 60  # words of the original that may be left out between two kept ones at no cost

# Scores of a pair of equal words, by what the word is; see `_weights`.
_MARK = 0.25
_CHARACTER = 0.5  # of a script without spaces
_INFLECTED = 0.6  # of what the same word would score
_OTHER_CASE = 0.95
# What is added where the pair before is this many words of the original away: 1 is adjacent.
_NEAR = {1: 0.3, 2: 0.15, 3: 0.1, 4: 0.05}
_JUMP = 0.8  # what leaving out more than WINDOW words costs
_HALF = 0.5  # share of a word's characters that have to be kept for it to count as kept
_COMMON_START = 3  # characters that two forms of a word share at least
_SHORTER_ENDING, _LONGER_ENDING = 2, 4  # cit|y and cit|ies, run and run|ning
_NEVER = -1e9
_ROUNDING = 1e-3  # of sums in single precision

_PARTS = re.compile(rf"[{UNSPACED}]|\d+(?:[.,:]\d+)+|[^\W_{UNSPACED}]+")

_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """What is aligned: a word without its inner marks, or one character of an unspaced script.

    A word like `writing-table` has two, so that keeping `writing` keeps half of it; characters make
    the alignment of Japanese and Chinese independent of where a segmenter cuts.
    """

    word: int  # index of the word it belongs to
    text: str
    form: str  # what equal words have in common: NFKC, case folded
    mark: bool


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which words of the original stand in the shortened text, and how much of that was found.

    `kept` has one entry a word of the original. `parts` counts the shortened text's parts without
    the marks, `found` those that stand anywhere in the original, `matched` those that were aligned.
    """

    kept: tuple[bool, ...]
    matched: int
    found: int
    parts: int

    @property
    def share(self) -> float:
        """Matched / parts; 1 for an empty shortened text."""
        return self.matched / self.parts if self.parts else 1.0


@dataclass(frozen=True, slots=True)
class Original:
    """A text prepared for aligning: its words and their parts."""

    text: str
    words: tuple[Word, ...]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str) -> "Original":
        """Split a text."""
        words = tuple(split_words(text))
        return cls(text, words, tuple(split_parts(text, words)))


def split_parts(text: str, words: Sequence[Word]) -> list[Part]:
    """Return the parts of a text's words, in order."""
    parts: list[Part] = []
    for index, word in enumerate(words):
        whole = text[word.start : word.end]
        mark = is_mark(text, word)
        found = [] if mark else _PARTS.findall(whole)
        parts += [Part(index, part, folded(part), mark) for part in found or [whole]]
    return parts


def folded(word: str) -> str:
    """Return the form in which case and width do not matter."""
    return unicodedata.normalize("NFKC", word).casefold()


def inflected(one: str, other: str) -> bool:
    """Whether two folded words look like forms of one: a common start and short endings.

    No dictionary, any language with endings: city and cities, decide and decided, Haus and Hauses.
    Numbers have no forms.
    """
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    common = 0
    while common < len(short) and short[common] == long[common]:
        common += 1
    return (
        common >= _COMMON_START
        and len(short) - common <= _SHORTER_ENDING
        and len(long) - common <= _LONGER_ENDING
        and one.isalpha()
        and other.isalpha()
    )


def align(
    original: Original,
    shortened: str,
    *,
    window: int = WINDOW,
    preferred: Sequence[bool] = (),
) -> Alignment:
    """Align a shortened text with its original.

    `preferred` has one entry a word: where several places would do, those marked win. (The words of
    a heavier compression are among those of the lighter one.)
    """
    parts = split_parts(shortened, split_words(shortened))
    wanted = sum(not part.mark for part in parts)
    if not parts or not original.parts:
        return Alignment((False,) * len(original.words), 0, 0, wanted)
    scores = _similarity(original.parts, parts)
    stands = (scores > 0).max(axis=0).tolist()
    found = sum(hit for part, hit in zip(parts, stands, strict=True) if not part.mark)
    if preferred:
        favoured = np.array([preferred[part.word] for part in original.parts])
        scores = np.where((scores > 0) & favoured[:, None], scores + 0.1, scores)
    pairs = _best_path(np.where(scores > 0, scores, _NEVER).astype(np.float32), window)
    kept_parts = {i for i, _ in pairs}
    return Alignment(
        _kept_words(original, kept_parts),
        sum(not parts[j].mark for _, j in pairs),
        found,
        wanted,
    )


def _kept_words(original: Original, kept_parts: set[int]) -> tuple[bool, ...]:
    lengths = np.zeros(len(original.words))
    kept = np.zeros(len(original.words))
    for index, part in enumerate(original.parts):
        lengths[part.word] += len(part.text)
        kept[part.word] += len(part.text) * (index in kept_parts)
    return tuple(bool(flag) for flag in (kept > 0) & (kept >= _HALF * lengths))


def _weights(parts: Sequence[Part]) -> list[float]:
    """Return what a pair with each part scores: 1 for a word said once, less for repeated ones."""
    counts = Counter(part.form for part in parts)
    weights = []
    for part in parts:
        if part.mark:
            weights.append(_MARK)
        elif is_unspaced(part.text[0]):
            weights.append(_CHARACTER)
        else:
            weights.append(0.5 + 0.5 / counts[part.form])
    return weights


def _similarity(original: Sequence[Part], shortened: Sequence[Part]) -> _Floats:
    """Return the score of every pair, shape (original, shortened); 0 where they do not match."""
    codes: dict[str, int] = {}
    exact: dict[str, int] = {}
    left = np.array([codes.setdefault(part.form, len(codes)) for part in original])
    right = np.array([codes.setdefault(part.form, len(codes)) for part in shortened])
    left_exact = np.array([exact.setdefault(part.text, len(exact)) for part in original])
    right_exact = np.array([exact.setdefault(part.text, len(exact)) for part in shortened])
    same = left[:, None] == right[None, :]
    same_case = left_exact[:, None] == right_exact[None, :]
    scores = np.where(same, np.where(same_case, 1.0, _OTHER_CASE), 0.0)
    for column, part in enumerate(shortened):
        if part.mark or scores[:, column].any():
            continue  # only a word that stands nowhere in the original can be another's form
        for row, candidate in enumerate(original):
            if not candidate.mark and inflected(candidate.form, part.form):
                scores[row, column] = _INFLECTED
    weighted: _Floats = (scores * np.array(_weights(original))[:, None]).astype(np.float32)
    return weighted


def _best_path(scores: _Floats, window: int) -> list[tuple[int, int]]:
    """Return the pairs of the best alignment that keeps the order, as ascending indices.

    best[i, j] is the highest score of an alignment whose last pair is (i, j). Time is rows x
    columns, with a factor of `window` on the vectorised columns.
    """
    rows, columns = scores.shape
    best = np.full((rows, columns), _NEVER, dtype=np.float32)
    everything = np.full(columns, _NEVER, dtype=np.float32)  # the best of all rows so far
    for row in range(rows):
        if row:
            np.maximum(everything, best[row - 1], out=everything)
        before = np.maximum(0.0, _reached(best, everything, row, window))
        best[row] = scores[row] + before
    return _trace(best, scores, window)


def _reached(best: _Floats, everything: _Floats, row: int, window: int) -> Any:  # noqa: ANN401
    """Return, by column, the best score with which a pair in `row` can be reached."""
    columns = best.shape[1]
    reached = np.full(columns, _NEVER, dtype=np.float32)
    if not row or columns == 1:
        return reached
    near = best[max(0, row - window) : row].max(axis=0)
    reached[1:] = np.maximum.accumulate(np.maximum(near, everything - _JUMP))[:-1]
    for distance, bonus in _NEAR.items():
        if distance <= row:
            np.maximum(reached[1:], best[row - distance, :-1] + bonus, out=reached[1:])
    return reached


def _trace(best: _Floats, scores: _Floats, window: int) -> list[tuple[int, int]]:
    flat = int(best.argmax())
    row, column = divmod(flat, best.shape[1])
    if best[row, column] <= 0:
        return []
    pairs = [(row, column)]
    while row and column:
        if best[row, column] - scores[row, column] < _ROUNDING:
            break  # nothing before it: the path begins here
        row, column = _predecessor(best[:row, :column], window)
        pairs.append((row, column))
    return pairs[::-1]


def _predecessor(best: _Floats, window: int) -> tuple[int, int]:
    """Return the pair from which the one just behind the corner of `best` is reached."""
    rows, columns = best.shape
    total = best.copy()
    total[: max(0, rows - window)] -= _JUMP
    for distance, bonus in _NEAR.items():
        if distance <= rows:
            total[rows - distance, columns - 1] += bonus
    row, column = divmod(int(total.argmax()), columns)
    return row, column
