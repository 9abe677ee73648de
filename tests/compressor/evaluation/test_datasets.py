from pathlib import Path

import pytest

from compressor.evaluation.datasets import DatasetError, find_qa_sets, read_json, read_qa_set
from tests.compressor.evaluation.sets import HARBOUR, ORCHARD, write_lines, write_sets


def test_documents_and_their_questions(tmp_path: Path) -> None:
    village = read_qa_set(write_sets(tmp_path) / "qa" / "village.jsonl")
    assert village.name == "village"
    assert [d.id for d in village.documents] == ["harbour", "orchard"]
    assert village.documents[0].text == HARBOUR
    assert [q.id for q in village.documents[1].questions] == ["q3", "q4"]
    assert village.documents[0].questions[0].answers == ("Miriam Okafor",)
    assert village.questions == 4
    assert village.first(1).questions == 2
    assert village.first(None) is village


def test_passages_become_one_document_a_question(tmp_path: Path) -> None:
    [document] = read_qa_set(write_sets(tmp_path) / "qa" / "passages.jsonl").documents
    assert document.text == f"{ORCHARD}\n\n{HARBOUR}"
    assert [q.text for q in document.questions] == ["Where?"]


def test_sets_are_found_in_qa_or_in_the_folder_itself(tmp_path: Path) -> None:
    folder = write_sets(tmp_path)
    assert [p.stem for p in find_qa_sets(folder)] == ["passages", "village"]
    assert [p.stem for p in find_qa_sets(folder / "qa", ["village"])] == ["village"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "set.jsonl:2: not JSON"),
        ("[1]", "set.jsonl:2: a JSON object is wanted"),
        ('{"id": "q", "doc": "b", "question": "?", "answers": []}', "asks about 'b'"),
        ('{"id": "q", "doc": "a", "question": "?", "answers": "x"}', "`answers` is missing or is"),
        ('{"id": "q", "doc": "a", "answers": []}', "`question` is missing"),
        ('{"doc": true, "text": "x"}', "`doc` is missing or is not text"),
        ('{"id": "q", "question": "?", "answers": [], "passages": [1]}', "`passages` is missing"),
        ('{"doc": "a", "text": "another"}', "'a' is another text's"),
        ('{"id": "a", "question": "?", "answers": [], "passages": ["x"]}', "'a' is another text's"),
        ("\xe9", "set.jsonl:2: not UTF-8: byte 0"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(f'{{"doc": "a", "text": "b"}}\n{line}\n'.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"set\.jsonl:2") as caught:
        read_qa_set(path)
    assert said in str(caught.value)


def test_two_questions_of_a_text_need_ids_of_their_own(tmp_path: Path) -> None:
    text = {"doc": "a", "text": "red and blue"}
    asked = {"id": "q", "doc": "a", "question": "?", "answers": ["red"]}
    write_lines(tmp_path / "set.jsonl", [text, asked, {**asked, "answers": ["blue"]}])
    with pytest.raises(DatasetError, match=r"set\.jsonl:3: `id` 'q' is another question's of 'a'"):
        read_qa_set(tmp_path / "set.jsonl")
    write_lines(tmp_path / "set.jsonl", [text, asked, text, {**asked, "id": "r"}])
    assert read_qa_set(tmp_path / "set.jsonl").questions == 2


def test_a_file_with_a_byte_order_mark_and_lines_ended_as_on_windows(tmp_path: Path) -> None:
    line = '{"doc": "a", "text": "b"}\r\n\r\n'
    (tmp_path / "set.jsonl").write_bytes(b"\xef\xbb\xbf" + line.encode())
    assert read_qa_set(tmp_path / "set.jsonl").documents[0].text == "b"


def test_a_set_is_taken_once_and_may_be_given_by_its_file(tmp_path: Path) -> None:
    folder = write_sets(tmp_path)
    assert [p.stem for p in find_qa_sets(folder, ["village", "village"])] == ["village"]
    file = folder / "qa" / "village.jsonl"
    assert find_qa_sets(file) == [file]
    with pytest.raises(DatasetError, match="absent: there is no such folder"):
        find_qa_sets(tmp_path / "absent")


def test_files_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no \.jsonl files there"):
        find_qa_sets(tmp_path)
    write_lines(tmp_path / "a.jsonl", [])
    with pytest.raises(DatasetError, match="there is no set 'b'; there are a"):
        find_qa_sets(tmp_path, ["b"])
    with pytest.raises(DatasetError, match="cannot be read"):
        read_qa_set(tmp_path / "absent.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"doc": "\xe9"}')
    with pytest.raises(DatasetError, match="not UTF-8"):
        read_qa_set(tmp_path / "latin.jsonl")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_json(tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DatasetError, match="not JSON"):
        read_json(tmp_path / "broken.json")
