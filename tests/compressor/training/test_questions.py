import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from compressor.evaluation.datasets import DatasetError
from compressor.training.examples import is_held_out
from compressor.training.questions import (
    Asked,
    Grades,
    blind_lines,
    conditioned,
    conditioned_lines,
    distracting,
    hard_negatives,
    read_questions,
    with_answers,
)
from compressor.words import is_mark, split_words

TEXT = "The Tiber rises in the Apennines. It is 406 kilometres long. Rome lies on it."
TRAINED, HELD_OUT = "d0", next(f"d{i}" for i in range(99) if is_held_out(f"d{i}"))


def line(text: str = TEXT, label: float = 0.5, **fields: Any) -> dict[str, Any]:
    words = [[w.start, w.end, None if is_mark(text, w) else label] for w in split_words(text)]
    return {"id": "p", "doc": TRAINED, "text": text, "words": words, **fields}


def labels(made: dict[str, Any]) -> dict[str, float | None]:
    return {made["text"][start:end]: label for start, end, label in made["words"]}


LENGTH = Asked("p", "How long is the Tiber?", ("406 kilometres",))


def test_words_of_answers_are_kept_and_the_others_stay() -> None:
    made = with_answers(line(), LENGTH.answers, weight=2.0)
    assert {word for word, label in labels(made).items() if label == 1} == {"406", "kilometres"}
    assert labels(made)["Rome"] == 0.5
    assert labels(made)["."] is None
    assert made["weight"] == 2.0
    assert "weight" not in with_answers(line(), ["nowhere"])


def test_words_that_answer_nothing_keep_a_share() -> None:
    made = labels(with_answers(line(label=0.0), LENGTH.answers, share=0.5))
    assert (made["406"], made["Rome"], made["."]) == (1, 0, None)
    assert labels(with_answers(line(), LENGTH.answers, share=0.5))["Rome"] == 0.25


def test_questions_of_a_set_are_about_its_gold_passages(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    row = {"question": "Where?", "answers": ["Italy"], "passages": ["Other.", TEXT], "gold": 1}
    path.write_text("".join(json.dumps({"id": i, **row}) + "\n" for i in ("a", "b")), "utf-8")
    assert read_questions(path) == [Asked("a", "Where?", ("Italy",))] * 2


def test_a_question_grades_answer_sentence_and_passage() -> None:
    made = conditioned(line(), LENGTH, Grades(sentence=0.6, share=0.4))
    found = labels(made)
    assert made["question"] == LENGTH.question
    assert found["406"] == found["kilometres"] == 1
    assert found["It"] == found["long"] == 0.6
    assert found["Rome"] == found["Apennines"] == pytest.approx(0.2)
    assert found["."] is None
    other = labels(distracting(line(label=1.0), LENGTH, Grades(other=0.05)))
    assert {label for label in other.values() if label is not None} == {0.05}


def test_passages_that_look_like_the_answer_and_hold_none_are_hard_negatives() -> None:
    texts = [
        TEXT,
        "The Tiber floods: how long it takes is not known.",
        "The Tiber, 406 kilometres of it, is long.",
        "Bread is baked.",
    ]
    assert hard_negatives(texts, [LENGTH], [0], 4) == [[1]]


def test_blind_lines_know_no_question_about_held_out_documents() -> None:
    lines = [line(), line(id="h", doc=HELD_OUT), line(id="n")]
    asked = [LENGTH, Asked("h", "?", ("Rome",))]
    first, second, third = blind_lines(lines, asked, weight=2.0)
    assert labels(first)["406"] == 1
    assert second == lines[1]
    assert third == lines[2]
    _, second, _ = blind_lines(lines, asked, every=True)
    assert labels(second)["Rome"] == 1


def test_conditioned_lines_are_an_answer_and_a_distractor_each() -> None:
    lines = [
        line(),
        line("The Tiber is long, they say.", id="x"),
        line("How long the Tiber floods.", id="h", doc=HELD_OUT),
    ]
    asked = [LENGTH, Asked("h", "?", ("floods",)), Asked("p", "On what is Rome?", ("it",))]
    made = conditioned_lines(lines, asked, Grades(), per_passage=1, seed=1)
    assert {m["id"] for m in made} <= {"p", "x"}
    assert sum(m["id"] == "p" for m in made) == 1
    more = conditioned_lines(lines, asked, Grades(), per_passage=2, seed=1)
    assert sum(m["id"] == "p" for m in more) == 2
    assert more == conditioned_lines(lines, asked, Grades(), per_passage=2, seed=1)


def test_questions_are_read_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    row = {"id": "p", "question": LENGTH.question, "answer": LENGTH.answers[0]}
    path.write_text(json.dumps(row) + "\n" + json.dumps({"id": "p"}) + "\n", "utf-8")
    with pytest.raises(DatasetError, match=r"q\.jsonl:2: `question`"):
        read_questions(path)
    path.write_text(json.dumps(row), "utf-8")
    assert read_questions(path) == [LENGTH]


def test_the_questions_of_the_bundled_training_are_all_readable() -> None:
    folder = Path(str(resources.files("compressor.training"))) / "asked"
    asked = read_questions(folder / "questions.jsonl")
    assert len(asked) > 6_000
    assert len({(question.passage, question.question) for question in asked}) == len(asked)
    assert all(question.question.strip() and question.answers[0].strip() for question in asked)
