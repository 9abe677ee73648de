"""How much each word bears on a question: the protocol, and how its verdict is used.

The lexical one that is used by default is in `lexical.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import Encoded
from compressor.pool import Piece
from compressor.words import Word

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """A text and a question about it: all that a Relevance may look at.

    `words` are those of `split_words(text)`; `encoded` is the text in the classifier's tokens,
    without special tokens, for a model that shares its tokenizer.
    """

    text: str
    words: Sequence[Word]
    encoded: Encoded
    question: str


class Relevance(Protocol):
    """Scores the words of a text against a question. Thread-safe and deterministic.

    Made for two kinds: a lexical one computes everything in `log_odds`. A query-conditioned token
    classifier (one that reads `question [SEP] window`, as Provence does, arXiv 2501.16214) plans
    its windows in `pieces`, shorter by the question's tokens, and turns their outputs into a
    number a word in `log_odds`; `scoring.word_probabilities` gets it from tokens to words.
    """

    @property
    def revision(self) -> str:
        """Changes with anything that can change a number; part of the key of every entry asked."""
        ...

    def pieces(self, asked: Asked) -> Sequence[Piece[FloatArray]]:
        """Return what has to run on the classifier's threads, beside the text's own windows.

        Each piece is one call, which a deadline may leave out and other texts' windows may come
        between; none where the scores need no model.
        """
        ...

    def log_odds(self, asked: Asked, outputs: Sequence[FloatArray]) -> FloatArray:
        """Return what to add to the log-odds of each word's keep probability; 0 is neutral.

        `outputs` are those of `pieces`, in order; the result is finite, of shape (words,).
        """
        ...


_MOST = 27.0  # with a probability of 0.9999 this is as near to 1 as float64 can tell from it


def add_log_odds(
    probabilities: FloatArray, log_odds: FloatArray, *, ranking: bool = False
) -> NDArray[np.float64]:
    """Return the keep probabilities after adding log-odds to each, in float64.

    With `ranking`, for where only their order counts, all log-odds are lowered alike as far as it
    takes for the highest not to become exactly 1 and lose it.
    """
    if ranking and len(log_odds):
        log_odds = log_odds - max(0.0, float(log_odds.max()) - _MOST)
    p = np.clip(probabilities.astype(np.float64), 1e-4, 1 - 1e-4)
    total = np.log(p / (1 - p)) + log_odds
    return 1 / (1 + np.exp(-np.clip(total, -700, 700)))
