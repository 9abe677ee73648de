"""Thresholds for a classifier, found on a sample of prompts: what each keeps, and at what cost.

A threshold has no rate of its own: how much of a text is above it depends on the classifier and on
the text. So a sample goes through the whole compressor, protections and all, at many thresholds;
what is kept of it is counted, and the thresholds are found that keep as much as is wanted.

What is called quality here is what can be known without asking anybody: how much of the words that
the classifier expects a reader to keep is kept, and how much of what must not be lost. Neither says
whether answers survive; `tersely eval` measures that.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.engine import Compressor
from compressor.evaluation.metrics import Coverage, Kept, item_recall, negation_retention, pooled
from compressor.extract import extract
from compressor.scoring import Classified, word_probabilities
from compressor.training.examples import Passage
from compressor.training.texts import Text
from compressor.training.validation import Ranking, ranking
from compressor.types import Settings, Span, TokenCounter
from compressor.words import Word, is_mark, split_words

RATES: Mapping[str, float] = {"gentle": 0.8, "balanced": 0.6, "aggressive": 0.4}
_DECIMALS = 4  # of a threshold: finer than any two of them could matter
_CURVE_QUANTILES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_CLOSE = 0.002  # a rate as near as this to the one that is wanted is it


class NothingToCalibrate(ValueError):
    """The prompts hold no text with words, or no threshold can be what is asked; says why."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text of the sample as the classifier read it.

    `probabilities` is one keep probability a word, float32 (words,); `tokens` is counted in the
    target model's tokens.
    """

    source: str
    text: str
    words: list[Word]
    classified: Classified
    probabilities: NDArray[np.float32]
    tokens: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What one threshold left of one text."""

    tokens: int
    kept: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold does to the whole sample.

    `rate` is tokens kept / tokens before, over all texts together; `low` and `high` are the tenth
    and the ninetieth percentile of the texts' own. `expected` is the share of the words that the
    classifier expects to be kept (the sum of the keep probabilities of the kept words / that of
    all words). `items` and `negations` are what is whole of numbers, names and the like, and of
    negations whose word is kept. `by_source` is the rate by source.
    """

    threshold: float
    rate: float
    low: float
    high: float
    expected: float
    items: Kept
    negations: Kept
    by_source: Mapping[str, float]


def draw(texts: Sequence[Text], size: int, seed: int) -> list[Text]:
    """Return `size` of the texts, drawn at random, in the order given; all where there are fewer.

    Texts without a word are left out, and one that is there twice is one. Raises
    NothingToCalibrate.
    """
    usable = list({text.text: text for text in texts if split_words(text.text)}.values())
    if not usable:
        raise NothingToCalibrate("there is no text with words among the prompts")
    chosen = sorted(random.Random(seed).sample(range(len(usable)), min(size, len(usable))))  # noqa: S311
    return [usable[index] for index in chosen]


class Sample:
    """Texts that were read once by the classifier, to be cut at any number of thresholds."""

    def __init__(
        self,
        texts: Sequence[Text],
        compressor: Compressor,
        *,
        encoding: str = "o200k_base",
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        """Read the texts, `advance` after each. Raises what the classifier raises."""
        self.encoding = encoding
        self._counter = compressor.counter(encoding)
        self._rates: dict[float, float] = {}
        self.texts: list[ReadText] = []
        for text in texts:
            self.texts.append(_read(text, compressor, self._counter, encoding))
            advance()
        self.tokens = sum(text.tokens for text in self.texts)

    def cut(self, threshold: float) -> list[Cut]:
        """Return what a threshold leaves of every text, in order."""
        settings = Settings(threshold=threshold, encoding=self.encoding)
        cuts = []
        for read in self.texts:
            result = extract(read.text, read.words, read.probabilities, settings, self._counter)
            cuts.append(Cut(result.tokens_after, result.kept))
        return cuts

    def rate(self, threshold: float) -> float:
        """Return the share of the sample's tokens that a threshold keeps."""
        if threshold not in self._rates:
            self._rates[threshold] = sum(cut.tokens for cut in self.cut(threshold)) / self.tokens
        return self._rates[threshold]

    def point(self, threshold: float) -> Point:
        """Return what a threshold does to the sample."""
        cuts = self.cut(threshold)
        pairs = list(zip(self.texts, cuts, strict=True))
        own = [cut.tokens / read.tokens for read, cut in pairs if read.tokens]
        kept = self._rates[threshold] = sum(cut.tokens for cut in cuts) / self.tokens
        items = pooled(item_recall(read.text, cut.kept) for read, cut in pairs)
        negations = [negation_retention(read.text, cut.kept) for read, cut in pairs]
        return Point(
            threshold=threshold,
            rate=kept,
            low=float(np.percentile(own, 10)),
            high=float(np.percentile(own, 90)),
            expected=_expected(pairs),
            items=_sum(items.values()),
            negations=_sum(negations),
            by_source=_rates_by_source(pairs),
        )

    def quantiles(self) -> list[float]:
        """Return thresholds that are spread as the words' keep probabilities are, ascending."""
        everything = np.concatenate([read.probabilities for read in self.texts])
        found = np.quantile(everything, _CURVE_QUANTILES)
        return sorted({round(float(value), _DECIMALS) for value in found})

    def threshold_for(self, rate: float) -> float:
        """Return the threshold, to four decimals, that keeps about `rate` of the sample's tokens.

        A higher threshold keeps no more, so halving finds it, from those on whose rates are known.
        Of all of these the nearest is taken: where many words share one probability, a step may be
        larger than what is wanted.
        """
        known = self._rates
        low = max((t for t, found in known.items() if found > rate), default=0.0)
        high = min((t for t, found in known.items() if found <= rate), default=1.0)
        while high - low > 1.5 * 10**-_DECIMALS:
            middle = round((low + high) / 2, _DECIMALS)
            found = self.rate(middle)
            if abs(found - rate) <= _CLOSE:
                break
            low, high = (middle, high) if found > rate else (low, middle)
        return min(sorted(known), key=lambda threshold: abs(known[threshold] - rate))


def suggest(
    sample: Sample, rates: Mapping[str, float], advance: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Return a threshold for each name, by the rate that is wanted of it; `advance` after each.

    Raises NothingToCalibrate for a rate that is none.
    """
    found = {}
    for name, rate in rates.items():
        if not 0 < rate < 1:
            raise NothingToCalibrate(f"the rate of '{name}' is {rate:g}; it is between 0 and 1")
        found[name] = sample.threshold_for(rate)
        advance()
    return found


class Labelled:
    """Annotated passages, to hold what thresholds keep against what their labels say."""

    def __init__(
        self,
        passages: Sequence[Passage],
        compressor: Compressor,
        *,
        encoding: str = "o200k_base",
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        """Read the passages, `advance` after each. Raises what the classifier raises."""
        self._passages = passages
        texts = [Text(p.source, p.doc, p.lang, "", p.text) for p in passages]
        self._sample = Sample(texts, compressor, encoding=encoding, advance=advance)

    def ranking(self) -> Ranking:
        """Return how well the classifier ranks the labelled words."""
        read = {text.text: text.classified for text in self._sample.texts}
        return ranking(self._passages, lambda t: (read[t].offsets, read[t].probabilities))

    def recall(self, threshold: float) -> tuple[Kept, Kept]:
        """Return how many are kept of the words that both grades keep, and of the light one's."""
        counts = [[0, 0], [0, 0]]
        for passage, cut in zip(self._passages, self._sample.cut(threshold), strict=True):
            coverage = Coverage(cut.kept)
            for (start, end), label in zip(
                passage.spans.tolist(), passage.labels.tolist(), strict=True
            ):
                whole = coverage.whole(start, end)
                for count, least in zip(counts, (1.0, 0.5), strict=True):
                    if label >= least:  # never of a mark, whose label is NaN
                        count[0] += whole
                        count[1] += 1
        heavy, light = counts
        return Kept(*heavy), Kept(*light)


def _read(text: Text, compressor: Compressor, counter: TokenCounter, encoding: str) -> ReadText:
    (classified,) = compressor.classify([text.text], Settings(rate=0.5, encoding=encoding))
    words = split_words(text.text)
    probabilities = word_probabilities(words, classified.offsets, classified.probabilities)
    tokens = counter.count(text.text)
    return ReadText(text.source, text.text, words, classified, probabilities, tokens)


def _expected(pairs: Iterable[tuple[ReadText, Cut]]) -> float:
    """Return the share of the keep probability that the kept words have, marks left out."""
    kept = total = 0.0
    for read, cut in pairs:
        coverage = Coverage(cut.kept)
        for word, probability in zip(read.words, read.probabilities.tolist(), strict=True):
            if is_mark(read.text, word):
                continue
            total += probability
            kept += probability * coverage.whole(word.start, word.end)
    return kept / total if total else 1.0


def _rates_by_source(pairs: Iterable[tuple[ReadText, Cut]]) -> dict[str, float]:
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for read, cut in pairs:
        before[read.source] = before.get(read.source, 0) + read.tokens
        after[read.source] = after.get(read.source, 0) + cut.tokens
    return {source: after[source] / max(before[source], 1) for source in sorted(before)}


def _sum(counts: Iterable[Kept]) -> Kept:
    pairs = [(count.kept, count.called) for count in counts]
    return Kept(sum(kept for kept, _ in pairs), sum(called for _, called in pairs))
