"""What every token classifier offers: a text's tokens, and each token's keep probability."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from compressor.windows import Window, sentence_ends

_SURROGATE = re.compile("[\ud800-\udfff]")


class ClassifierUnavailable(Exception):
    """The classifier cannot be loaded; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text in classifier tokens, without special tokens.

    `ids` is int64 of shape (tokens,); `offsets` is int32 of shape (tokens, 2): the characters of
    the text that each token stands for. `ends` is bool, (tokens,): whether a sentence or a line
    ends with the token; None where that is not known.
    """

    ids: NDArray[np.int64]
    offsets: NDArray[np.int32]
    ends: NDArray[np.bool_] | None = None


class Classifier(Protocol):
    """Gives every token of a text the probability that LLMLingua-2's teacher would keep it."""

    revision: str
    """Changes with the weights, the tokenizer and the windows; part of every cache key."""

    def encode(self, text: str) -> Encoded:
        """Return the text's tokens. The text of special tokens is plain text."""
        ...

    def pieces(self, encoded: Encoded) -> list[str]:
        """Return the tokens as the vocabulary spells them, like `▁budget` or `##get`."""
        ...

    def windows(self, encoded: Encoded) -> list[Window]:
        """Return the windows that cover the tokens."""
        ...

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        """Return the keep probabilities of a window's used tokens: float32, (used tokens,).

        Thread-safe, deterministic, and independent of every other window.
        """
        ...


@runtime_checkable
class BatchClassifier(Classifier, Protocol):
    """A classifier for which several windows in one call are faster: one on a GPU.

    What a window gets then depends on its batch in the last digits (about 1e-6), so a word whose
    score ties with another's to that many digits may change sides; see docs/architecture.md.
    """

    batch_tokens: int
    """How many tokens, padding included, go into one call; 0: one window a call."""

    def keep_probabilities_of(
        self, asked: Sequence[tuple[Encoded, Window]]
    ) -> list[NDArray[np.float32]]:
        """Return what `keep_probabilities` returns, for several windows of any texts. In order."""
        ...


@runtime_checkable
class QuestionClassifier(Classifier, Protocol):
    """A classifier that was trained to read a question, a separator and then the text."""

    separator: int
    """The id of the token between them: the one that ends every window."""


class PlainTokenizer:
    """A tokenizer that sees whole texts, and `<s>` in a text as three characters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self.tokenizer = tokenizer
        # Not enough by itself: a unigram vocabulary holds `<s>` as a piece like any other.
        special = [t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special]
        self._special = re.compile("|".join(map(re.escape, special)) or "(?!)")

    def encode(self, text: str) -> Encoded:
        """Return the tokens of any text, with offsets into it."""
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)  # lone ones, which no tokenizer takes
        # One character for one, so that offsets stay those of the text.
        text = self._special.sub(lambda match: "(" + match.group()[1:], text)
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, np.int32).reshape(-1, 2)
        return Encoded(np.array(encoding.ids, np.int64), offsets, sentence_ends(text, offsets))

    def pieces(self, encoded: Encoded) -> list[str]:
        """Return the tokens as the vocabulary spells them."""
        return [self.tokenizer.id_to_token(index) or "" for index in encoded.ids.tolist()]


def batches_by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Return the indices in batches whose padded size, longest times count, is within `budget`.

    Sorted by length, so that little is padding; one that is over the budget by itself is alone.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def keep_probability(logits: NDArray[np.float32], keep_label: int) -> NDArray[np.float32]:
    """Return the softmax share of `keep_label` along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    share: NDArray[np.float32] = shifted[..., keep_label] / shifted.sum(axis=-1)
    return share.astype(np.float32)
