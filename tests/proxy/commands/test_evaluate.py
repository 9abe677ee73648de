import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from proxy.cli import build
from tests.compressor.evaluation.sets import write_lines, write_sets

COMMANDS = ("survival", "speed", "judge", "tasks", "plot", "compare")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["eval", *map(str, arguments)])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does(command: str) -> None:
    assert command in run("--help").stdout
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout


def test_a_full_small_run_and_its_repetition(tmp_path: Path) -> None:
    data, out = write_sets(tmp_path / "data"), tmp_path / "out"
    options = ("--out", out, "--rate", 0.5, "--rate", 0.33)
    first = run("survival", data, *options)
    assert first.exit_code == 0, first.stderr
    assert "village: 2 documents, 3 questions" in first.stdout  # nothing is purple
    assert "passages: 1 documents, 1 questions" in first.stdout
    for method in ("tersely", "reference", "self-information", "tf-idf", "stop-words", "random"):
        assert f"| {method} | " in first.stdout
    cells = json.loads((out / "survival.json").read_text())
    assert {(c["set"], c["rate"]) for c in cells} == {
        (name, rate) for name in ("village", "passages") for rate in (0.5, 0.33)
    }
    tersely = [c for c in cells if c["method"] == "tersely"]
    assert all(c["realised"] <= c["rate"] + 0.01 for c in tersely)
    # the answers are names and dates: the classifier keeps most of them at a half
    survived = {c["set"]: c["survival"]["value"] for c in tersely if c["rate"] == 0.5}
    assert survived == {"village": pytest.approx(2 / 3), "passages": 1.0}
    assert (out / "survival.md").read_text().strip() == first.stdout.strip()
    assert "<svg" in (out / "curves.html").read_text()
    rows = (out / "rows.jsonl").read_text()
    again = run("survival", data, *options)
    assert again.stdout == first.stdout
    assert (out / "rows.jsonl").read_text() == rows
    page = tmp_path / "page.html"
    drawn = run("plot", out, "--html", page, "--png", tmp_path / "curves.png")
    assert "<svg" in page.read_text()
    if drawn.exit_code:  # without matplotlib
        assert "pip install 'tersely[eval]'" in drawn.stderr
    else:
        assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_part_of_it(tmp_path: Path) -> None:
    chosen = ("--set", "village", "--limit", 1, "--method", "random", "--rate", 0.5)
    done = run("survival", write_sets(tmp_path), *chosen, "--out", tmp_path / "out")
    assert "village: 1 documents, 2 questions" in done.stdout
    assert "passages" not in done.stdout
    assert re.findall(r"^\| (\w+) \| 0\.\d", done.stdout, re.MULTILINE).count("random") == 2


def test_what_is_given_twice_counts_once(tmp_path: Path) -> None:
    data = write_sets(tmp_path / "data")
    once = ("--set", "village", "--method", "random", "--rate", 0.5)
    first = run("survival", data, *once, "--out", tmp_path / "out")
    assert run("survival", data, *once, *once, "--out", tmp_path / "out").stdout == first.stdout
    assert "village: 2 documents, 3 questions" in first.stdout


def test_a_set_without_gold_answers_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    data = write_sets(tmp_path / "data")
    write_lines(data / "qa" / "unasked.jsonl", [{"doc": "a", "text": "red"}])
    done = run("survival", data, "--method", "random", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "unasked: no question has its answer in its document" in done.stderr
    assert not (tmp_path / "out").exists()


def test_two_runs_are_compared(tmp_path: Path) -> None:
    data = write_sets(tmp_path / "data")
    for name, rate in (("one", 0.5), ("two", 0.5), ("other", 0.33)):
        done = run("survival", data, "--out", tmp_path / name, "--rate", rate, "--method", "random")
        assert done.exit_code == 0, done.stderr
    compared = run("compare", tmp_path / "one", tmp_path / "two")
    assert compared.exit_code == 0, compared.stderr
    assert re.search(r"\| random \| 0\.5 \| village \| .*\| level \|", compared.stdout)
    assert "**mean of sets**" in compared.stdout
    nothing = run("compare", tmp_path / "one", tmp_path / "other")
    assert nothing.exit_code == 2
    assert "no set, method and rate in common" in nothing.stderr
    absent = run("compare", tmp_path / "one", tmp_path / "absent")
    assert absent.exit_code == 2
    assert "run `tersely eval survival` first" in absent.stderr


def test_a_damaged_file_of_classifier_outputs(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "windows.db").write_bytes(b"not a database " * 100)
    done = run("survival", write_sets(tmp_path), "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "windows.db, cannot be used" in done.stderr


def test_speed(tmp_path: Path) -> None:
    done = run("speed", write_sets(tmp_path), "--set", "village", "--method", "random")
    assert done.exit_code == 0
    assert re.search(r"\| village \| random \| 2 \| \d+ \| [\d,]+ \|", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["survival", "{absent}"], "there is no such folder"),
        (["survival", "{data}", "--set", "town"], "there is no set 'town'"),
        (["survival", "{data}/qa/village.jsonl", "--method", "best"], "there is no method 'best'"),
        (["survival", "{data}", "--rate", "1.4"], "less than or equal to 1"),
        (
            ["survival", "{data}/qa/village.jsonl", "--encoding", "p50k"],
            "encoding 'p50k' is not known",
        ),
        (
            ["survival", "{data}/qa/village.jsonl", "--classifier", "/absent"],
            "there is no folder /absent",
        ),
        (["survival", "{data}", "--set", "unanswered"], "no question has its answer"),
        (["plot", "{absent}"], "survival.json: cannot be read"),
        (["plot", "{broken}"], "not a file that `tersely eval survival` wrote"),
        (["plot", "{empty}"], "there are no results in it"),
    ],
)
def test_what_cannot_be_is_explained(tmp_path: Path, arguments: list[str], said: str) -> None:
    data = write_sets(tmp_path / "data")
    (data / "qa" / "unanswered.jsonl").write_text(
        '{"doc": "d", "text": "Some text that is here."}\n'
        '{"id": "q", "doc": "d", "question": "?", "answers": ["elsewhere"]}\n'
    )
    for name, content in (("broken", '[{"set": 1}]'), ("empty", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "survival.json").write_text(content)
    places = {name: tmp_path / name for name in ("data", "absent", "broken", "empty")}
    out = ["--out", str(tmp_path / "out")] if arguments[0] == "survival" else []
    done = run(*(a.format(**places) for a in arguments), *out)
    assert done.exit_code == 2
    assert said in re.sub(r"\s*│?\n│?\s*", " ", done.stderr)
