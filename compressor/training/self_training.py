"""Labels from a classifier instead of a teacher: more text, other languages, words that answer.

A trained classifier gives unlabelled passages its own keep probabilities as soft labels
(self-training; Xie et al., arXiv 1911.04252). Where the answers to questions about a passage are
known, their words are labelled as kept, whatever the classifier says: what somebody has asked for
is what a reader needs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import Classifier
from compressor.evaluation.datasets import DatasetError, read_json_lines, text_field, texts_field
from compressor.scoring import word_probabilities
from compressor.words import Word, is_mark, split_words


@dataclass(frozen=True, slots=True)
class AnsweredPassage:
    """A passage, and answers to questions about it that stand in it."""

    id: str
    text: str
    answers: tuple[str, ...]


def answered_passages(path: Path, others: Set[str] = frozenset()) -> Iterator[AnsweredPassage]:
    """Yield the answer-bearing passages of a set with `passages`, `gold` and `answers` a line.

    A passage that several questions are about comes once, with all their answers, and the id of the
    first of them. `others` are ids of passages that only distract, to be yielded too: `LINE#INDEX`,
    the line's id where a passage first comes and its place there. Raises DatasetError.
    """
    answers: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for where, row in read_json_lines(path):
        passages, gold = gold_passage(row, where)
        line = text_field(row, "id", where)
        names.setdefault(gold, line)
        answers.setdefault(gold, []).extend(texts_field(row, "answers", where))
        for index, text in enumerate(passages):
            places.setdefault(text, f"{line}#{index}")
    for text, found in answers.items():
        yield AnsweredPassage(names[text], text, tuple(dict.fromkeys(found)))
    for text, place in places.items():
        if place in others and text not in answers:
            yield AnsweredPassage(place, text, ())


def gold_passage(row: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], str]:
    """Return a line's passages, and the one that answers. Raises DatasetError."""
    passages = texts_field(row, "passages", where)
    gold = row.get("gold")
    if isinstance(gold, bool) or not isinstance(gold, int) or not 0 <= gold < len(passages):
        raise DatasetError(f"{where}: `gold` is no index into the {len(passages)} `passages`")
    return passages, passages[gold]


def holds_passages(path: Path) -> bool:
    """Whether a file is a set with passages in every line. Raises DatasetError."""
    return "passages" in next((row for _, row in read_json_lines(path)), {})


def answer_spans(text: str, answers: Iterable[str]) -> list[tuple[int, int]]:
    """Return where the answers stand in the text, as whole words where they begin or end so."""
    spans = []
    for answer in answers:
        words = r"\s+".join(re.escape(word) for word in answer.split())
        if not words:
            continue
        before = r"(?<!\w)" if answer.strip()[0].isascii() and answer.strip()[0].isalnum() else ""
        after = r"(?!\w)" if answer.strip()[-1].isascii() and answer.strip()[-1].isalnum() else ""
        spans += [m.span() for m in re.finditer(before + words + after, text, re.IGNORECASE)]
    return sorted(spans)


def touches(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether the characters from `start` to `end` overlap one of the spans."""
    return any(first < end and start < last for first, last in spans)


def text_probabilities(
    classifier: Classifier, text: str
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return a text's token offsets, (tokens, 2), and keep probabilities, (tokens,)."""
    encoded = classifier.encode(text)
    windows = classifier.windows(encoded)
    parts = [classifier.keep_probabilities(encoded, window) for window in windows]
    found = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return encoded.offsets, found


def self_labels(
    text: str, classifier: Classifier, answers: Sequence[str] = ()
) -> list[tuple[int, int, float | None]]:
    """Return every word with its label: the classifier's probability, 1 in answers, None for marks.

    Offsets are characters of `text`.
    """
    words = split_words(text)
    probabilities = word_probabilities(words, *text_probabilities(classifier, text))
    asked = answer_spans(text, answers)
    return [
        (word.start, word.end, _label(text, word, float(p), asked))
        for word, p in zip(words, probabilities, strict=True)
    ]


def self_labelled(
    row: Mapping[str, Any], classifier: Classifier, weight: float, answers: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the annotated line of a passage's fields (`id`, `source`, `doc`, … and `text`)."""
    text = str(row["text"])
    fields = {name: str(row.get(name, "")) for name in ("id", "source", "doc", "lang", "licence")}
    return {
        **fields,
        "text": text,
        "words": self_labels(text, classifier, answers),
        "weight": weight,
    }


def _label(
    text: str, word: Word, probability: float, asked: Sequence[tuple[int, int]]
) -> float | None:
    if is_mark(text, word):
        return None
    if touches(asked, word.start, word.end):
        return 1.0
    return round(probability, 4)
