"""Classifier-token probabilities to word probabilities, and what a word's neighbourhood adds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compressor.words import Word

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


def word_probabilities(
    words: Sequence[Word], offsets: IntArray, probabilities: FloatArray
) -> FloatArray:
    """Return one keep probability a word, shape (len(words),): the mean over its tokens.

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
    sums = np.bincount(word, weights=probabilities[token], minlength=len(words))
    counts = np.bincount(word, minlength=len(words))
    return np.where(counts > 0, sums / np.maximum(counts, 1), 1.0).astype(np.float32)


def smooth(
    scores: NDArray[np.float64],
    groups: NDArray[np.int32],
    content: NDArray[np.bool_],
    *,
    neighbour: float,
    group: float,
) -> NDArray[np.float64]:
    """Blend each content word's score with its neighbours' and its group's mean, staying in [0, 1].

    Answers and readable phrases are contiguous: a word between two kept ones is worth more than
    its own probability, a lone survivor of a dropped sentence is worth less. `groups` holds an
    ascending group number a word, `content` which words are no marks; `neighbour` and `group` are
    the shares of the blend.
    """
    where = np.flatnonzero(content)
    if not len(where):
        return scores
    own, of = scores[where], groups[where]
    before, after = own.copy(), own.copy()
    same = of[1:] == of[:-1]
    before[1:][same] = own[:-1][same]
    after[:-1][same] = own[1:][same]
    mean = (np.bincount(of, own) / np.maximum(np.bincount(of), 1))[of]
    blended = scores.copy()
    blended[where] = (1 - neighbour - group) * own + neighbour * (before + after) / 2 + group * mean
    return blended
