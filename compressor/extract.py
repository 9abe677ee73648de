"""Everything after the classifier: scores and settings to a shorter text. Pure."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import Atoms, bind, without_orphans
from compressor.budget import Allocation, above, allocate, word_costs
from compressor.consecutive import without_repeats
from compressor.protect import find_protected
from compressor.protect.json_prose import JsonProse, stays_json
from compressor.rebuild import rebuild, text_of
from compressor.relevance import add_log_odds
from compressor.repetition import as_wholes, rank_lines, repeated_lines
from compressor.structure import Structure, read_structure
from compressor.types import (
    CompressionResult,
    Kind,
    ProtectedSpan,
    Settings,
    Span,
    TokenCounter,
)
from compressor.verify import missing
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
) -> CompressionResult:
    """Return `text` cut down to what `settings` allow.

    `words` are those of `split_words(text)`, `probabilities` one keep probability each, shape
    (len(words),); tokens are counted with `counter`. `protected` are the spans to protect, by
    start, where they are not those of the whole text. `log_odds`, shape (len(words),), are added to
    those of the probabilities. With `prose`, words and protected spans are those of its view. The
    result is the source itself, with the reason in `unchanged`, where nothing can be saved.
    """
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
        scores = add_log_odds(probabilities, log_odds)
    repeated = repeated_lines(seen, protected)
    scores = rank_lines(seen, structure, scores, protected, repeated)
    protected = as_wholes(protected, repeated)
    clock.lap("structure")
    costs = word_costs(structure, starts)
    attempt = _Attempt(text, seen, structure, scores, costs, settings.threshold, goal, counter)
    allocation, spans, restored = _repaired(attempt, protected)
    if settings.drop_consecutive:
        allocation, spans = attempt.without_repeats(allocation, protected, settings)
    clock.lap("budget")
    if allocation.tokens >= before:
        return _unchanged(text, before, "not shorter", allocation.unmet)
    shorter = text_of(text, spans)
    if prose is not None and not stays_json(text, shorter):
        return _unchanged(text, before, "it would not stay JSON")
    return CompressionResult(
        text=shorter,
        tokens_before=before,
        tokens_after=allocation.tokens,
        kept=spans,
        budget_unmet=allocation.unmet,
        restored=restored,
        timings_ms=clock.laps,
    )


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
        atoms = bind(self.structure, self.scores, protected)
        measure = partial(self._measure_shaped, atoms)
        if self.goal is not None:
            allocation = allocate(atoms, self.costs, self.goal, measure)
        else:
            allocation = above(atoms, self.threshold or 0.0, measure)
        kept = without_orphans(self.structure, atoms, allocation.kept)
        return replace(allocation, kept=kept), rebuild(self.seen, self.structure, kept)

    def without_repeats(
        self, allocation: Allocation, protected: Sequence[ProtectedSpan], settings: Settings
    ) -> tuple[Allocation, tuple[Span, ...]]:
        kept = without_repeats(self.seen, self.structure, allocation.kept, protected, settings)
        tokens = self._measure(kept)
        unmet = allocation.unmet and self.goal is not None and tokens > self.goal
        return Allocation(kept, tokens, unmet), rebuild(self.seen, self.structure, kept)

    def _measure_shaped(self, atoms: Atoms, kept: NDArray[np.bool_]) -> int:
        return self._measure(without_orphans(self.structure, atoms, kept))

    def _measure(self, kept: NDArray[np.bool_]) -> int:
        return self.counter.count(text_of(self.text, rebuild(self.seen, self.structure, kept)))


def _repaired(
    attempt: _Attempt, protected: Sequence[ProtectedSpan]
) -> tuple[Allocation, tuple[Span, ...], dict[Kind, int]]:
    """Choose, verify, and choose again with what was missing required, so that the cap holds."""
    restored: Counter[Kind] = Counter()
    allocation, spans = attempt.choose(protected)
    for _ in range(_REPAIRS):
        lost = missing(attempt.seen, spans, protected)
        if not lost or allocation.unmet:
            break
        restored.update(span.kind for span in lost)
        gone = set(lost)
        protected = [replace(s, conditional=False) if s in gone else s for s in protected]
        allocation, spans = attempt.choose(protected)
    return allocation, spans, dict(restored)


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
