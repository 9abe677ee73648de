"""Questions about passages as training data: what somebody asks for is what a reader needs.

A line of a questions file is `{"id", "question", "answer"}`: the passage's id, and an answer that
stands in it. Two uses: the words of answers are labelled as kept, without the question; or question
and passage go in together, and the labels depend on the question (query-conditioned, as in
Provence, arXiv 2501.16214).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compressor.evaluation.datasets import read_json_lines, text_field, texts_field
from compressor.lexical import bm25
from compressor.passages import Passages
from compressor.terms import FUNCTION_WORDS, terms
from compressor.training.examples import is_held_out
from compressor.training.self_training import (
    answer_spans,
    gold_passage,
    holds_passages,
    touches,
)
from compressor.words import Word

_HARDEST = 4  # passages of which one is drawn; always the hardest would be the same few

Line = Mapping[str, Any]
"""An annotated passage's line, as `examples.read_annotated` reads it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a passage, and the answers that count."""

    passage: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grades:
    """Labels of words when a question is asked.

    A word of the passage that answers keeps `share` of its own label and gets at least `sentence`
    where its sentence answers; a word of another passage keeps `other` of its own.
    """

    sentence: float = 0.6
    share: float = 0.4
    other: float = 0.05


def read_questions(path: Path) -> list[Asked]:
    """Return the questions of a file, or of a set with `passages`, `gold` and `answers` a line.

    Passages of a set have the ids that `self_training.answered_passages` gives them. Raises
    DatasetError.
    """
    if holds_passages(path):
        return list(_set_questions(path))
    return [
        Asked(
            text_field(row, "id", where),
            text_field(row, "question", where),
            (text_field(row, "answer", where),),
        )
        for where, row in read_json_lines(path)
    ]


def _set_questions(path: Path) -> Iterator[Asked]:
    names: dict[str, str] = {}
    for where, row in read_json_lines(path):
        _, gold = gold_passage(row, where)
        name = names.setdefault(gold, text_field(row, "id", where))
        yield Asked(name, text_field(row, "question", where), texts_field(row, "answers", where))


def with_answers(
    line: Line, answers: Sequence[str], weight: float | None = None, share: float = 1.0
) -> dict[str, Any]:
    """Return a passage's line with the words of answers labelled 1; `weight` becomes the line's.

    The other words keep `share` of their labels.
    """
    spans = answer_spans(line["text"], answers)

    def graded(start: int, end: int, label: float | None) -> float | None:
        if label is None:
            return None
        return 1.0 if touches(spans, start, end) else round(share * label, 4)

    words = [(start, end, graded(start, end, label)) for start, end, label in line["words"]]
    changed = {**line, "words": words}
    return changed if weight is None else {**changed, "weight": weight}


def conditioned(line: Line, asked: Asked, grades: Grades) -> dict[str, Any]:
    """Return the line of a passage that answers, with the question and what it makes of labels."""
    text = line["text"]
    spans = answer_spans(text, asked.answers)
    answers = [touches(spans, start, end) for start, end, _ in line["words"]]
    cut = [Word(start, end) for start, end, _ in line["words"]]
    sentence = Passages(text, cut, frozenset()).sentence_of_word
    answering = {sentence[i] for i, is_answer in enumerate(answers) if is_answer}
    words: list[tuple[int, int, float | None]] = []
    for i, (start, end, label) in enumerate(line["words"]):
        if label is None:
            words.append((start, end, None))
        elif answers[i]:
            words.append((start, end, 1.0))
        else:
            least = grades.sentence if sentence[i] in answering else 0.0
            words.append((start, end, round(max(least, grades.share * label), 4)))
    return _asked_line(line, asked, words)


def distracting(line: Line, asked: Asked, grades: Grades) -> dict[str, Any]:
    """Return the line of a passage that does not answer: little of it is worth keeping."""
    words = [
        (start, end, None if label is None else round(grades.other * label, 4))
        for start, end, label in line["words"]
    ]
    return _asked_line(line, asked, words)


def blind_lines(
    lines: Iterable[Line],
    asked: Iterable[Asked],
    weight: float | None = None,
    share: float = 1.0,
    *,
    every: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield the lines with the words of all answers about each passage labelled as kept.

    A passage that nobody asks about stays as it is; of a held-out document, so does every one: what
    validates must not know the questions. `every`: nothing of these lines validates.
    """
    answers: dict[str, list[str]] = {}
    for question in asked:
        answers.setdefault(question.passage, []).extend(question.answers)
    for line in lines:
        if line["id"] in answers and (every or not _is_held_out(line)):
            yield with_answers(line, answers[line["id"]], weight, share)
        else:
            yield dict(line)


def conditioned_lines(
    lines: Sequence[Line], asked: Iterable[Asked], grades: Grades, *, per_passage: int, seed: int
) -> list[dict[str, Any]]:
    """Return, for questions about the passages, the passage that answers and one that does not.

    At most `per_passage` questions of each, drawn by `seed`; none about held-out documents. The
    passage that does not answer is one of the four that look most as if they did.
    """
    at = {line["id"]: index for index, line in enumerate(lines)}
    chance = np.random.default_rng(seed)
    questions = [q for q in asked if q.passage in at and not _is_held_out(lines[at[q.passage]])]
    questions = [questions[i] for i in chance.permutation(len(questions)).tolist()]
    counts: Counter[str] = Counter()
    chosen = []
    for question in questions:
        counts[question.passage] += 1
        if counts[question.passage] <= per_passage:
            chosen.append(question)
    own = [at[question.passage] for question in chosen]
    negatives = hard_negatives([line["text"] for line in lines], chosen, own, _HARDEST)
    found = []
    for question, index, similar in zip(chosen, own, negatives, strict=True):
        found.append(conditioned(lines[index], question, grades))
        others = [lines[other] for other in similar if not _is_held_out(lines[other])]
        if others:
            other = others[int(chance.integers(len(others)))]
            found.append(distracting(other, question, grades))
    return found


def hard_negatives(
    texts: Sequence[str], asked: Sequence[Asked], own: Sequence[int], count: int
) -> list[list[int]]:
    """Return for every question the passages that look most as if they answered it, and do not.

    By BM25 over all `texts`; `own` is the index of each question's passage. A passage that holds
    one of the answers is none.
    """
    documents = [Counter(terms(text)) for text in texts]
    found = []
    for question, gold in zip(asked, own, strict=True):
        query = {term: 1.0 for term in terms(question.question) if term not in FUNCTION_WORDS}
        scores = bm25(documents, query)
        ranked = [i for i in np.argsort(-scores, kind="stable").tolist() if scores[i] > 0]
        others: list[int] = []
        for index in ranked:
            if len(others) == count:
                break
            if index != gold and not answer_spans(texts[index], question.answers):
                others.append(index)
        found.append(others)
    return found


def _is_held_out(line: Line) -> bool:
    return is_held_out(str(line.get("doc", line["id"])))


def _asked_line(line: Line, asked: Asked, words: Sequence[object]) -> dict[str, Any]:
    return {**line, "question": asked.question, "words": list(words)}
