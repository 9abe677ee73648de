"""`tersely eval corpus`: a table, and exit code 1 where anything is lost."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from compressor.evaluation.corpus import run as corpus_run
from compressor.evaluation.corpus.checks import Finding
from proxy.cli import build


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["eval", "corpus", *map(str, arguments)])


def test_generated_texts_and_passages_with_the_bundled_classifier(tmp_path: Path) -> None:
    passages = tmp_path / "distill" / "unlabelled.jsonl"
    passages.parent.mkdir()
    text = "The harbour committee did not meet on 3 May 2021, see https://example.com/a. " * 3
    passages.write_text(json.dumps({"id": "x#1", "src": "minutes", "text": text}))
    out = tmp_path / "out"
    options = ("--generated", 10, "--rate", 0.33, "--out", out)
    found = run(tmp_path, *options)
    assert found.exit_code == 0, found.stderr
    assert "minutes 1" in found.stdout
    assert "| rate 0.33 |" in found.stdout
    assert "| url | all " in found.stdout
    assert (out / "corpus.md").read_text().strip() == found.stdout.strip()


def test_any_fault_is_an_exit_code_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_run, "check", lambda *_: [Finding("url", 0, 3, "lost")])
    found = run("--generated", 3, "--rate", 0.5, "--out", tmp_path)
    assert found.exit_code == 1
    assert "| url | 0 of 3 |" in found.stdout
    assert "url, languages-0 at 0.5: lost: ⟦" in found.stderr
    assert "3 faults" in found.stderr


def test_a_folder_without_passages_is_refused(tmp_path: Path) -> None:
    found = run(tmp_path, "--generated", 0, "--out", tmp_path)
    assert found.exit_code == 2
    assert "unlabelled.jsonl" in found.stderr
