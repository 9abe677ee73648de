"""The methods by name, and what they are built from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from compressor.classifier.base import Classifier
from compressor.classifier.registry import load_classifier
from compressor.engine import Compressor
from compressor.evaluation.baselines import (
    RandomDeletion,
    Ranking,
    SelfInformation,
    StopWordsFirst,
    TfIdf,
    lower_words,
)
from compressor.evaluation.classifier_cache import CachedClassifier
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


class UnknownMethod(ValueError):
    """A name that no method has."""


BASELINE_REVISION = "1"  # raise with any change to a baseline


@dataclass(frozen=True, slots=True)
class Bench:
    """What methods are built from; `corpus` are the set's texts, for methods that learn from it."""

    compressor: Compressor
    classifier: Classifier
    tokenizers: Tokenizers
    encoding: str
    corpus: Sequence[str] = ()

    def of(self, corpus: Sequence[str]) -> "Bench":
        """Return the same for another corpus."""
        return replace(self, corpus=corpus)

    @property
    def counter(self) -> TokenCounter:
        """Counts the target model's tokens."""
        return self.tokenizers.counter(self.encoding)


@contextmanager
def workbench(classifier: str, encoding: str, windows: Path | None) -> Iterator[Bench]:
    """Yield a bench with a classifier loaded by name.

    With `windows`, a file, every window is classified once and kept there. Raises
    ClassifierUnavailable and UnknownEncoding.
    """
    tokenizers = Tokenizers()
    tokenizers.counter(encoding)
    loaded = load_classifier(classifier)
    cached = None
    if windows is not None:
        windows.parent.mkdir(parents=True, exist_ok=True)
        cached = CachedClassifier(loaded, windows)
    used = cached or loaded
    try:
        with Compressor(used, tokenizers) as compressor:
            yield Bench(compressor, used, tokenizers, encoding)
    finally:
        if cached is not None:
            cached.close()


def build(names: Sequence[str], bench: Bench) -> list[Method]:
    """Return these methods. Raises UnknownMethod."""
    for name in names:
        if name not in METHODS:
            raise UnknownMethod(f"there is no method '{name}'; there are {', '.join(METHODS)}")
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
    "tersely": lambda bench: Tersely("tersely", bench.compressor, bench.encoding),
    "tersely-question": lambda bench: Tersely(
        "tersely-question", bench.compressor, bench.encoding, question_aware=True
    ),
    "tersely-unprotected": lambda bench: Tersely(
        "tersely-unprotected", bench.compressor, bench.encoding, protect=frozenset()
    ),
    "reference": _reference(matched=False),
    "reference-matched": _reference(matched=True),
    "self-information": _trained("self-information", SelfInformation),
    "tf-idf": _trained("tf-idf", TfIdf),
    "stop-words": _untrained("stop-words", StopWordsFirst()),
    "random": _untrained("random", RandomDeletion()),
}
DEFAULT = tuple(name for name in METHODS if name != "original")
