import json
from pathlib import Path

import pytest

from compressor.evaluation.datasets import DatasetError, Document, QASet, Question
from compressor.evaluation.methods import Shortened
from compressor.evaluation.metrics import Kept
from compressor.evaluation.runner import Row, read_rows, require_answers, run, trials
from compressor.types import Span
from tests.fakes import FakeCounter

DOCUMENTS = (
    Document(
        "a", "red green blue", (Question("a1", "?", ("red",)), Question("a2", "!", ("blue",)))
    ),
    Document("b", "one two three four", (Question("b1", "?", ("one two",)),)),
    Document("c", "nobody asks", ()),
)
SET = QASet("colours", DOCUMENTS)


class First:
    """Keeps the first word; counts its calls, and fails at the one called `fail_at`."""

    name = "first"
    revision = "1"

    def __init__(self, *, question_aware: bool = False, fail_at: int = 0) -> None:
        self.question_aware = question_aware
        self.calls: list[tuple[str, str | None, float]] = []
        self.fail_at = fail_at

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        self.calls.append((text, question, rate))
        if len(self.calls) == self.fail_at:
            raise KeyboardInterrupt
        end = text.index(" ")
        return Shortened(text[:end], (Span(0, end),))


def test_a_blind_method_shortens_a_document_once_and_an_aware_one_for_each_question() -> None:
    blind = trials([SET], [First()], [0.5, 0.2])
    assert [(t.document.id, t.rate, len(t.questions)) for t in blind] == [
        ("a", 0.5, 2),
        ("a", 0.2, 2),
        ("b", 0.5, 1),
        ("b", 0.2, 1),
    ]
    aware = trials([SET], [First(question_aware=True)], [0.5])
    assert [[q.id for q in t.questions] for t in aware] == [["a1"], ["a2"], ["b1"]]


def test_rows_hold_what_was_measured(tmp_path: Path) -> None:
    store = tmp_path / "deep" / "rows.jsonl"
    steps: list[None] = []
    planned = trials([SET], [First()], [0.5])
    first, second = run(planned, store, FakeCounter(), "words", lambda: steps.append(None))
    assert first.survived == {"a1": True, "a2": False}
    assert second.survived == {"b1": False}
    assert (first.tokens_before, first.tokens_after) == (3, 1)
    assert (first.set, first.doc, first.method, first.rate) == ("colours", "a", "first", 0.5)
    assert first.negations == Kept(0, 0)
    assert first.seconds > 0
    assert len(steps) == 2
    assert list(read_rows(store)) == [first, second]


def test_what_is_stored_is_not_computed_again(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    method = First()
    planned = trials([SET], [method], [0.5])
    rows = run(planned, store, FakeCounter(), "words")
    assert run(planned, store, FakeCounter(), "words") == rows
    assert len(method.calls) == 2


def test_the_last_row_of_a_document_is_the_last_run_s(tmp_path: Path) -> None:
    store, revised = tmp_path / "rows.jsonl", First()
    revised.revision = "2"
    first = run(trials([SET], [First()], [0.5]), store, FakeCounter(), "words")
    run(trials([SET], [revised], [0.5]), store, FakeCounter(), "words")
    back = First()
    assert run(trials([SET], [back], [0.5]), store, FakeCounter(), "words") == first
    assert back.calls == []
    last = {(row.set, row.doc): row.key for row in read_rows(store)}
    assert last == {(row.set, row.doc): row.key for row in first}


def test_a_result_is_told_under_the_name_that_its_set_has_now(tmp_path: Path) -> None:
    store, renamed = tmp_path / "rows.jsonl", QASet("hues", DOCUMENTS)
    for _ in range(2):
        rows = run(trials([SET, renamed], [First()], [0.5]), store, FakeCounter(), "words")
        assert [row.set for row in rows] == ["colours", "colours", "hues", "hues"]
    assert [row.set for row in read_rows(store)] == ["colours", "colours", "hues", "hues"]


def test_a_set_without_a_gold_answer_in_its_texts_is_named() -> None:
    require_answers(SET)
    unasked = QASet("unasked", (Document("a", "red", (Question("q", "?", ()),)),))
    for qa_set in (unasked, QASet("unasked", ())):
        with pytest.raises(DatasetError, match="unasked: no question has its answer"):
            require_answers(qa_set)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    method = First(fail_at=3)
    planned = trials([SET], [method], [0.5, 0.2])
    with pytest.raises(KeyboardInterrupt):
        run(planned, store, FakeCounter(), "words")
    assert len(list(read_rows(store))) == 2
    with store.open("a") as file:
        file.write('{"key": "cut off in the mid')  # as a killed process leaves it
    rows = run(planned, store, FakeCounter(), "words")
    assert len(method.calls) == 5  # two, the one that failed, and the two that were missing
    assert [row.doc for row in rows] == ["a", "a", "b", "b"]
    assert len(list(read_rows(store))) == 4
    assert all(json.loads(line) for line in store.read_text().splitlines() if "cut off" not in line)


def test_another_text_rate_method_encoding_or_answer_is_another_result(tmp_path: Path) -> None:
    changed = Document("a", "red green", DOCUMENTS[0].questions)
    answers = Document("a", "red green blue", (Question("a1", "?", ("green",)),))
    revised = First()
    revised.revision = "2"
    aware = First(question_aware=True)
    planned = [
        *trials([SET], [First()], [0.5, 0.4])[:2],
        *trials([QASet("s", (changed,))], [First()], [0.5]),
        *trials([QASet("s", (answers,))], [First()], [0.5]),
        *trials([SET], [revised], [0.5])[:1],
        *trials([SET], [aware], [0.5])[:2],
    ]
    keys = {trial.key("words") for trial in planned}
    assert len(keys) == len(planned)
    assert planned[0].key("other") not in keys


def test_lines_of_another_format_are_left_out(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    run(trials([SET], [First()], [0.5]), store, FakeCounter(), "words")
    lines = store.read_text().splitlines()
    older = {k: v for k, v in json.loads(lines[0]).items() if k != "items"}
    store.write_text("\n".join(["", "[1]", json.dumps(older), lines[1]]))
    assert [row.doc for row in read_rows(store)] == ["b"]
    assert Row.parse(lines[0]).doc == "a"
    assert list(read_rows(tmp_path / "absent.jsonl")) == []
