"""Everything after the classifier: scores and settings to a shorter text. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compressor.explain import Choice, explain_words, unchanged_words, words_in_text
from compressor.protect.json_prose import JsonProse, stays_json
from compressor.rebuild import text_of
from compressor.relevance import add_log_odds
from compressor.repetition import rank_lines
from compressor.selection import bound, select
from compressor.source import Render, Source, read_source
from compressor.types import (
    CompressionResult,
    ExplainedWord,
    Kind,
    ProtectedSpan,
    Settings,
    Span,
    TokenCounter,
)
from compressor.verify import count
from compressor.words import Word


def extract(
    text: str,
    words: Sequence[Word],
    probabilities: NDArray[np.float32],
    settings: Settings,
    counter: TokenCounter,
    *,
    protected: Sequence[ProtectedSpan] | None = None,
    log_odds: NDArray[np.float32] | None = None,
    prose: JsonProse | None = None,
    render: Render | None = None,
    explain: bool = False,
) -> CompressionResult:
    """Return `text` cut down to what `settings` allow.

    `words` are those of `split_words(text)`, `probabilities` one keep probability each, shape
    (len(words),); tokens are counted with `counter`. `protected` are the spans to protect, by
    start, where they are not those of the whole text. `log_odds`, shape (len(words),), are added to
    those of the probabilities. With `prose`, words and protected spans are those of its view.
    `render` makes what is counted of the slices kept where it is not these alone. The result is the
    source itself, with the reason in `unchanged`, where nothing can be saved. `explain` adds the
    result's `words` and changes nothing else.
    """
    source = read_source(
        text, words, settings, counter, protected=protected, prose=prose, render=render
    )
    return extract_from(source, probabilities, log_odds=log_odds, explain=explain)


def extract_from(
    source: Source,
    probabilities: NDArray[np.float32],
    *,
    log_odds: NDArray[np.float32] | None = None,
    explain: bool = False,
) -> CompressionResult:
    """Do as `extract` does, for a text that has been read."""
    result = _extracted(source, probabilities, log_odds, explain=explain)
    if explain and result.unchanged is not None:
        result = replace(result, words=unchanged_words(source.words, probabilities))
    if source.prose is not None:
        return replace(result, words=words_in_text(result.words, source.prose.offsets))
    return result


def _extracted(
    source: Source,
    probabilities: NDArray[np.float32],
    log_odds: NDArray[np.float32] | None,
    *,
    explain: bool,
) -> CompressionResult:
    reading = source.reading
    if source.unchanged is not None or reading is None:
        return _unchanged(source, source.unchanged or "not read")
    scores = probabilities.astype(np.float64)
    if log_odds is not None:
        scores = add_log_odds(probabilities, log_odds, ranking=source.goal is not None)
    scores = rank_lines(source.seen, reading.structure, scores, reading.found, reading.repeated)
    chosen = select(source, reading, scores)
    protected: Sequence[ProtectedSpan] = reading.protected
    if source.settings.drop_consecutive:
        # what drop_consecutive took on purpose is not called for
        protected = [replace(s, conditional=s.conditional or _forced(s)) for s in protected]
    kept = source.in_text(chosen.spans)
    shorter = text_of(source.text, kept)
    if chosen.allocation.tokens >= source.before:
        return _unchanged(source, "not shorter", chosen.allocation.unmet)
    if source.prose is not None and not stays_json(source.text, shorter):
        return _unchanged(source, "it would not stay JSON")
    words: tuple[ExplainedWord, ...] = ()
    if explain:
        words = explain_words(
            Choice(
                reading.structure,
                bound(reading, scores, chosen.required),
                probabilities,
                scores,
                chosen.spans,
                protected,
                chosen.put_back,
                source.settings.least_probability,
            )
        )
    return CompressionResult(
        text=shorter,
        tokens_before=source.before,
        tokens_after=chosen.allocation.tokens,
        kept=kept,
        budget_unmet=chosen.allocation.unmet,
        verified=count(source.seen, chosen.spans, protected, chosen.put_back),
        words=words,
    )


def _forced(span: ProtectedSpan) -> bool:
    return span.kind is Kind.FORCED


def _unchanged(source: Source, why: str, unmet: bool = False) -> CompressionResult:
    text = source.text
    kept = (Span(0, len(text)),) if text else ()
    return CompressionResult(
        text, source.before, source.before, kept, unchanged=why, budget_unmet=unmet
    )
