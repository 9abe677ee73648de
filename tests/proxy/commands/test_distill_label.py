"""`tersely distill label` with a teacher on a real port."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from compressor.evaluation.result_lines import write_lines
from proxy.cli import build
from tests.compressor.training.scripted_teacher import cross_out
from tests.compressor.training.shortened_passages import ALL
from tests.proxy.commands.scripted_endpoint import Endpoint

GARBAGE = (200, {}, {"choices": []})
BUSY = (429, {"retry-after": "0"}, {"error": {"message": "slow down"}})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    made.reply = cross_out
    yield made
    made.close()


@pytest.fixture
def passages(tmp_path: Path) -> Path:
    path = tmp_path / "passages.jsonl"
    names = ("id", "source", "doc", "lang", "licence", "text")
    write_lines(path, [{name: row[name] for name in names} for row in ALL])
    return path


def label(
    endpoint: Endpoint,
    passages: Path,
    *more: object,
    out: str = "labelled.jsonl",
    **environment: str,
) -> Result:
    arguments = ("distill", "label", passages, passages.parent / out)
    options = ("--base-url", endpoint.url, "--model", "teacher", *more)
    return CliRunner().invoke(build(), [*map(str, arguments + options)], env=environment)


def test_labelling_and_its_repetition_from_disk(endpoint: Endpoint, passages: Path) -> None:
    endpoint.script = [BUSY]
    prices = ("--price-in", 10, "--price-out", 100)
    named = ("--api-key-env", "TEACHER_KEY")
    done = label(endpoint, passages, "--yes", *prices, *named, TEACHER_KEY="sk-teacher")
    assert done.exit_code == 0, done.stderr
    assert "3 passages, 6 requests to http://127.0.0.1" in done.stderr
    assert "US dollars\n" in done.stderr
    assert "6 new replies, 0 from disk, 1 tries repeated, 0 failed" in done.stderr
    assert "600 prompt and 12 completion tokens, 0.0072 US dollars" in done.stderr
    assert "3 of 3 passages labelled" in done.stdout
    assert set(endpoint.keys) == {"Bearer sk-teacher"}
    out = passages.with_name("labelled.jsonl")
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["m1", "g1", "p1"]
    assert rows[0]["light"].startswith("council did not approve budget 1,250 dollars")
    manifest = json.loads(out.with_suffix(".manifest.json").read_text("utf-8"))
    assert manifest["settings"]["model"] == "teacher"
    assert manifest["settings"]["grades"] == ["light", "heavy"]
    assert manifest["counts"]["prompt tokens"] == 600
    assert "sk-teacher" not in out.with_suffix(".manifest.json").read_text("utf-8")

    asked, written = len(endpoint.bodies), out.read_bytes()
    again = label(endpoint, passages)  # nobody has to be asked about nothing
    assert again.exit_code == 0, again.stderr
    assert "All answers for 3 passages are on disk" in again.stderr
    assert len(endpoint.bodies) == asked
    assert out.read_bytes() == written


def test_without_a_terminal_money_is_spent_only_with_yes(
    endpoint: Endpoint, passages: Path
) -> None:
    done = label(endpoint, passages)
    assert done.exit_code == 2
    assert "at a price that is not known" in done.stderr
    assert "say so with --yes" in done.stderr
    assert endpoint.bodies == []
    assert not passages.with_name("labelled.jsonl").exists()


@pytest.mark.parametrize(("said", "asked"), [(b"n\n", 0), (b"y\n", 6)])
def test_at_a_terminal_somebody_is_asked(
    endpoint: Endpoint, passages: Path, said: bytes, asked: int
) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, said)
    arguments = ("distill", "label", passages, passages.with_name("labelled.jsonl"))
    options = ("--base-url", endpoint.url, "--model", "teacher", "--price-in", 1, "--price-out", 1)
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from proxy.cli import main; main()"),
                *map(str, (*arguments, *options)),
            ],
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert "about 0.00 US dollars" in done.stderr
    assert "Go on? [y/N]" in done.stderr
    assert len(endpoint.bodies) == asked
    assert done.returncode == (0 if asked else 1)


def test_what_is_no_deletion_is_flagged_and_counted(endpoint: Endpoint, passages: Path) -> None:
    endpoint.reply = lambda text: "It rains." if "river" in text else cross_out(text)
    done = label(endpoint, passages, "--yes", "--grades", "one", "--concurrency", 1)
    assert done.exit_code == 0, done.stderr
    assert "1 of them are flagged: 1 x shortened: these words do not stand" in done.stderr
    rows = passages.with_name("labelled.jsonl").read_text("utf-8").splitlines()
    flagged = [row for row in map(json.loads, rows) if "flags" in row]
    assert [row["id"] for row in flagged] == ["g1"]


def test_passages_without_an_answer_are_asked_for_again(endpoint: Endpoint, passages: Path) -> None:
    too_long = (400, {}, {"error": {"message": "too long"}})
    endpoint.script = [too_long]
    done = label(endpoint, passages, "--yes", "--concurrency", 1)
    assert done.exit_code == 0
    assert "2 of 3 passages labelled" in done.stdout
    assert "1 passages got no answer" in done.stderr
    assert "too long" in done.stderr
    again = label(endpoint, passages, "--yes")
    assert "3 of 3 passages labelled" in again.stdout
    assert "2 new replies, 4 from disk" in again.stderr


def test_where_no_passage_got_an_answer_nothing_is_written(
    endpoint: Endpoint, passages: Path
) -> None:
    out = passages.with_name("labelled.jsonl")
    out.write_text("of another run\n")
    endpoint.script = [(400, {}, {"error": {"message": "too long"}})] * 3
    done = label(endpoint, passages, "--yes")
    assert done.exit_code == 2
    assert "none of the 3 passages got an answer; the first: the endpoint" in done.stderr
    assert out.read_text() == "of another run\n"


def test_a_wrong_key_ends_it_and_keeps_what_was_paid_for(
    endpoint: Endpoint, passages: Path
) -> None:
    assert label(endpoint, passages, "--yes", "--limit", 1).exit_code == 0
    endpoint.script = [(401, {}, {"error": {"message": "no such key"}})] * 8
    refused = label(endpoint, passages, "--yes")
    assert refused.exit_code == 2
    assert "no such key" in refused.stderr
    endpoint.script = []
    assert "4 new replies, 2 from disk" in label(endpoint, passages, "--yes").stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--heavy", "0.7"), "0.7 is not under --light 0.6"),
        (("--base-url", "nonsense"), "--base-url"),
    ],
)
def test_what_cannot_be_asked(
    endpoint: Endpoint, passages: Path, options: tuple[str, ...], said: str
) -> None:
    done = label(endpoint, passages, "--yes", *options)
    assert done.exit_code == 2
    assert said in done.stderr


def test_rates_are_of_two_grades(endpoint: Endpoint, passages: Path) -> None:
    done = label(endpoint, passages, "--yes", "--grades", "one", "--heavy", "0.7")
    assert done.exit_code == 0, done.stderr


def test_a_file_without_a_passage_is_refused(endpoint: Endpoint, passages: Path) -> None:
    passages.write_text("\n", "utf-8")
    done = label(endpoint, passages, "--yes")
    assert done.exit_code == 2
    assert f"{passages}: there is no passage in it" in done.stderr
    assert not passages.with_name("labelled.jsonl").exists()


@pytest.mark.parametrize(
    ("out", "named"),
    [
        ("file/labelled.jsonl", "file: Not a directory"),
        ("folder", "folder: Is a directory"),
        ("linked.jsonl", "linked.replies.jsonl: No such file"),
        ("made.jsonl", "made.manifest.json: Is a directory"),
    ],
)
def test_what_cannot_be_written_is_found_before_anything_is_asked(
    endpoint: Endpoint, passages: Path, out: str, named: str
) -> None:
    (passages.parent / "file").write_text("")
    (passages.parent / "linked.replies.jsonl").symlink_to("nowhere/replies.jsonl")
    for folder in ("folder", "made.manifest.json"):
        (passages.parent / folder).mkdir()
    done = label(endpoint, passages, "--yes", out=out)
    assert done.exit_code == 2
    assert named in done.stderr
    assert endpoint.bodies == []


def test_without_an_address_the_model_names_its_provider(passages: Path) -> None:
    out = passages.with_name("labelled.jsonl")
    arguments = ["distill", "label", str(passages), str(out), "--model", "gpt-4o", "--yes"]
    done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 2
    assert "anthropic/{model}" in " ".join(done.stderr.split())


def test_a_heavy_grade_that_was_not_paid_for_is_not_asked_for_unseen(
    endpoint: Endpoint, passages: Path
) -> None:
    assert label(endpoint, passages, "--yes").exit_code == 0
    replies = passages.with_name("labelled.replies.jsonl")
    lines = replies.read_text("utf-8").splitlines(keepends=True)
    replies.write_text("".join(lines[:3]), "utf-8")  # as a killed process leaves it
    asked = len(endpoint.bodies)
    done = label(endpoint, passages)
    assert done.exit_code == 2
    assert "3 requests to" in done.stderr
    assert len(endpoint.bodies) == asked
