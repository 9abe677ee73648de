"""With the bundled classifier, on passages and on a set of questions."""

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from proxy.cli import build

TEXTS = {"a": ("en", "The council approved the bridge."), "b": ("ja", "議会は橋を承認した。")}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["distill", "self-label", *map(str, arguments)])


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_passages_get_soft_labels_and_a_manifest(tmp_path: Path) -> None:
    given, out = tmp_path / "raw.jsonl", tmp_path / "labels.jsonl"
    rows = [{"id": i, "lang": lang, "text": text} for i, (lang, text) in TEXTS.items()]
    given.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = run(given, out, "--lang", "en", "--weight", "0.25")
    assert done.exit_code == 0, done.stderr
    (line,) = lines(out)
    assert (line["id"], line["weight"]) == ("a", 0.25)
    words = {TEXTS["a"][1][start:end]: label for start, end, label in line["words"]}
    assert words["bridge"] > words["the"]
    assert words["."] is None
    manifest = json.loads((tmp_path / "labels.manifest.json").read_text("utf-8"))
    assert manifest["counts"] == {"passages": 1, "words": 6}
    assert run(given, out, "--limit", "1").exit_code == 0
    assert len(lines(out)) == 1


def test_words_that_answer_a_question_are_kept(tmp_path: Path) -> None:
    given, out = tmp_path / "asked.jsonl", tmp_path / "labels.jsonl"
    row = {"id": "q", "answers": ["the bridge"], "passages": ["x", TEXTS["a"][1]], "gold": 1}
    given.write_text(json.dumps(row), "utf-8")
    assert run(given, out).exit_code == 0
    (line,) = lines(out)
    assert line["source"] == "asked"
    kept = [TEXTS["a"][1][start:end] for start, end, label in line["words"] if label == 1]
    assert kept == ["the", "bridge"]


def test_only_passages_that_are_asked_about(tmp_path: Path) -> None:
    given, asked, out = (tmp_path / name for name in ("raw.jsonl", "asked.jsonl", "out.jsonl"))
    rows = [{"id": i, "text": text} for i, (_, text) in TEXTS.items()]
    given.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    asked.write_text(json.dumps({"id": "b", "question": "?", "answer": "橋"}), "utf-8")
    assert run(given, out, "--asked", asked).exit_code == 0
    assert [line["id"] for line in lines(out)] == ["b"]


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    given = tmp_path / "raw.jsonl"
    given.write_text('{"id": "a", "text": "b"}\n', "utf-8")
    done = run(given, given)
    assert done.exit_code == 2
    assert "is what is read" in done.stderr


def test_a_limit_draws_evenly_from_the_whole_file(tmp_path: Path) -> None:
    given, out = tmp_path / "raw.jsonl", tmp_path / "labels.jsonl"
    rows = [{"id": i, "text": f"Pier {i} stays."} for i in "abcdef"]
    given.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert run(given, out, "--limit", "4").exit_code == 0
    assert [line["id"] for line in lines(out)] == ["a", "b", "d", "e"]
