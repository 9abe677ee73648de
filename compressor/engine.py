"""One text in, a shorter one out: the library's own entry point."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Self, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from compressor.calibration import NamedThresholds
from compressor.classifier.base import BatchClassifier, Classifier, Encoded
from compressor.explain import unchanged_words, words_in_text
from compressor.extract import extract_from
from compressor.lexical import LexicalRelevance
from compressor.pool import Batcher, Job, Overloaded, Piece, WindowPool
from compressor.protect.json_prose import json_prose
from compressor.relevance import Asked, Relevance
from compressor.scoring import Classified, word_probabilities
from compressor.source import Source, read_source
from compressor.tokens import Tokenizers
from compressor.types import (
    CompressionResult,
    Kind,
    Settings,
    Span,
    TokenCounter,
    TokenToWord,
)
from compressor.windows import Window, chunk_ends, plan_chunks
from compressor.words import Word, split_words

# Part of every cache key. Raise it with any change to this package outside `classifier` that can
# change a single character of any output: words, protections, scores, budget, rebuild, verify.
ALGORITHM_REVISION = "6"

_Probabilities = NDArray[np.float32]
_LONGEST_WORD = 5000  # letters
# Prose has about four characters to a classifier token. A text with more than this many to each
# token of the queue's bound is refused before encoding it takes gigabytes.
_CHARACTERS_PER_TOKEN = 8


class SettingsFields(TypedDict, total=False):
    """The fields of Settings, for calls that name them."""

    rate: float | None
    threshold: float | str | None
    target_tokens: int | None
    protect: frozenset[Kind]
    force_tokens: tuple[str, ...]
    encoding: str
    token_to_word: TokenToWord
    force_digits: bool
    drop_consecutive: bool
    chunk_end_tokens: tuple[str, ...]
    question: str | None
    json_prose: bool
    tool_description: bool


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question on its way: its pieces follow the `blind` ones of the text itself."""

    relevance: Relevance
    asked: Asked
    blind: int

    def settle(
        self, outputs: list[_Probabilities]
    ) -> tuple[list[_Probabilities], NDArray[np.float32]]:
        """Return the text's own outputs, and the log-odds that the question adds to its words."""
        log_odds = self.relevance.log_odds(self.asked, outputs[self.blind :])
        return outputs[: self.blind], log_odds


@dataclass(frozen=True, slots=True)
class Draft:
    """A text on its way: its windows are with the classifier, and `finish` makes the result."""

    source: Source
    encoded: Encoded
    job: Job[_Probabilities]
    timings_ms: Mapping[str, float]
    inquiry: Inquiry | None = None
    explain: bool = False

    @property
    def pending(self) -> Future[list[_Probabilities]]:
        """The classifier's outputs; cancel it to drop the windows that have not begun."""
        return self.job.future

    @property
    def progress(self) -> tuple[int, int]:
        """How many of the classifier's windows are done, and how many there are."""
        return self.job.progress

    def finish(self) -> CompressionResult:
        """Make the result, once the classifier is done (blocks until then)."""
        outputs = self.pending.result()
        started = time.perf_counter()
        log_odds = None
        timings = {**self.timings_ms, "queue": self.job.queue_ms, "classify": self.job.run_ms}
        if self.inquiry is not None:
            outputs, log_odds = self.inquiry.settle(outputs)
            timings["relevance"] = _ms_since(started)
            started = time.perf_counter()
        how = self.source.settings.token_to_word
        tokens = _concatenated(outputs)
        probabilities = word_probabilities(self.source.words, self.encoded.offsets, tokens, how)
        result = extract_from(self.source, probabilities, log_odds=log_odds, explain=self.explain)
        timings["extract"] = _ms_since(started)
        return replace(result, timings_ms=timings)


@dataclass(frozen=True, slots=True)
class Plain:
    """A text that needs no classifier: its result is known."""

    result: CompressionResult
    pending: None = None

    def finish(self) -> CompressionResult:
        """Return the result."""
        return self.result


class Compressor:
    """Shortens texts with a token classifier. Thread-safe; the same call gives the same bytes.

    Without a `classifier` the one called `name` is loaded, at the first text or by `load`.
    `thresholds` are its named thresholds, where they are not those in the named one's folder.
    `workers` are classifier threads, 0 for one per usable core. `relevance` scores words against a
    question where the settings have one; without, a LexicalRelevance does.
    """

    def __init__(
        self,
        classifier: Classifier | None = None,
        tokenizers: Tokenizers | None = None,
        *,
        name: str = "bundled",
        backend: str = "auto",
        workers: int = 0,
        max_queued_tokens: int = 400_000,
        relevance: Relevance | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self._relevance = LexicalRelevance() if relevance is None else relevance
        self._classifier = classifier
        self._name = name
        self._backend = backend
        unnamed = classifier is not None and thresholds is None
        self._thresholds = NamedThresholds(
            "given as an object" if classifier is not None else name,
            {} if unnamed else thresholds,
        )
        self._tokenizers = tokenizers or Tokenizers()
        self._pool = WindowPool(workers, max_queued_tokens)
        self._loading = Lock()
        self._batch: Batcher[_Probabilities] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def load(self) -> Classifier:
        """Return the classifier, loaded once. Raises ClassifierUnavailable."""
        with self._loading:
            if self._classifier is None:
                # Here, because the runtimes take a while to import and may not be needed.
                from compressor.classifier.registry import load_classifier  # noqa: PLC0415

                self._classifier = load_classifier(self._name, backend=self._backend)
            return self._classifier

    @property
    def revision(self) -> str:
        """What a question-blind result depends on besides text and settings.

        Loads the classifier.
        """
        return f"{self.load().revision}/{ALGORITHM_REVISION}"

    def revision_for(self, settings: Settings) -> str:
        """Return what a result with these settings depends on besides them and the text."""
        if settings.question is None:
            return self.revision
        return f"{self.revision}/{self._relevance.revision}"

    def resolved(self, settings: Settings) -> Settings:
        """Return settings with the number that a threshold's name stands for.

        Raises UnknownThreshold for a name that the classifier's calibration does not have.
        """
        if not isinstance(settings.threshold, str):
            return settings
        return replace(settings, threshold=self._thresholds.number(settings.threshold))

    def compress(
        self,
        text: str,
        settings: Settings | None = None,
        *,
        explain: bool = False,
        **options: Unpack[SettingsFields],
    ) -> CompressionResult:
        """Compress one text, by `settings` or by their fields: `compress(text, rate=0.5)`.

        With `explain` the result says of every word whether and why it was kept, and is otherwise
        the same.

        Raises ValueError for settings that cannot be, ClassifierUnavailable and Overloaded.
        """
        if settings is not None and options:
            raise TypeError("give either settings or their fields, not both")
        draft = self.begin(text, settings or Settings(**options), explain=explain)
        try:
            return draft.finish()
        finally:
            if draft.pending is not None:
                draft.pending.cancel()  # matters only where the wait was interrupted

    def begin(self, text: str, settings: Settings, *, explain: bool = False) -> Draft | Plain:
        """Split and encode a text and queue its windows. For callers that must not block.

        Raises ClassifierUnavailable, and Overloaded where the windows would not fit in the queue.
        """
        if not isinstance(text, str):
            raise TypeError(f"the text is of type {type(text).__name__}, not str")
        self._refuse_too_long(text)
        settings = self.resolved(settings)
        started = time.perf_counter()
        counter = self._tokenizers.counter(settings.encoding)
        prose = json_prose(text) if settings.json_prose else None
        seen = text if prose is None else prose.view
        words = split_words(seen)
        known = _without_classifier(text, seen, words, settings, counter)
        if known is not None:
            all_kept = unchanged_words(words) if explain else ()
            if prose is not None:
                all_kept = words_in_text(all_kept, prose.offsets)
            return Plain(replace(known, words=all_kept))
        encoded, pieces = self._encode(seen, settings)
        inquiry = None
        if settings.question is not None:
            asked = Asked(seen, words, encoded, settings.question)
            inquiry = Inquiry(self._relevance, asked, blind=len(pieces))
            pieces += self._relevance.pieces(asked)
        timings = {"tokenize": _ms_since(started)}
        job = self._pool.submit(pieces)
        with ExitStack() as undo:
            undo.callback(job.future.cancel)
            started = time.perf_counter()
            # While the classifier is at work: nothing of this waits for what it says.
            source = read_source(text, words, settings, counter, prose=prose)
            timings["read"] = _ms_since(started)
            undo.pop_all()
        return Draft(source, encoded, job, timings, inquiry, explain)

    def classify(self, texts: Sequence[str], settings: Settings) -> list[Classified]:
        """Return what the classifier makes of several texts, each seen by itself.

        Raises ClassifierUnavailable, and Overloaded where they do not fit in the queue together.
        """
        jobs: list[tuple[Encoded, Job[_Probabilities]]] = []
        try:
            for text in texts:
                self._refuse_too_long(text)
                encoded, pieces = self._encode(text, settings)
                jobs.append((encoded, self._pool.submit(pieces)))
            return [Classified(e.offsets, _concatenated(job.future.result())) for e, job in jobs]
        finally:
            for _, job in jobs:
                job.future.cancel()  # matters only where one failed

    def log_odds(self, text: str, words: Sequence[Word], question: str) -> NDArray[np.float32]:
        """Return what a question adds to the log-odds of each word of a text.

        `words` are in text order. Raises ClassifierUnavailable and Overloaded.
        """
        asked = Asked(text, words, self.load().encode(text), question)
        job = self._pool.submit(list(self._relevance.pieces(asked)))
        return self._relevance.log_odds(asked, job.future.result())

    def counter(self, encoding: str) -> TokenCounter:
        """Return the counter of a target model's tokens. Raises UnknownEncoding."""
        return self._tokenizers.counter(encoding)

    def _encode(self, text: str, settings: Settings) -> tuple[Encoded, list[Piece[_Probabilities]]]:
        classifier = self.load()
        encoded = classifier.encode(text)
        windows = _windows(text, encoded, classifier, settings)
        return encoded, _pieces(classifier, encoded, windows, self._batcher(classifier))

    def _batcher(self, classifier: Classifier) -> Batcher[_Probabilities] | None:
        """Return the one batcher of this compressor's windows, where its classifier wants any."""
        if self._batch is None and isinstance(classifier, BatchClassifier):
            self._batch = Batcher(classifier.batch_tokens, classifier.keep_probabilities_of)
        return self._batch if self._batch is not None and self._batch.tokens else None

    def _refuse_too_long(self, text: str) -> None:
        if len(text) > self._pool.max_queued_tokens * _CHARACTERS_PER_TOKEN:
            raise Overloaded(
                f"a text of {len(text)} characters has more classifier tokens than may wait "
                f"(max_queued_tokens is {self._pool.max_queued_tokens})"
            )

    def close(self) -> None:
        """End the classifier threads; what still waits fails with PoolClosed."""
        self._pool.close()


def _without_classifier(
    text: str, seen: str, words: list[Word], settings: Settings, counter: TokenCounter
) -> CompressionResult | None:
    """Return the result where it is plain that the text stays as it is."""
    endless = _has_endless_word(seen, words)
    if not words:
        reason = "it has no words"
    elif settings.rate is not None and settings.rate >= 1:
        reason = "the rate is 1"
    elif endless:
        reason = f"it has a word of over {_LONGEST_WORD:,} letters"
    elif settings.target_tokens is not None:
        reason = "it is within target_tokens already"
    else:
        return None
    tokens = counter.count(text)
    over = bool(words) and settings.target_tokens is not None and tokens > settings.target_tokens
    if over and not endless:
        return None
    kept = (Span(0, len(text)),) if text else ()
    return CompressionResult(text, tokens, tokens, kept, unchanged=reason, budget_unmet=over)


def _has_endless_word(seen: str, words: list[Word]) -> bool:
    """Whether counting the text's tokens, which is done often, takes seconds: a sequence of DNA."""
    return any(w.end - w.start > _LONGEST_WORD and seen[w.start : w.end].isalpha() for w in words)


def _concatenated(windows: Sequence[_Probabilities]) -> _Probabilities:
    return np.concatenate(windows) if windows else np.empty(0, np.float32)


def _windows(
    text: str, encoded: Encoded, classifier: Classifier, settings: Settings
) -> list[Window]:
    if not settings.chunk_end_tokens:
        return classifier.windows(encoded)
    return plan_chunks(chunk_ends(text, encoded.offsets, settings.chunk_end_tokens))


def _pieces(
    classifier: Classifier,
    encoded: Encoded,
    windows: list[Window],
    batcher: Batcher[_Probabilities] | None,
) -> list[Piece[_Probabilities]]:
    run = partial(classifier.keep_probabilities, encoded)
    return [
        Piece(window.tokens, partial(run, window), batcher, (encoded, window)) for window in windows
    ]


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
