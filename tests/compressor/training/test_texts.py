import json
from pathlib import Path

import pytest

from compressor.evaluation.datasets import DatasetError
from compressor.training.texts import Defaults, Fields, Text, find_files, read_texts


def read(path: Path, **fields: str) -> list[Text]:
    return list(read_texts(path, path.name, Fields(**fields), Defaults(licence="MIT")))


def test_folders_are_searched_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.md", "deep/a.txt", "a.txt", "picture.png", "x.jsonl"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text", "utf-8")
    alone = tmp_path / "alone.log"
    alone.write_text("text", "utf-8")
    names = [name for _, name in find_files([tmp_path / "in", alone])]
    assert names == ["a.txt", "b.md", "deep/a.txt", "x.jsonl", "alone.log"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"there are no \.txt, \.md"):
        find_files([tmp_path / "empty"])


def test_a_text_file_is_a_document(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("Some text.", "utf-8")
    assert read(path) == [Text("notes", "notes.md", "", "MIT", "Some text.")]


def test_lines_with_fields_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    rows = [
        {"text": "plain", "doc": 7, "source": "s", "lang": "de", "licence": "CC0"},
        {"body": {"messages": [{"role": "user", "content": "a"}, {"content": "b"}, {"x": 1}]}},
        {"body": {"messages": ["c", "d"]}, "meta": {"name": "n"}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert read_first(path) == Text("s", "7", "de", "CC0", "plain")
    second = path.with_name("second.jsonl")
    second.write_text("".join(json.dumps(row) + "\n" for row in rows[1:]), "utf-8")
    assert read(second, text="body.messages", doc="meta.name") == [
        Text("second", "second.jsonl:1", "", "MIT", "a\n\nb"),
        Text("second", "n", "", "MIT", "c\n\nd"),
    ]


def read_first(path: Path) -> Text:
    return next(iter(read_texts(path, path.name, Fields(), Defaults())))


@pytest.mark.parametrize("pair", ["text", "text=", "body=text", "=x"])
def test_what_names_no_field(pair: str) -> None:
    assert Fields.parse(["text=body", "doc=meta.id"]) == Fields(text="body", doc="meta.id")
    with pytest.raises(DatasetError, match="is not NAME=FIELD with one of text, doc, source"):
        Fields.parse([pair])


def test_a_name_has_one_field() -> None:
    with pytest.raises(DatasetError, match="the field of 'text' is named twice, in 'text=title'"):
        Fields.parse(["text=body", "doc=id", "text=title"])


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"txt": "a"}\n', "utf-8")
    with pytest.raises(
        DatasetError, match=r"a\.jsonl:1: there is no text in 'text'; name its field"
    ):
        read(lines)
    with pytest.raises(DatasetError, match=r"there is no text in 'txt\.deep'"):
        read(lines, text="txt.deep")
    latin = tmp_path / "latin.txt"
    latin.write_bytes("café".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"latin\.txt: not UTF-8: byte 3"):
        read(latin)
    with pytest.raises(DatasetError, match=r"none\.txt: cannot be read"):
        read(tmp_path / "none.txt")
