import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from compressor.evaluation.result_lines import write_lines
from proxy.cli import build
from tests.compressor.training.shortened_passages import ALL

COMMANDS = ("collect", "without-overlap", "label", "annotate")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["distill", *map(str, arguments)])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does(command: str) -> None:
    assert command in run("--help").stdout
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.jsonl"
    write_lines(path, ALL)
    return path


def test_annotating_writes_labels_a_manifest_and_a_report(labelled: Path) -> None:
    out = labelled.with_name("annotated.jsonl")
    done = run("annotate", labelled, out, "--leave-out-source", "geography")
    assert done.exit_code == 0, done.stderr
    assert "1 dropped by source geography" in done.stdout
    assert "1 of 3 passages written" in done.stdout
    (line,) = [json.loads(text) for text in out.read_text("utf-8").splitlines()]
    assert line["id"] == "m1"
    assert line["words"][1] == [4, 11, 1]
    manifest = json.loads(out.with_suffix(".manifest.json").read_text("utf-8"))
    assert manifest["inputs"][0]["name"] == "labelled.jsonl"
    assert manifest["settings"]["leave_out_source"] == ["geography"]
    assert manifest["counts"]["passages"] == 3
    assert manifest["counts"]["kept"] == 1
    assert manifest["counts"]["words"] == {"0": 3, "0.5": 6, "1": 6, "masked": 2}
    assert manifest["counts"]["sources"]["meetings"]["licences"] == {"CC0": 1}
    assert "1 of 3 passages were kept" in out.with_suffix(".report.html").read_text("utf-8")
    assert len(out.with_suffix(".work.jsonl").read_text("utf-8").splitlines()) == 3


def test_conditions_replace_those_of_the_default(labelled: Path) -> None:
    out = labelled.with_name("annotated.jsonl")
    assert "3 of 3" in run("annotate", labelled, out, "--keep-all").stdout
    done = run("annotate", labelled, out, "--keep", "heavy.rate>=0.41", "--keep", "match>=p10")
    assert "1 of 3" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("annotate", "{in}", "{out}", "--keep", "gap=1"), "'gap=1' is no condition"),
        (("annotate", "missing.jsonl", "{out}"), "missing.jsonl: cannot be read"),
        (("annotate", os.devnull, "{out}"), f"{os.devnull}: there is no passage in it"),
        (("annotate", "{in}", "{in}"), "is what is read"),
        (("annotate", "{in}", "{out}", "--keep-all", "--keep", "gap<=1"), "takes no --keep"),
    ],
)
def test_what_cannot_be_done_is_said(labelled: Path, arguments: tuple[str, ...], said: str) -> None:
    names = {"in": labelled, "out": labelled.with_name("out.jsonl")}
    done = run(*(text.format(**names) for text in arguments))
    assert done.exit_code == 2
    assert said in done.stderr
    assert not names["out"].exists()
