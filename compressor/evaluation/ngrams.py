"""A word trigram model of the corpus at hand, for self-information without a language model."""

import math
from collections import Counter
from collections.abc import Sequence

_WEIGHTS = (0.5, 0.3, 0.2)  # trigram, bigram, unigram (Jelinek-Mercer interpolation)
_START = "\n"


class TrigramModel:
    """Interpolated word trigrams with add-one unigrams.

    A text of the training corpus is scored as if it had not been in it: its own counts are taken
    out, since with them every trigram of a small corpus would look expected.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        """Count the lower-cased words of a corpus, one sequence a text."""
        self._counts = _Counts()
        for words in texts:
            self._counts.add(words)

    def self_information(self, words: Sequence[str], *, seen: bool) -> list[float]:
        """Return -log2 p(word | the two before it), one a word; `seen`: a text of the corpus."""
        own = _Counts()
        if seen:
            own.add(words)
        before = (_START, _START)
        information = []
        for word in words:
            information.append(-math.log2(self._probability(before, word, own)))
            before = (before[1], word)
        return information

    def _probability(self, before: tuple[str, str], word: str, own: "_Counts") -> float:
        all_counts = self._counts
        first, second = before
        return sum(
            weight * share
            for weight, share in zip(
                _WEIGHTS,
                (
                    _share(
                        all_counts.three[first, second, word] - own.three[first, second, word],
                        all_counts.pairs[first, second] - own.pairs[first, second],
                    ),
                    _share(
                        all_counts.two[second, word] - own.two[second, word],
                        all_counts.singles[second] - own.singles[second],
                    ),
                    (all_counts.one[word] - own.one[word] + 1)
                    / (all_counts.total - own.total + len(all_counts.one) + 1),
                ),
                strict=True,
            )
        )


class _Counts:
    """How often words follow words; `pairs` and `singles` count contexts, so shares sum to 1."""

    def __init__(self) -> None:
        self.three: Counter[tuple[str, str, str]] = Counter()
        self.two: Counter[tuple[str, str]] = Counter()
        self.one: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.singles: Counter[str] = Counter()
        self.total = 0

    def add(self, words: Sequence[str]) -> None:
        first, second = _START, _START
        for word in words:
            self.three[first, second, word] += 1
            self.two[second, word] += 1
            self.one[word] += 1
            self.pairs[first, second] += 1
            self.singles[second] += 1
            first, second = second, word
        self.total += len(words)


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0
