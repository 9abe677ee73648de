"""Runs methods over sets at rates, and keeps every result so that a run can be taken up again."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from compressor.evaluation.datasets import DatasetError, Document, QASet, Question
from compressor.evaluation.methods import Method
from compressor.evaluation.metrics import (
    Kept,
    item_recall,
    negation_retention,
    standing,
    survival,
)
from compressor.evaluation.result_lines import open_to_append
from compressor.types import TokenCounter

RATES = (0.8, 0.66, 0.5, 0.33, 0.2)
_FORMAT = 1  # raise with any change to a row's meaning


@dataclass(frozen=True, slots=True)
class Trial:
    """One text to shorten: a document by one method at one rate, for one question or for none."""

    set: str
    document: Document
    method: Method
    rate: float
    question: Question | None

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions that the shorter text is held to."""
        return self.document.questions if self.question is None else (self.question,)

    def key(self, encoding: str) -> str:
        """Return a hash of all that the result depends on."""
        parts = (
            _FORMAT,
            encoding,
            self.method.name,
            self.method.revision,
            self.rate,
            self.document.text,
            self.question.text if self.question else None,
            [(question.id, question.answers) for question in self.questions],
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one trial. `seconds` is the whole call's; with cached classifier outputs that
    is everything but the classifier."""

    key: str
    set: str
    doc: str
    method: str
    rate: float
    question: str | None
    tokens_before: int
    tokens_after: int
    seconds: float
    survived: dict[str, bool | None]
    items: dict[str, Kept]
    negations: Kept

    @classmethod
    def parse(cls, line: str) -> "Row":
        """Read a stored row. Raises ValueError, TypeError or KeyError for anything else."""
        fields: dict[str, Any] = json.loads(line)
        fields["items"] = {kind: Kept(**count) for kind, count in fields["items"].items()}
        fields["negations"] = Kept(**fields["negations"])
        return cls(**fields)


def trials(sets: Sequence[QASet], methods: Sequence[Method], rates: Sequence[float]) -> list[Trial]:
    """Return every combination: a question-blind method shortens a document once for all."""
    return [
        Trial(qa_set.name, document, method, rate, question)
        for qa_set in sets
        for document in qa_set.documents
        if document.questions
        for method in methods
        for question in (document.questions if method.question_aware else (None,))
        for rate in rates
    ]


def require_answers(qa_set: QASet) -> None:
    """Raise DatasetError for a set none of whose questions has its answer in its document."""
    for document in qa_set.documents:
        if any(standing(document.text, [question.answers for question in document.questions])):
            return
    raise DatasetError(
        f"{qa_set.name}: no question has its answer in its document, so that none can survive; "
        "leave the set out by naming the others with --set"
    )


def run(
    planned: Sequence[Trial],
    store: Path,
    counter: TokenCounter,
    encoding: str,
    advance: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Return a row for every trial: those that `store` has, and the others computed and added.

    `store` is a JSONL file, written line by line, so that an interrupted run loses one trial. Of
    several rows of one document, the last is this run's: one that an older run left before another
    run's is written again. `advance` is called after every trial.
    """
    known, last = dict[str, Row](), dict[_Place, str]()
    for row in read_rows(store):
        known[row.key], last[_place(row)] = row, row.key
    rows: list[Row] = []
    with open_to_append(store) as file:
        for trial in planned:
            key = trial.key(encoding)
            found = known.get(key)
            # the same text in another set, or under another name, has the same key
            row = replace(found, **_names(trial)) if found else _measured(trial, key, counter)
            if last.get(_place(row)) != key:
                known[key], last[_place(row)] = row, key
                file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                file.flush()
            rows.append(row)
            advance()
    return rows


_Place = tuple[str, str, str, float, str | None]


def _place(row: Row) -> _Place:
    return row.set, row.doc, row.method, row.rate, row.question


def read_rows(store: Path) -> Iterator[Row]:
    """Yield the rows of a store; lines that are none (cut off, of an older format) are left out."""
    if not store.exists():
        return
    with store.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield Row.parse(line)
            except (ValueError, TypeError, KeyError):
                continue


def _names(trial: Trial) -> dict[str, Any]:
    asked = trial.question.id if trial.question else None
    return {"set": trial.set, "doc": trial.document.id, "question": asked}


def _measured(trial: Trial, key: str, counter: TokenCounter) -> Row:
    source = trial.document.text
    asked = trial.question.text if trial.question else None
    started = time.perf_counter()
    shortened = trial.method.shorten(source, asked, trial.rate)
    seconds = time.perf_counter() - started
    found = survival(source, shortened.text, [q.answers for q in trial.questions])
    return Row(
        key=key,
        **_names(trial),
        method=trial.method.name,
        rate=trial.rate,
        tokens_before=counter.count(source),
        tokens_after=counter.count(shortened.text),
        seconds=seconds,
        survived={q.id: kept for q, kept in zip(trial.questions, found, strict=True)},
        items=dict(item_recall(source, shortened.kept)),
        negations=negation_retention(source, shortened.kept),
    )
