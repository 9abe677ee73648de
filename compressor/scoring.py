"""Classifier-token probabilities to word probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.types import TokenToWord
from compressor.words import Word

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Classified:
    """A text as the classifier sees it.

    `offsets` is int32, (tokens, 2): the characters of each classifier token; `probabilities` is
    float32, (tokens,): each one's keep probability.
    """

    offsets: IntArray
    probabilities: FloatArray


def word_probabilities(
    words: Sequence[Word],
    offsets: IntArray,
    probabilities: FloatArray,
    how: TokenToWord = "mean",
) -> FloatArray:
    """Return one keep probability a word, shape (len(words),): its tokens' mean, or the first's.

    `offsets` is (n, 2), character offsets of the classifier's tokens, ascending; `probabilities`
    is (n,). A token counts for every word that it overlaps. A word without a token gets 1.0: what
    the model cannot see is not dropped.
    """
    if not words:
        return np.zeros(0, np.float32)
    if not len(offsets):
        return np.ones(len(words), np.float32)
    starts = np.fromiter((w.start for w in words), np.int64, len(words))
    ends = np.fromiter((w.end for w in words), np.int64, len(words))
    first = np.searchsorted(ends, offsets[:, 0], side="right")
    last = np.searchsorted(starts, offsets[:, 1], side="left")  # one past the last overlapped
    touched = np.maximum(last - first, 0)
    token = np.repeat(np.arange(len(offsets)), touched)
    word = np.arange(len(token)) - np.repeat(np.cumsum(touched) - touched, touched)
    word += np.repeat(first, touched)
    if how == "first":
        firsts = np.ones(len(words), np.float32)
        firsts[word[::-1]] = probabilities[token[::-1]]  # of several, the last assignment stays
        return firsts
    sums = np.bincount(word, weights=probabilities[token], minlength=len(words))
    counts = np.bincount(word, minlength=len(words))
    return np.where(counts > 0, sums / np.maximum(counts, 1), 1.0).astype(np.float32)
