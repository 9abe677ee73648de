"""What a compressor has to beat: words ranked without a classifier, the best kept up to the rate.

All of them work on Tersely's words and spacing and count the same tokens, so that only the
ranking differs.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import Atoms
from compressor.budget import allocate, share, word_costs
from compressor.evaluation.ngrams import TrigramModel
from compressor.evaluation.stop_words import STOP_WORDS
from compressor.rebuild import Rebuilder, text_of
from compressor.structure import read_structure
from compressor.types import Span, TokenCounter
from compressor.words import is_mark, split_words

FloatArray = NDArray[np.float64]


class Ranking(Protocol):
    """Scores the words of a text; the higher, the longer it stays."""

    def scores(self, words: Sequence[str], marks: Sequence[bool], seed: int) -> FloatArray:
        """Return one score a word; `marks` says which are punctuation, `seed` is the text's own."""
        ...


class RandomDeletion:
    """Every word and mark alike."""

    def scores(self, words: Sequence[str], marks: Sequence[bool], seed: int) -> FloatArray:
        """Return random numbers, the same for the same text."""
        return np.random.default_rng(seed).random(len(words))


class StopWordsFirst:
    """Function words and punctuation go first, in random order; then the rest, in random order."""

    def scores(self, words: Sequence[str], marks: Sequence[bool], seed: int) -> FloatArray:
        """Return random numbers, plus one for content words."""
        content = [not m and w not in STOP_WORDS for w, m in zip(words, marks, strict=True)]
        return np.random.default_rng(seed).random(len(words)) + np.array(content, np.float64)


class TfIdf:
    """Term frequency in the text times inverse document frequency over the corpus at hand."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._documents = len(texts)
        self._containing = Counter(word for words in texts for word in set(words))

    def scores(self, words: Sequence[str], marks: Sequence[bool], seed: int) -> FloatArray:
        """Return tf-idf by word; marks score 0, equals keep the text's order."""
        frequency = Counter(words)
        return np.array(
            [
                0.0
                if mark
                else frequency[word]
                * math.log((self._documents + 1) / (self._containing[word] + 1) + 1)
                for word, mark in zip(words, marks, strict=True)
            ]
        )


class SelfInformation:
    """Surprising phrases stay, as in Selective Context (Li et al., 2023, arXiv 2310.06201).

    Self-information comes from a trigram model of the corpus at hand instead of a language model;
    a phrase is a run of content words instead of a parsed noun phrase, and has the mean of its
    words. Function words and marks are phrases of their own.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._model = TrigramModel(texts)
        self._corpus = {tuple(words) for words in texts}

    def scores(self, words: Sequence[str], marks: Sequence[bool], seed: int) -> FloatArray:
        """Return the mean self-information of each word's phrase, in bits."""
        seen = tuple(words) in self._corpus
        bits = np.array(self._model.self_information(words, seen=seen), np.float64)
        start = 0
        for index in range(len(words) + 1):
            alone = index == len(words) or marks[index] or words[index] in STOP_WORDS
            if alone and index > start:
                bits[start:index] = bits[start:index].mean()
            if alone:
                start = index + 1
        return bits


def keep_best(
    text: str, ranking: Ranking, rate: float, counter: TokenCounter
) -> tuple[str, tuple[Span, ...]]:
    """Return `text` cut to `rate` of its tokens by a ranking of its words, and the slices kept."""
    words = split_words(text)
    before = counter.count(text)
    goal = max(1, share(rate, before))
    if not words or goal >= before:
        return text, (Span(0, len(text)),) if text else ()
    structure = read_structure(text, words)
    lower = [text[w.start : w.end].lower() for w in words]
    marks = [is_mark(text, w) for w in words]
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
    scores = ranking.scores(lower, marks, seed)
    index = np.arange(len(words), dtype=np.int64)
    # Ranks instead of scores: the budget takes large scores for words that must stay.
    ranks = np.empty(len(words))
    ranks[np.argsort(-scores, kind="stable")] = 1 - index / len(words)
    level, reach = np.zeros(len(words), np.int8), np.stack((index, index + 1), axis=1)
    alone = np.ones(len(words), np.bool_)  # these methods may keep anything
    atoms = Atoms(index, index + 1, ranks, level, reach, alone)

    texts = Rebuilder(text, structure)

    def measure(kept: NDArray[np.bool_]) -> int:
        return counter.count(text_of(text, texts.spans(kept)))

    allocation = allocate(atoms, word_costs(structure, counter.starts(text)), goal, measure)
    spans = texts.spans(allocation.kept)
    return text_of(text, spans), spans


def lower_words(text: str) -> list[str]:
    """Return a text's words and marks in lower case, as rankings see them."""
    return [text[w.start : w.end].lower() for w in split_words(text)]
