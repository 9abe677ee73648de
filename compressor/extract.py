"""Everything after the classifier, as one pure function: scored words in, compressed text out."""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import REQUIRED, Atoms, bind
from compressor.budget import (
    BoolArray,
    Choice,
    above_threshold,
    budget_tokens,
    within_budget,
    word_costs,
)
from compressor.protect import find_protected
from compressor.rebuild import rebuild, text_of
from compressor.structure import Structure, read_structure
from compressor.types import (
    CompressionResult,
    Kind,
    ProtectedSpan,
    Settings,
    Span,
    TokenCounter,
)
from compressor.verify import Loss, find_losses
from compressor.words import Word

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPAIRS = 3


@dataclass(slots=True)
class _Clock:
    """Milliseconds by stage."""

    timings: dict[str, float]
    at: float

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = self.timings.get(stage, 0.0) + (now - self.at) * 1000
        self.at = now


def extract(
    text: str,
    words: Sequence[Word],
    probabilities: NDArray[np.floating],
    settings: Settings,
    counter: TokenCounter,
) -> CompressionResult:
    """Return the text without the words that matter least.

    `probabilities` is one keep probability a word, shape (words,). The result is never longer in
    the target model's tokens than the source: where nothing is saved, it is the source.
    """
    if not text.isascii() and _SURROGATE.search(text):
        return unchanged(text, counter, "it has characters that are no valid Unicode")
    if not words:
        return unchanged(text, counter, "it has no words")
    if settings.rate == 1:
        return unchanged(text, counter, "the rate is 1")
    clock = _Clock({}, time.perf_counter())
    structure = read_structure(text, words)
    clock.lap("structure")
    protected = find_protected(text, settings)
    clock.lap("protect")
    atoms = bind(structure, np.asarray(probabilities, np.float64), protected)
    clock.lap("bind")
    tokens_before = counter.count(text)
    choose = _chooser(text, structure, settings, counter, tokens_before)
    choice = choose(atoms)
    clock.lap("budget")
    choice, restored = _repair(structure, atoms, protected, choice, choose)
    clock.lap("verify")
    kept = rebuild(text, structure, choice.kept)
    result = text_of(text, kept)
    tokens_after = counter.count(result)
    clock.lap("rebuild")
    if tokens_after >= tokens_before:
        # Where all of it is protected that is so, whatever the budget; the caller hears both.
        whole = unchanged(text, counter, "compressing it saves no tokens")
        return replace(whole, budget_unmet=choice.budget_unmet, timings_ms=clock.timings)
    return CompressionResult(
        result,
        tokens_before,
        tokens_after,
        kept,
        budget_unmet=choice.budget_unmet,
        restored=restored,
        timings_ms=clock.timings,
    )


def unchanged(text: str, counter: TokenCounter, reason: str) -> CompressionResult:
    """Return the source as the result, with the reason."""
    tokens = counter.count(text)
    kept = (Span(0, len(text)),) if text else ()
    return CompressionResult(text, tokens, tokens, kept, unchanged=reason)


def _chooser(
    text: str, structure: Structure, settings: Settings, counter: TokenCounter, tokens_before: int
) -> Callable[[Atoms], Choice]:
    """Return what picks the words that stay, by threshold or by budget."""
    words = len(structure.starts)
    threshold = settings.threshold
    if threshold is not None:
        return lambda atoms: above_threshold(atoms, threshold, words)
    costs = word_costs(text, structure, counter)
    budget = budget_tokens(settings, tokens_before) or 1

    def count(kept: BoolArray) -> int:
        return counter.count(text_of(text, rebuild(text, structure, kept)))

    return lambda atoms: within_budget(atoms, costs, budget, count)


def _repair(
    structure: Structure,
    atoms: Atoms,
    protected: Sequence[ProtectedSpan],
    choice: Choice,
    choose: Callable[[Atoms], Choice],
) -> tuple[Choice, dict[Kind, int]]:
    """Put back what the choice loses, and choose the rest again within what is left."""
    restored: Counter[Kind] = Counter()
    for _ in range(_REPAIRS):
        losses = find_losses(structure, choice.kept, protected)
        if not losses:
            break
        restored.update(loss.kind for loss in losses)
        atoms = _require(atoms, losses)
        choice = choose(atoms)
    return choice, dict(restored)


def _require(atoms: Atoms, losses: Sequence[Loss]) -> Atoms:
    score = atoms.score.copy()
    for loss in losses:
        low = int(np.searchsorted(atoms.stop, loss.first, side="right"))
        high = int(np.searchsorted(atoms.first, loss.stop, side="left"))
        score[low:high] = REQUIRED
    return replace(atoms, score=score)
