"""Says of every word of a text whether it was kept, and why, once the choice has been made.

The reasons, in the words of `ExplainedWord.why`:

- `protected:KIND`: it is part of something of this kind, which stays byte for byte;
- `restored:KIND`: verify found it missing beside what was kept, and put it back;
- `classifier`: its keep probability is on this side of one half (of `threshold`, where one is set);
- `budget`: its keep probability says otherwise, but there was room for it, or none;
- `question`: it bears on the question, and would not have stayed for its keep probability alone;
- `label`: a bullet, number, heading mark or speaker's name, which goes with what it labels;
- `mark`: punctuation, which goes with the words beside it;
- `repeated`: it had to stay and was dropped all the same, as a repetition of the word before it;
- `unchanged`: the text was left as it is.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import REQUIRED, Atoms, word_range
from compressor.offsets import Offsets
from compressor.structure import Structure
from compressor.types import ExplainedWord, ProtectedSpan, Span
from compressor.words import Word

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """What was known of a text's n words when they were chosen, and the slices then kept.

    `probabilities`, shape (n,), are the classifier's, `scores` the same after a question was taken
    into account; `atoms` are those of the last choice, when `put_back` of the `protected` spans
    had become required.
    """

    structure: Structure
    atoms: Atoms
    probabilities: NDArray[np.float32]
    scores: NDArray[np.float64]
    spans: Sequence[Span]
    protected: Sequence[ProtectedSpan]
    put_back: Set[ProtectedSpan]
    threshold: float | None

    def kept(self) -> list[bool]:
        """Return which words are in the result: those chosen, and marks that part two of them."""
        starts = [span.start for span in self.spans]
        before = np.searchsorted(starts, self.structure.starts, side="right")
        ends = np.array([-1, *(span.end for span in self.spans)], np.int64)
        return [bool(word) for word in self.structure.starts < ends[before]]

    def ranked_by(self) -> list[float]:
        """Return the words' final scores."""
        final = np.repeat(self.atoms.score, self.atoms.stop - self.atoms.first)
        return [float(score) for score in final]


def explain_words(choice: Choice) -> tuple[ExplainedWord, ...]:
    """Return every word of the text in order, with the reason for what became of it."""
    spans = _span_of_words(choice.structure, choice.protected)
    return tuple(
        ExplainedWord(
            int(choice.structure.starts[index]),
            int(choice.structure.ends[index]),
            float(choice.probabilities[index]),
            score,
            kept,
            _reason(choice, index, spans.get(index), score, kept=kept),
        )
        for index, (score, kept) in enumerate(zip(choice.ranked_by(), choice.kept(), strict=True))
    )


def unchanged_words(
    words: Sequence[Word], probabilities: NDArray[np.float32] | None = None
) -> tuple[ExplainedWord, ...]:
    """Return the words of a text that was left as it is."""
    known: list[float | None] = [None] * len(words)
    if probabilities is not None:
        known = list(map(float, probabilities))
    return tuple(
        ExplainedWord(word.start, word.end, probability, None, True, "unchanged")
        for word, probability in zip(words, known, strict=True)
    )


def words_in_text(words: Sequence[ExplainedWord], offsets: Offsets) -> tuple[ExplainedWord, ...]:
    """Return the words of a view with their offsets in its text."""
    spans = offsets.spans_in_text([Span(word.start, word.end) for word in words])
    return tuple(
        replace(word, start=span.start, end=span.end)
        for word, span in zip(words, spans, strict=True)
    )


def _span_of_words(
    structure: Structure, protected: Sequence[ProtectedSpan]
) -> dict[int, ProtectedSpan]:
    """Return the protected span of each word that has one; of several, the one that asks most.

    An unconditional one before a conditional one, and the shorter before the longer: a URL in an
    instruction is a URL.
    """
    chosen: dict[int, ProtectedSpan] = {}
    for span in sorted(protected, key=lambda s: (not s.conditional, s.start - s.end)):
        for index in range(*word_range(structure, span.start, span.end)):
            chosen[index] = span
    return chosen


def _reason(
    choice: Choice, index: int, span: ProtectedSpan | None, score: float, *, kept: bool
) -> str:
    if kept and span is not None:
        return f"{'restored' if span in choice.put_back else 'protected'}:{span.kind}"
    if not kept and score >= REQUIRED:
        return "repeated"
    if choice.structure.label[index]:
        return "label"
    if choice.structure.mark[index]:
        return "mark"
    limit = _HALF if choice.threshold is None else choice.threshold
    if bool(choice.probabilities[index] > limit) == kept:
        return "classifier"
    return "question" if kept and choice.scores[index] > limit else "budget"
