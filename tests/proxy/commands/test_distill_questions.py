import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from compressor.evaluation.result_lines import write_lines
from proxy.cli import build
from tests.compressor.training.annotated_texts import line

ASKED = {"id": "p1", "question": "Who did?", "answer": "the"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["distill", "questions", *map(str, arguments)])


def test_answers_become_labels_and_questions_lines_of_their_own(tmp_path: Path) -> None:
    annotated, asked, out = (tmp_path / name for name in ("a.jsonl", "q.jsonl", "out.jsonl"))
    lines = [line(1), line(2)]
    write_lines(annotated, lines)
    write_lines(asked, [{**ASKED, "answer": lines[0]["text"].split()[1]}])
    done = run(annotated, "--asked", asked, "--out", out, "--weight", "2")
    assert done.exit_code == 0, done.stderr
    assert "2 passages written" in done.stdout
    first, second = (json.loads(row) for row in out.read_text("utf-8").splitlines())
    assert first["weight"] == 2
    assert first["words"][1][2] == 1
    assert second == json.loads(json.dumps(lines[1]))
    manifest = json.loads((tmp_path / "out.manifest.json").read_text("utf-8"))
    assert manifest["counts"] == {"passages": 2, "questions": 1, "written": 2}

    done = run(annotated, "--asked", asked, "--out", out, "--conditioned")
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(row) for row in out.read_text("utf-8").splitlines()]
    assert {row["question"] for row in rows} == {"Who did?"}


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    annotated = tmp_path / "a.jsonl"
    write_lines(annotated, [line(1)])
    done = run(annotated, "--asked", annotated, "--out", annotated)
    assert done.exit_code == 2
    assert "is what is read" in done.stderr


def test_a_line_that_is_no_annotated_passage_is_named(tmp_path: Path) -> None:
    passages, asked = tmp_path / "passages.jsonl", tmp_path / "asked.jsonl"
    passages.write_text(json.dumps({"id": "1", "text": "No words are here."}), "utf-8")
    asked.write_text(json.dumps({"id": "1", "question": "What?", "answer": "words"}), "utf-8")
    options = ["--asked", str(asked), "--out", str(tmp_path / "out.jsonl")]
    done = CliRunner().invoke(build(), ["distill", "questions", str(passages), *options])
    assert done.exit_code == 2, done.output
    assert "passages.jsonl:1: not an annotated passage" in done.stderr
