from pathlib import Path
from typing import Any

import pytest

from compressor.evaluation.datasets import DatasetError
from compressor.evaluation.result_lines import write_lines
from compressor.training.passage import SourcePassage, read_passages


def read(tmp_path: Path, *rows: dict[str, Any], labelled: bool = False) -> list[SourcePassage]:
    write_lines(tmp_path / "notes.jsonl", rows)
    return list(read_passages(tmp_path / "notes.jsonl", labelled=labelled))


def test_what_is_not_stated(tmp_path: Path) -> None:
    (passage,) = read(tmp_path, {"id": 7, "text": "a b"})
    assert passage == SourcePassage("7", "notes", "7", "", "", "a b")


def test_a_passage_comes_back_as_it_was_written(tmp_path: Path) -> None:
    row = {
        "id": "7",
        "source": "s",
        "doc": "d",
        "lang": "de",
        "licence": "MIT",
        "text": "a b",
        "light": "a b",
        "heavy": "",
    }
    (passage,) = read(tmp_path, row, labelled=True)
    assert passage.as_dict() == row


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": "1"}], r"notes\.jsonl:1: `text` is missing"),
        ([{"text": "a"}], r"notes\.jsonl:1: `id` is missing"),
        ([{"id": "1", "text": "a"}, {"id": "1", "text": "b"}], r":2: the id '1' is there twice"),
    ],
)
def test_a_line_that_is_no_passage(tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        read(tmp_path, *rows)


@pytest.mark.parametrize("labelled", [False, True])
def test_a_file_without_a_passage(tmp_path: Path, labelled: bool) -> None:
    with pytest.raises(DatasetError, match=r"notes\.jsonl: there is no passage in it"):
        read(tmp_path, labelled=labelled)


def test_a_passage_without_grades_is_not_labelled(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="this one has none of them"):
        read(tmp_path, {"id": "1", "text": "a"}, labelled=True)
