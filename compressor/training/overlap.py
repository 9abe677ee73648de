"""Which texts share a run of words with others: near-duplicates, and leaks between data sets."""

import hashlib
from collections.abc import Iterator
from itertools import islice

from compressor.training.align import folded
from compressor.words import is_mark, split_words

RUN = 13  # words; the length that is usual for finding test data in training data


class Runs:
    """The runs of `length` words of the texts seen so far, by 64-bit hash.

    Case, width and punctuation make no difference. A text shorter than that is one run.
    """

    def __init__(self, length: int = RUN) -> None:
        self._length = length
        self._seen: set[int] = set()

    def add(self, text: str) -> None:
        """Remember a text's runs."""
        self._seen.update(word_runs(text, self._length))

    def share(self, text: str) -> float:
        """Return which share of a text's runs was seen, 0 to 1."""
        runs = set(word_runs(text, self._length))
        return len(runs & self._seen) / len(runs) if runs else 0.0

    def touches(self, text: str) -> bool:
        """Whether any of a text's runs was seen."""
        return any(run in self._seen for run in word_runs(text, self._length))


def word_runs(text: str, length: int = RUN) -> Iterator[int]:
    """Yield a hash of every run of `length` words."""
    forms = [
        folded(text[word.start : word.end]) for word in split_words(text) if not is_mark(text, word)
    ]
    if not forms:
        return
    for start in range(max(1, len(forms) - length + 1)):
        run = " ".join(islice(forms, start, start + length))
        digest = hashlib.blake2b(run.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        yield int.from_bytes(digest, "big")
