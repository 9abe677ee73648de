from pathlib import Path

from compressor.evaluation.result_lines import open_to_append


def test_lines_are_added_and_never_joined(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    for line in ("one\n", "two", "three\n"):
        with open_to_append(path) as file:
            file.write(line)
    assert path.read_text() == "one\ntwo\nthree\n"
