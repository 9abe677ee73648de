import json
from pathlib import Path

import pytest

from compressor.evaluation.datasets import DatasetError
from compressor.training.self_training import (
    AnsweredPassage,
    answer_spans,
    answered_passages,
    self_labelled,
    self_labels,
)
from tests.compressor.scripted_classifier import ScriptedClassifier

TEXT = "The Tiber is in Italy, and Tiberius was not."


def test_words_get_the_classifiers_probabilities_and_marks_none() -> None:
    labels = self_labels(TEXT, ScriptedClassifier({"Italy": 0.8, "not": 0.7}))
    by_word = {TEXT[start:end]: label for start, end, label in labels}
    assert by_word["Italy"] == 0.8
    assert by_word["not"] == 0.7
    assert by_word[","] is None
    assert by_word["."] is None
    assert all(0.1 <= label <= 0.2 for word, label in by_word.items() if word in ("The", "was"))


def test_words_that_answer_are_kept_as_whole_words_only() -> None:
    labels = self_labels(TEXT, ScriptedClassifier(), ["the tiber", "in  Italy"])
    kept = {TEXT[start:end] for start, end, label in labels if label == 1.0}
    assert kept == {"The", "Tiber", "in", "Italy"}


def test_an_answer_in_a_script_without_spaces_is_found_inside_a_run() -> None:
    assert answer_spans("彼は東京に住む", ["東京"]) == [(2, 4)]
    assert answer_spans("anything", ["", " "]) == []


def test_a_line_says_where_it_comes_from_and_how_much_it_counts() -> None:
    line = self_labelled({"id": "a", "doc": "d", "text": "Tiber"}, ScriptedClassifier(), 0.5)
    assert line["weight"] == 0.5
    assert (line["id"], line["doc"], line["source"]) == ("a", "d", "")
    assert [word[:2] for word in line["words"]] == [(0, 5)]


def test_a_passage_of_several_questions_comes_once_with_all_answers(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    rows = [
        {"id": "1", "answers": ["Tiber"], "passages": ["x", TEXT], "gold": 1},
        {"id": "2", "answers": ["Italy", "Tiber"], "passages": [TEXT, "x"], "gold": 0},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert list(answered_passages(path)) == [AnsweredPassage("1", TEXT, ("Tiber", "Italy"))]


def test_passages_that_distract_come_where_they_are_named(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    row = {"id": "1", "answers": ["Tiber"], "passages": ["x", TEXT, "y"], "gold": 1}
    path.write_text(json.dumps(row), "utf-8")
    found = list(answered_passages(path, {"1#1", "1#2"}))
    assert found == [AnsweredPassage("1", TEXT, ("Tiber",)), AnsweredPassage("1#2", "y", ())]


@pytest.mark.parametrize("gold", [1, -1, "a", True])
def test_a_gold_passage_that_is_not_there_is_named(tmp_path: Path, gold: object) -> None:
    row = {"id": "1", "answers": ["Tiber"], "passages": [TEXT], "gold": gold}
    path = tmp_path / "asked.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    with pytest.raises(DatasetError, match=r"asked\.jsonl:1: `gold` is no index into the 1"):
        list(answered_passages(path))


@pytest.mark.parametrize("missing", ["answers", "passages", "gold", "id"])
def test_a_line_without_a_field_is_named(tmp_path: Path, missing: str) -> None:
    row = {"id": "1", "answers": ["Tiber"], "passages": [TEXT], "gold": 0}
    del row[missing]
    path = tmp_path / "asked.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    with pytest.raises(ValueError, match=rf"asked\.jsonl:1: `{missing}`"):
        list(answered_passages(path))
