"""Shortened texts to labels: for every word of the original, whether a teacher kept it.

Two grades give three degrees of importance: 1 for a word that even the heavy compression keeps,
0.5 for one that only the light one keeps, 0 for the rest. How well a shortened text fits its
original is measured as in LLMLingua-2 (section 3.3), on words without punctuation and with other
forms of a word taken for it, and by what must not be lost.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compressor.evaluation.metrics import item_recall, negation_retention
from compressor.training.align import WINDOW, Alignment, Original, align
from compressor.training.passage import HEAVY, LIGHT, SINGLE, SourcePassage
from compressor.types import Span
from compressor.words import Word, is_mark

REVISION = 2  # raise with any change to what a passage's annotation comes to


@dataclass(frozen=True, slots=True)
class GradeMetrics:
    """How a shortened text fits its original. All shares are of words without punctuation.

    `rate`: words of the shortened text / words of the original. `match`: share of the shortened
    text's words that were aligned. `variation` (VR): share of them that stand nowhere in the
    original. `hitting` (HR): those that do stand there / words of the original. `matching` (MR):
    aligned words / words of the original. `gap` (AG): hitting - matching. `negations`: share kept
    of those whose negated word is kept. `numbers`: share kept of those in clauses of which half is
    kept. These two are None where there are none. `flags`: how much the labelling found wrong with
    it that shares do not show: an empty answer, one that left nothing out or one that broke off.
    """

    rate: float
    match: float
    variation: float
    hitting: float
    matching: float
    gap: float
    negations: float | None
    numbers: float | None
    flags: int

    def as_dict(self) -> dict[str, float | None]:
        """Return the numbers by name, rounded to what they are good for."""
        return {
            name: None if value is None else round(value, 4)
            for name, value in ((name, getattr(self, name)) for name in METRICS)
        }


METRICS = tuple(GradeMetrics.__slots__)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A passage with a label for every word: 1, 0.5 or 0, and None for punctuation."""

    passage: SourcePassage
    words: tuple[Word, ...]
    labels: tuple[float | None, ...]
    metrics: Mapping[str, GradeMetrics]
    outside: float  # share of the heavy compression's words that the light one does not have

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the annotated passage's line."""
        fields: dict[str, Any] = self.passage.as_dict()
        for grade in self.passage.shortened:
            del fields[grade]
        fields["words"] = [
            [word.start, word.end, label if label is None or label % 1 else int(label)]
            for word, label in zip(self.words, self.labels, strict=True)
        ]
        fields["metrics"] = {
            **{grade: metrics.as_dict() for grade, metrics in self.metrics.items()},
            "heavy_outside_light": round(self.outside, 4),
        }
        return fields


def annotate(passage: SourcePassage, *, window: int = WINDOW) -> Annotation:
    """Label a passage's words by its shortened forms: `light` and `heavy`, or `shortened`.

    A word that the heavy compression keeps and the light one does not counts as kept by both.
    """
    original = Original.of(passage.text)
    marks = [is_mark(passage.text, word) for word in original.words]
    if SINGLE in passage.shortened:
        alignments = {SINGLE: align(original, passage.shortened[SINGLE], window=window)}
        degrees = [float(kept) for kept in alignments[SINGLE].kept]
        outside = 0.0
    else:
        light = align(original, passage.shortened[LIGHT], window=window)
        heavy = align(original, passage.shortened[HEAVY], window=window, preferred=light.kept)
        alignments = {LIGHT: light, HEAVY: heavy}
        pairs = list(zip(light.kept, heavy.kept, strict=True))
        degrees = [1.0 if in_heavy else 0.5 * in_light for in_light, in_heavy in pairs]
        outside = _outside(pairs, marks)
    return Annotation(
        passage,
        original.words,
        tuple(None if mark else degree for mark, degree in zip(marks, degrees, strict=True)),
        {
            grade: _metrics(original, found, _flags(passage, grade))
            for grade, found in alignments.items()
        },
        outside,
    )


def content_key(passage: SourcePassage, window: int) -> str:
    """Return a hash of all that a passage's annotated line depends on."""
    parts = json.dumps([REVISION, window, passage.as_dict()], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def _outside(pairs: Sequence[tuple[bool, bool]], marks: Sequence[bool]) -> float:
    heavy = [
        in_light
        for (in_light, in_heavy), mark in zip(pairs, marks, strict=True)
        if in_heavy and not mark
    ]
    return heavy.count(False) / len(heavy) if heavy else 0.0


def _flags(passage: SourcePassage, grade: str) -> int:
    return sum(flag.startswith(f"{grade}:") for flag in passage.flags)


def _metrics(original: Original, alignment: Alignment, flags: int) -> GradeMetrics:
    words = sum(not part.mark for part in original.parts)
    kept = kept_spans(original, alignment.kept)
    numbers = item_recall(original.text, kept).get("number")
    return GradeMetrics(
        rate=_share(alignment.parts, words),
        match=alignment.share,
        variation=_share(alignment.parts - alignment.found, alignment.parts),
        hitting=_share(alignment.found, words),
        matching=_share(alignment.matched, words),
        gap=_share(alignment.found - alignment.matched, words),
        negations=negation_retention(original.text, kept).share,
        numbers=None if numbers is None else numbers.share,
        flags=flags,
    )


def kept_spans(original: Original, kept: Sequence[bool]) -> list[Span]:
    """Return the slices of the original that hold the kept words, neighbours in one."""
    spans: list[Span] = []
    previous = -2
    for index, word in enumerate(original.words):
        if not kept[index]:
            continue
        if previous == index - 1 and spans:
            spans[-1] = Span(spans[-1].start, word.end)
        else:
            spans.append(Span(word.start, word.end))
        previous = index
    return spans


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def degrees(annotations: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Count the words of annotated lines by label; punctuation under `masked`."""
    counts: Counter[str] = Counter()
    for line in annotations:
        counts.update("masked" if label is None else f"{label:g}" for _, _, label in line["words"])
    return counts
