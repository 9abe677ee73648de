"""Everything after the classifier: scores and settings to a shorter text. Pure."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import Atoms, bind, without_orphans
from compressor.budget import Allocation, above, allocate, word_costs
from compressor.consecutive import without_repeats
from compressor.explain import Choice, explain_words, unchanged_words
from compressor.protect import find_protected
from compressor.protect.json_prose import JsonProse, stays_json
from compressor.rebuild import rebuild, text_of
from compressor.relevance import add_log_odds
from compressor.repetition import as_wholes, rank_lines, repeated_lines
from compressor.structure import Structure, read_structure
from compressor.types import (
    CompressionResult,
    ExplainedWord,
    Kind,
    ProtectedSpan,
    Settings,
    Span,
    TokenCounter,
)
from compressor.verify import count, missing
from compressor.words import Word

_REPAIRS = 3


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
    explain: bool = False,
) -> CompressionResult:
    """Return `text` cut down to what `settings` allow.

    `words` are those of `split_words(text)`, `probabilities` one keep probability each, shape
    (len(words),); tokens are counted with `counter`. `protected` are the spans to protect, by
    start, where they are not those of the whole text. `log_odds`, shape (len(words),), are added to
    those of the probabilities. With `prose`, words and protected spans are those of its view. The
    result is the source itself, with the reason in `unchanged`, where nothing can be saved.
    `explain` adds the result's `words` and changes nothing else.
    """
    result = _extracted(
        text,
        words,
        probabilities,
        settings,
        counter,
        protected=protected,
        log_odds=log_odds,
        prose=prose,
        explain=explain,
    )
    if explain and result.unchanged is not None:
        return replace(result, words=unchanged_words(words, probabilities))
    return result


def _extracted(
    text: str,
    words: Sequence[Word],
    probabilities: NDArray[np.float32],
    settings: Settings,
    counter: TokenCounter,
    *,
    protected: Sequence[ProtectedSpan] | None,
    log_odds: NDArray[np.float32] | None,
    prose: JsonProse | None,
    explain: bool,
) -> CompressionResult:
    if _has_lone_surrogate(text):
        return _unchanged(text, 0, "lone surrogates, which no tokenizer can count")
    starts = counter.starts(text)
    before = counter.count(text)
    if not words:
        return _unchanged(text, before, "no words")
    goal = _goal(settings, before, starts, prose)
    if goal is not None and goal >= before:
        return _unchanged(text, before, "within budget")
    seen = text if prose is None else prose.view
    clock = _Clock()
    protected = find_protected(seen, settings, prose) if protected is None else list(protected)
    clock.lap("protect")
    structure = read_structure(seen, words)
    scores = probabilities.astype(np.float64)
    if log_odds is not None:
        scores = add_log_odds(probabilities, log_odds, ranking=goal is not None)
    repeated = repeated_lines(seen, protected)
    scores = rank_lines(seen, structure, scores, protected, repeated)
    protected = as_wholes(protected, repeated)
    clock.lap("structure")
    costs = word_costs(structure, starts)
    attempt = _Attempt(text, seen, structure, scores, costs, settings.threshold, goal, counter)
    chosen = _repaired(attempt, protected)
    if settings.drop_consecutive:
        chosen = attempt.without_repeats(chosen, protected, settings)
        # what drop_consecutive took on purpose is not called for
        protected = [replace(s, conditional=s.conditional or _forced(s)) for s in protected]
    clock.lap("budget")
    shorter = text_of(text, chosen.spans)
    if chosen.allocation.tokens >= before:
        return _unchanged(text, before, "not shorter", chosen.allocation.unmet)
    if prose is not None and not stays_json(text, shorter):
        return _unchanged(text, before, "it would not stay JSON")
    verified = count(seen, chosen.spans, protected, chosen.put_back)
    clock.lap("verify")
    return CompressionResult(
        text=shorter,
        tokens_before=before,
        tokens_after=chosen.allocation.tokens,
        kept=chosen.spans,
        budget_unmet=chosen.allocation.unmet,
        verified=verified,
        words=_explained(attempt, chosen, probabilities, protected) if explain else (),
        timings_ms=clock.laps,
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The words kept and their slices; what was required in the end, and what of it put back."""

    allocation: Allocation
    spans: tuple[Span, ...]
    required: Sequence[ProtectedSpan]
    put_back: frozenset[ProtectedSpan]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One text with all that choosing its words needs except the protected spans."""

    text: str
    seen: str
    structure: Structure
    scores: NDArray[np.float64]
    costs: NDArray[np.float64]
    threshold: float | None
    goal: int | None
    counter: TokenCounter

    def choose(self, protected: Sequence[ProtectedSpan]) -> tuple[Allocation, tuple[Span, ...]]:
        atoms = self.bound(protected)
        measure = partial(self._measure_shaped, atoms)
        if self.goal is not None:
            allocation = allocate(atoms, self.costs, self.goal, measure)
        else:
            allocation = above(atoms, self.threshold or 0.0, measure)
        kept = without_orphans(self.structure, atoms, allocation.kept)
        return replace(allocation, kept=kept), rebuild(self.seen, self.structure, kept)

    def bound(self, protected: Sequence[ProtectedSpan]) -> Atoms:
        return bind(self.structure, self.scores, protected)

    def without_repeats(
        self, chosen: _Chosen, protected: Sequence[ProtectedSpan], settings: Settings
    ) -> _Chosen:
        before = chosen.allocation
        kept = without_repeats(self.seen, self.structure, before.kept, protected, settings)
        tokens = self._measure(kept)
        unmet = before.unmet and self.goal is not None and tokens > self.goal
        allocation = Allocation(kept, tokens, unmet)
        spans = rebuild(self.seen, self.structure, kept)
        return replace(chosen, allocation=allocation, spans=spans)

    def _measure_shaped(self, atoms: Atoms, kept: NDArray[np.bool_]) -> int:
        return self._measure(without_orphans(self.structure, atoms, kept))

    def _measure(self, kept: NDArray[np.bool_]) -> int:
        return self.counter.count(text_of(self.text, rebuild(self.seen, self.structure, kept)))


def _repaired(attempt: _Attempt, protected: Sequence[ProtectedSpan]) -> _Chosen:
    """Choose, verify, and choose again with what was missing required, so that the cap holds."""
    put_back: frozenset[ProtectedSpan] = frozenset()
    required = protected
    allocation, spans = attempt.choose(required)
    for _ in range(_REPAIRS):
        lost = missing(attempt.seen, spans, required)
        found = frozenset(span for span in lost if span.conditional)
        if not found or allocation.unmet:
            break
        put_back |= found
        required = [
            replace(span, conditional=False) if span in put_back else span for span in protected
        ]
        allocation, spans = attempt.choose(required)
    return _Chosen(allocation, spans, required, put_back)


def _forced(span: ProtectedSpan) -> bool:
    return span.kind is Kind.FORCED


def _explained(
    attempt: _Attempt,
    chosen: _Chosen,
    probabilities: NDArray[np.float32],
    protected: Sequence[ProtectedSpan],
) -> tuple[ExplainedWord, ...]:
    return explain_words(
        Choice(
            attempt.structure,
            attempt.bound(chosen.required),
            probabilities,
            attempt.scores,
            chosen.spans,
            protected,
            chosen.put_back,
            attempt.threshold,
        )
    )


def _goal(
    settings: Settings, before: int, starts: Sequence[int], prose: JsonProse | None
) -> int | None:
    """Return how many tokens may stay; None where a threshold decides.

    Beside `prose` a rate holds for what may be cut, keys and other values coming on top: else JSON
    that is mostly structure would lose all of its prose.
    """
    if settings.target_tokens is not None or settings.rate is None:
        return settings.target_tokens
    at = np.asarray(starts, np.int64)
    fixed = sum(
        int(np.searchsorted(at, span.end) - np.searchsorted(at, span.start))
        for span in (prose.rest if prose is not None else ())
    )
    return max(1, round(fixed + settings.rate * (before - fixed)))


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _unchanged(text: str, tokens: int, why: str, unmet: bool = False) -> CompressionResult:
    kept = (Span(0, len(text)),) if text else ()
    return CompressionResult(text, tokens, tokens, kept, unchanged=why, budget_unmet=unmet)


class _Clock:
    """Wall-clock milliseconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = (now - self._last) * 1000
        self._last = now
