"""Whether an exported classifier does what the original does, on annotated passages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan

from compressor.classifier.base import Classifier
from compressor.engine import Compressor
from compressor.evaluation.kept_words import kept_words, share_kept_too
from compressor.extract import extract
from compressor.scoring import Classified, word_probabilities
from compressor.training.examples import Passage
from compressor.training.validation import Ranking, ranking
from compressor.types import Settings
from compressor.words import split_words

MAX_AUC_DIFFERENCE = 0.003
MIN_KEPT_SHARE = 0.98
RATE = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two forms of a classifier, compared.

    `original` and `exported` are how each ranks the labelled words; `kept` is the share of the
    words that the original keeps at rate 0.5, without protections, which the exported keeps too.
    """

    original: Ranking
    exported: Ranking
    kept: float
    passages: int

    @property
    def auc_difference(self) -> float:
        """The larger of the differences in AUC, heavy and light; one that is NaN in both is 0."""
        pairs = [
            (self.original.heavy, self.exported.heavy),
            (self.original.light, self.exported.light),
        ]
        return max(0.0 if isnan(a) and isnan(b) else abs(a - b) for a, b in pairs)

    def faults(
        self,
        *,
        max_auc_difference: float = MAX_AUC_DIFFERENCE,
        min_kept: float = MIN_KEPT_SHARE,
    ) -> list[str]:
        """Return what is not as it has to be, in words; empty where the two agree."""
        found = []
        # Not `>`: a NaN on one side is a fault.
        if not self.auc_difference <= max_auc_difference:
            found.append(
                f"AUC differs by {self.auc_difference:.4f} (heavy {self.original.heavy:.4f} and "
                f"{self.exported.heavy:.4f}, light {self.original.light:.4f} and "
                f"{self.exported.light:.4f}); {max_auc_difference:g} is allowed"
            )
        if self.kept < min_kept:
            found.append(
                f"of the words that the original keeps at rate {RATE}, the exported model keeps "
                f"{self.kept:.2%}; at least {min_kept:.2%} are wanted"
            )
        return found


def agreement(
    original: Classifier,
    exported: Classifier,
    passages: Sequence[Passage],
    advance: Callable[[], None] = lambda: None,
) -> Agreement:
    """Compare two forms of a classifier on annotated passages; `advance` after each of either's.

    Raises ValueError where there is no passage, and what the classifiers raise.
    """
    if not passages:
        raise ValueError("there is no passage to compare the two forms on")
    first, second = (_Read.of(form, passages, advance) for form in (original, exported))
    return Agreement(
        original=first.ranking(passages),
        exported=second.ranking(passages),
        kept=share_kept_too(zip(first.kept, second.kept, strict=True)),
        passages=len(passages),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What one form makes of the passages, and which words it keeps of each."""

    classified: dict[str, Classified]
    kept: list[set[int]]

    @classmethod
    def of(
        cls, form: Classifier, passages: Sequence[Passage], advance: Callable[[], None]
    ) -> "_Read":
        classified: dict[str, Classified] = {}
        kept = []
        # Without protections, so that the classifier alone decides.
        settings = Settings(rate=RATE, protect=frozenset())
        with Compressor(form) as compressor:
            counter = compressor.counter(settings.encoding)
            for passage in passages:
                text = passage.text
                if text not in classified:
                    (classified[text],) = compressor.classify([text], settings)
                found = classified[text]
                words = split_words(text)
                scores = word_probabilities(words, found.offsets, found.probabilities)
                kept.append(kept_words(text, extract(text, words, scores, settings, counter).kept))
                advance()
        return cls(classified, kept)

    def ranking(self, passages: Sequence[Passage]) -> Ranking:
        classified = self.classified
        return ranking(
            passages, lambda text: (classified[text].offsets, classified[text].probabilities)
        )
