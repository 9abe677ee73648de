"""The methods by name, and what they are built from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from compressor.classifier.base import Classifier
from compressor.engine import Compressor
from compressor.evaluation.baselines import (
    RandomDeletion,
    Ranking,
    SelfInformation,
    StopWordsFirst,
    TfIdf,
    lower_words,
)
from compressor.evaluation.methods import (
    Method,
    Original,
    Ranked,
    Tersely,
    corpus_revision,
    source_revision,
)
from compressor.evaluation.reference_method import Reference
from compressor.tokens import Tokenizers
from compressor.types import TokenCounter

BASELINE_REVISION = "1"  # raise with any change to a baseline


@dataclass(frozen=True, slots=True)
class Bench:
    """What methods are built from; `corpus` are the set's texts, for methods that learn from it."""

    compressor: Compressor
    classifier: Classifier
    tokenizers: Tokenizers
    encoding: str
    corpus: Sequence[str]

    @property
    def counter(self) -> TokenCounter:
        """Counts the target model's tokens."""
        return self.tokenizers.counter(self.encoding)


def build(names: Sequence[str], bench: Bench) -> list[Method]:
    """Return these methods. Raises ValueError for a name that there is not."""
    for name in names:
        if name not in METHODS:
            raise ValueError(f"there is no method '{name}'; there are {', '.join(METHODS)}")
    return [METHODS[name](bench) for name in names]


def _trained(
    name: str, ranking: Callable[[Sequence[Sequence[str]]], Ranking]
) -> Callable[[Bench], Method]:
    def build_one(bench: Bench) -> Method:
        corpus = [lower_words(text) for text in bench.corpus]
        revision = f"{_baseline_revision()}/{corpus_revision(bench.corpus)}"
        return Ranked(name, ranking(corpus), bench.counter, revision)

    return build_one


def _untrained(name: str, ranking: Ranking) -> Callable[[Bench], Method]:
    return lambda bench: Ranked(name, ranking, bench.counter, _baseline_revision())


def _baseline_revision() -> str:
    return f"{BASELINE_REVISION}/{source_revision()}"


def _reference(*, matched: bool) -> Callable[[Bench], Method]:
    def build_one(bench: Bench) -> Method:
        cl100k = bench.tokenizers.counter("cl100k_base")
        return Reference(bench.classifier, bench.counter, cl100k, matched=matched)

    return build_one


METHODS: Mapping[str, Callable[[Bench], Method]] = {
    "original": lambda _: Original(),
    "tersely": lambda bench: Tersely(bench.compressor, bench.encoding),
    "reference": _reference(matched=False),
    "reference-matched": _reference(matched=True),
    "self-information": _trained("self-information", SelfInformation),
    "tf-idf": _trained("tf-idf", TfIdf),
    "stop-words": _untrained("stop-words", StopWordsFirst()),
    "random": _untrained("random", RandomDeletion()),
}
DEFAULT = tuple(name for name in METHODS if name != "original")
