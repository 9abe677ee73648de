import json
from pathlib import Path

import pytest

from compressor.evaluation.datasets import DatasetError
from compressor.evaluation.result_lines import write_lines
from compressor.training import annotation_run
from compressor.training.annotation_run import (
    AnnotationSettings,
    annotate_all,
    annotate_file,
    sources,
    work_path,
)
from compressor.training.passage import SourcePassage, read_passages
from tests.compressor.training.shortened_passages import ALL


def passages(tmp_path: Path) -> list[SourcePassage]:
    path = tmp_path / "labelled.jsonl"
    write_lines(path, ALL)
    return list(read_passages(path, labelled=True))


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = work_path(tmp_path / "annotated.jsonl")
    given = passages(tmp_path)
    first = annotate_all(given[:2], store, window=60)
    done: list[str] = []
    original = annotation_run.annotate

    def counted(passage: SourcePassage, *, window: int) -> object:
        done.append(passage.id)
        return original(passage, window=window)

    monkeypatch.setattr(annotation_run, "annotate", counted)
    steps: list[None] = []
    second = annotate_all(given, store, window=60, advance=lambda: steps.append(None))
    assert done == ["p1"]
    assert second[:2] == first
    assert len(steps) == 3
    assert [line["id"] for line in second] == ["m1", "g1", "p1"]
    annotate_all(given, store, window=30)  # other settings
    assert done == ["p1", "m1", "g1", "p1"]


def test_a_line_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    store = tmp_path / "a.work.jsonl"
    given = passages(tmp_path)
    whole = annotate_all(given, store, window=60)
    text = store.read_text("utf-8")
    store.write_text(text[: len(text) - 40], "utf-8")
    assert annotate_all(given, store, window=60) == whole
    assert json.loads(store.read_text("utf-8").splitlines()[-1])["id"] == "p1"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "folder" / "out.jsonl"
    write_lines(out, [{"a": 1}])
    with pytest.raises(TypeError):
        write_lines(out, [{"a": 2}, {"b": object()}])
    assert out.read_text("utf-8") == '{"a": 1}\n'


def test_passages_that_cannot_be_annotated_are_named(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    write_lines(path, [{"id": "1", "text": "a b", "light": "a"}])
    with pytest.raises(
        DatasetError, match=r"in\.jsonl:1: a labelled passage has `light` and `heavy`"
    ):
        list(read_passages(path, labelled=True))


def test_passages_are_counted_by_source_with_licences_and_languages() -> None:
    lines = [
        {"source": "minutes", "licence": "CC0", "lang": "en"},
        {"source": "minutes", "licence": "MIT", "lang": "en"},
        {"source": "letters", "licence": "", "lang": "de"},
    ]
    assert sources(lines) == {
        "letters": {"passages": 1, "licences": {"": 1}, "languages": {"de": 1}},
        "minutes": {"passages": 2, "licences": {"CC0": 1, "MIT": 1}, "languages": {"en": 2}},
    }


@pytest.mark.parametrize(
    ("shortened", "flag"),
    [("", "nothing was left."), (" ".join(["word"] * 40), "nothing was crossed out.")],
)
def test_an_answer_that_fits_perfectly_and_says_nothing_is_dropped_by_its_flag(
    tmp_path: Path, shortened: str, flag: str
) -> None:
    source = tmp_path / "labelled.jsonl"
    line = {"id": "1", "text": " ".join(["word"] * 40), "light": shortened, "heavy": shortened}
    write_lines(source, [line | {"flags": [f"light: {flag}"]}])
    found = list(read_passages(source, labelled=True))
    run = annotate_file(found, [source], tmp_path / "out.jsonl", AnnotationSettings())
    assert run.sifted.kept == ()
    assert run.sifted.dropped["flags<=0"] == 1
