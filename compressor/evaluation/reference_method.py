"""The LLMLingua-2 algorithm as published, on the classifier at hand, as a method to compare with.

`compressor/reference.py` is the algorithm; here its words are traced back to the source, so that it
is measured like the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from compressor.classifier.base import Classifier
from compressor.evaluation.methods import Shortened, source_revision
from compressor.reference import (
    ReferenceOptions,
    ReferenceResult,
    decide,
    read_chunks,
)
from compressor.types import Span, TokenCounter


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference at its own rate, or `matched` to the share of tokens that the others keep.

    Its rate is no cap and is counted in cl100k_base; matched, its rate is the highest whole per
    cent at which the result has at most that share of the target model's tokens (the lowest where
    none has). It has no protections, and neither force_tokens nor drop_consecutive is set.
    """

    classifier: Classifier
    counter: TokenCounter
    cl100k: TokenCounter
    matched: bool = False
    question_aware: bool = False

    @property
    def name(self) -> str:
        """`reference`, or `reference-matched`."""
        return "reference-matched" if self.matched else "reference"

    @property
    def revision(self) -> str:
        """The classifier's and the source's."""
        return f"{self.classifier.revision}/{source_revision()}"

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        """Keep the words above each chunk's percentile."""
        if rate >= 1 or not text.strip():
            return Shortened(text, (Span(0, len(text)),) if text else ())
        options = ReferenceOptions(rate=rate)
        chunks = read_chunks(text, self.classifier, options)
        if self.matched:
            goal = rate * self.counter.count(text)
            low, high = 0, 100  # in per cent: fits (or nothing does), does not fit
            while high - low > 1:
                middle = (low + high) // 2
                tried = decide(chunks, self.cl100k, ReferenceOptions(rate=middle / 100))
                if self.counter.count(tried.text) <= goal:
                    low = middle
                else:
                    high = middle
            options = ReferenceOptions(rate=max(low, 1) / 100)
        result = decide(chunks, self.cl100k, options)
        encoded = self.classifier.encode(text)
        pieces = self.classifier.pieces(encoded)
        return Shortened(result.text, kept_spans(result, pieces, encoded.offsets.tolist()))


def kept_spans(
    result: ReferenceResult, pieces: Sequence[str], offsets: Sequence[Sequence[int]]
) -> tuple[Span, ...]:
    """Return where in the source the kept words stand; neighbours with only a space between join.

    `pieces` and `offsets` are the classifier's for the whole text. A word is one piece and the
    pieces glued to it, without their marks of continuation; pieces that the reference lets vanish
    (unknown characters) belong to no word.
    """
    continued = "▁" if any(piece.startswith("▁") for piece in pieces) else "#"
    spans: list[Span] = []
    at, last_kept = 0, -1
    words = [word for chunk in result.chunks for word in chunk]
    for number, word in enumerate(words):
        while at < len(pieces) and pieces[at] != word.text[: len(pieces[at])]:
            at += 1
        if at == len(pieces):
            break
        first, text = at, pieces[at]
        at += 1
        while text != word.text and at < len(pieces):
            text += pieces[at].lstrip(continued)
            at += 1
        if not word.kept:
            continue
        start, end = offsets[first][0], offsets[at - 1][1]
        if spans and last_kept == number - 1:
            spans[-1] = Span(spans[-1].start, end)
        elif end > start:
            spans.append(Span(start, end))
        last_kept = number
    return tuple(spans)
