import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from compressor.training.examples import is_held_out
from proxy.cli import build
from tests.compressor.training.test_collect import prose


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["distill", *map(str, arguments)])


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "long.md").write_text(f"{prose(1, 200)}\n\n{prose(2, 200)}\n", "utf-8")
    (folder / "again.txt").write_text(prose(1, 200), "utf-8")
    rows = [{"body": prose(3, 100), "licence": "MIT"}, {"body": "too short"}]
    (tmp_path / "mail.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    return folder


def test_collecting_files_and_lines(notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "passages.jsonl"
    done = run("collect", notes, "--out", out, "--licence", "CC0", "--source", "wiki")
    assert done.exit_code == 0, done.stderr
    assert "1 dropped: exact duplicate" in done.stdout
    assert "2 passages written" in done.stdout
    found = lines(out)
    assert [(row["doc"], row["source"], row["licence"]) for row in found] == [
        ("again.txt", "wiki", "CC0"),
        ("long.md", "wiki", "CC0"),
    ]
    first = out.read_bytes()
    assert (
        run("collect", notes, "--out", out, "--licence", "CC0", "--source", "wiki").exit_code == 0
    )
    assert out.read_bytes() == first
    manifest = json.loads(out.with_suffix(".manifest.json").read_text("utf-8"))
    assert [given["name"] for given in manifest["inputs"]] == ["again.txt", "long.md"]
    assert manifest["counts"]["passages"] == 2
    assert manifest["settings"]["least"] == 90

    mail = run("collect", tmp_path / "mail.jsonl", "--out", out, "--field", "text=body")
    assert "1 texts too short" in mail.stdout
    assert lines(out)[0]["licence"] == "MIT"


def test_collecting_against_held_out_text(notes: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "questions.jsonl"
    piece = " ".join(prose(2, 200).split()[50:70])
    held_out.write_text(json.dumps({"id": "q", "passages": [f"So {piece} it is"]}) + "\n", "utf-8")
    out = tmp_path / "passages.jsonl"
    done = run("collect", notes, "--out", out, "--against", held_out)
    assert "1 dropped: shares a run with held-out text" in done.stdout
    assert [row["doc"] for row in lines(out)] == ["again.txt"]


def test_dropping_what_overlaps_from_a_file(tmp_path: Path) -> None:
    given, held_out, out = (tmp_path / f"{name}.jsonl" for name in ("in", "held", "out"))
    rows = [{"id": "1", "text": prose(1, 50), "extra": [1]}, {"id": "2", "text": prose(2, 50)}]
    given.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    held_out.write_text(json.dumps({"doc": "d", "text": prose(2, 90)}) + "\n", "utf-8")
    done = run("without-overlap", given, out, "--against", held_out)
    assert done.exit_code == 0, done.stderr
    assert "1 dropped, 1 passages written" in done.stdout
    assert lines(out) == rows[:1]
    manifest = json.loads(out.with_suffix(".manifest.json").read_text("utf-8"))
    assert manifest["counts"] == {"kept": 1, "dropped": 1}


def test_only_what_training_holds_out_is_looked_at(tmp_path: Path) -> None:
    given, held_out, out = (tmp_path / f"{name}.jsonl" for name in ("in", "held", "out"))
    docs = [f"doc {number}" for number in range(40)]
    rows = [{"id": doc, "doc": doc, "text": prose(n, 40)} for n, doc in enumerate(docs)]
    for path in (given, held_out):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = run("without-overlap", given, out, "--against", held_out, "--held-out-only")
    assert done.exit_code == 0, done.stderr
    kept = {row["doc"] for row in lines(out)}
    assert kept == {doc for doc in docs if not is_held_out(doc)}
    assert kept != set(docs)


def test_what_cannot_be_done_is_said(notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    mail = tmp_path / "mail.jsonl"
    for arguments, said in (
        (("collect", mail, "--out", out), "there is no text in 'text'; name its field"),
        (("collect", mail, "--out", mail), "is what is read"),
        (("collect", notes, "--out", out, "--least-words", 400), "--least-words 400 is over"),
        (("collect", notes, "--out", out, "--least-words", 250), "no passage came of 2 files"),
        (("without-overlap", mail, out), "name the held-out text"),
        (("without-overlap", mail, out, "--against", mail), "no line has a held-out"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2, (arguments, done.stdout)
        assert said in done.stderr
    assert not out.exists()
