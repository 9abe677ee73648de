from pathlib import Path

import pytest

from compressor.evaluation.result_lines import open_to_append, require_writable


def test_lines_are_added_and_never_joined(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    for line in ("one\n", "two", "three\n"):
        with open_to_append(path) as file:
            file.write(line)
    assert path.read_text() == "one\ntwo\nthree\n"


def test_what_can_be_written_stays_as_it_is(tmp_path: Path) -> None:
    written, missing = tmp_path / "written.jsonl", tmp_path / "deep" / "missing.jsonl"
    written.write_text("one\n")
    link = tmp_path / "link.jsonl"
    link.symlink_to("target.jsonl")
    require_writable(written, missing, link)
    assert written.read_text() == "one\n"
    assert link.is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {
        *("deep", "link.jsonl", "target.jsonl", "written.jsonl"),
    }
    assert list(missing.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "named"),
    [("file/out.jsonl", "file"), ("file/deep/out.jsonl", "file/deep"), ("folder", "folder")],
)
def test_what_cannot_be_written_is_named(tmp_path: Path, path: str, named: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="irectory") as caught:
        require_writable(tmp_path / path)
    assert caught.value.filename == str(tmp_path / named)
