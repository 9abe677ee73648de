"""Chooses the words that stay, reads what that leaves, and chooses again where it must."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import STRUCTURAL, Atoms, bind, word_range
from compressor.budget import Allocation, above, allocate
from compressor.consecutive import without_repeats
from compressor.orphans import without_orphans
from compressor.rebuild import Rebuilder
from compressor.source import Reading, Source
from compressor.types import ProtectedSpan, Span
from compressor.verify import missing

_REPAIRS = 6
_EXCLUDED = -1.0  # the score of words that may not stay


@dataclass(frozen=True, slots=True)
class Selection:
    """The words kept and their slices; what was required in the end, and what of it put back."""

    allocation: Allocation
    spans: tuple[Span, ...]
    required: Sequence[ProtectedSpan]
    put_back: frozenset[ProtectedSpan]


def select(source: Source, reading: Reading, scores: NDArray[np.float64]) -> Selection:
    """Choose by `scores`, one a word; what verify then misses is required, so that the cap holds.

    Where that would be over the cap, the words that call for it go instead. What is called for all
    the same is called for by protected words: it stays with them, and the budget is not met.
    """
    protected = reading.protected
    put_back: frozenset[ProtectedSpan] = frozenset()
    spared: frozenset[ProtectedSpan] = frozenset()  # whose callers have gone
    required = protected
    texts = Rebuilder(source.seen, reading.structure)
    allocation, spans = _chosen(source, reading, texts, scores, required)
    for _ in range(_REPAIRS):
        lost = missing(source.seen, spans, required)
        found = frozenset(span for span in lost if span.conditional)
        if not found:
            break
        put_back |= found
        required = [
            replace(span, conditional=False) if span in put_back else span for span in protected
        ]
        tried = _chosen(source, reading, texts, scores, required)
        if tried[0].unmet and not allocation.unmet and not found <= spared:
            spared |= put_back
            scores = _without_callers(reading, scores, put_back)
            put_back, required = frozenset(), protected
            tried = _chosen(source, reading, texts, scores, required)
        allocation, spans = tried
    return Selection(allocation, spans, required, put_back)


def bound(
    reading: Reading, scores: NDArray[np.float64], protected: Sequence[ProtectedSpan]
) -> Atoms:
    """Return the text's atoms when these spans are protected."""
    return bind(reading.structure, scores, protected)


def _chosen(
    source: Source,
    reading: Reading,
    texts: Rebuilder,
    scores: NDArray[np.float64],
    protected: Sequence[ProtectedSpan],
) -> tuple[Allocation, tuple[Span, ...]]:
    structure, settings = reading.structure, source.settings
    atoms = bound(reading, scores, protected)

    def shaped(kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        kept = without_orphans(structure, atoms, kept)
        if settings.drop_consecutive:
            kept = without_repeats(source.seen, structure, kept, reading.protected, settings)
        return kept

    def measure(kept: NDArray[np.bool_]) -> int:
        return source.count(texts.spans(shaped(kept)))

    if source.goal is None:
        allocation = above(atoms, settings.least_probability or 0.0, measure)
    else:
        apart = max(0.0, source.before - float(reading.costs.sum())) if source.apart else 0.0
        last = _lines_that_go_first(reading, atoms)
        now = replace(atoms, score=np.where(last, _EXCLUDED, atoms.score))
        allocation = allocate(now, reading.costs, source.goal, measure, apart=apart)
        if last.any() and not allocation.unmet and allocation.tokens < source.goal:
            # Only in room that is left, and in nothing else's place.
            now = replace(atoms, score=_settled(atoms, allocation))
            allocation = allocate(now, reading.costs, source.goal, measure, apart=apart)
    kept = shaped(allocation.kept)
    return replace(allocation, kept=kept), texts.spans(kept)


def _lines_that_go_first(reading: Reading, atoms: Atoms) -> NDArray[np.bool_]:
    """Return which atoms are repeated lines, bool of shape (atoms,)."""
    repeated = np.zeros(len(reading.costs), np.bool_)
    for line in reading.repeated:
        first, stop = word_range(reading.structure, line.start, line.end)
        repeated[first:stop] = True
    return repeated[atoms.first] & (atoms.score < STRUCTURAL)


def _settled(atoms: Atoms, allocation: Allocation) -> NDArray[np.float64]:
    """Return the atoms' scores with those kept before all that are not."""
    kept = allocation.kept[atoms.first]
    return np.where(kept, np.maximum(atoms.score, STRUCTURAL), atoms.score)


def _without_callers(
    reading: Reading, scores: NDArray[np.float64], spans: frozenset[ProtectedSpan]
) -> NDArray[np.float64]:
    """Return the scores without the sentences of these spans and those beside them."""
    left = scores.copy()
    sentence = reading.structure.sentence
    for span in spans:
        first, stop = word_range(reading.structure, span.start, span.end)
        if first < stop:
            near = (sentence >= sentence[first] - 1) & (sentence <= sentence[stop - 1] + 1)
            left[near] = _EXCLUDED
    return left
