import errno
import io
import json
import re
from concurrent.futures import Future
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from compressor.calibration import read_calibration
from compressor.classifier.registry import bundled_folder
from compressor.tokens import load_counter
from proxy.cli import build
from proxy.commands.compress import _show_progress

TEXT = (
    "The committee did not approve the budget of 4,250 euros because the auditor had not yet "
    "signed the report, and so it will have to meet again on 14 March in the old town hall.\n"
) * 3


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(build(), ["compress", *arguments], input=stdin)


def test_a_filter_writes_the_shorter_text_and_nothing_else() -> None:
    result = run("--rate", "0.5", stdin=TEXT)
    assert result.exit_code == 0
    assert 0 < len(result.stdout) < len(TEXT)
    assert set(re.findall(r"\w+", result.stdout)) <= set(re.findall(r"\w+", TEXT))
    assert "not" in result.stdout


def test_a_file_as_json(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    result = run(str(tmp_path / "text.txt"), "--target-tokens", "40", "--json")
    document = json.loads(result.stdout)
    assert document["tokens_after"] <= 40 < document["tokens_before"]
    assert "".join(TEXT[s["start"] : s["end"]] for s in document["kept"]) == document["text"]


def test_the_diff_shows_every_word_of_the_source() -> None:
    result = run("--diff", stdin=TEXT)
    shown = result.stdout.replace("[-", "").replace("-]", "")
    assert shown.split() == TEXT.split()
    assert "[-" in result.stdout
    assert "tokens" in result.stderr


def test_the_diff_leaves_tabs_and_line_ends_as_they_are() -> None:
    text = "The harbour\twas closed because of a storm.\r\nIt will open again at noon.\r\n"
    shown = run("--diff", "--rate", "0.9", stdin=text.encode()).stdout_bytes
    assert shown.count(b"\t") == 1
    assert shown.count(b"\r\n") == 2


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_diff_ends_as_the_text_does_and_with_a_line_end(end: str) -> None:
    shown = run("--diff", "--rate", "0.9", stdin=TEXT.rstrip() + end).stdout
    assert shown[len(shown.rstrip("\n")) :] == (end or "\n")


@pytest.mark.parametrize("form", ["--json", "--diff"])
def test_output_is_utf_8_whatever_the_terminal_has(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    text = "図書館は町の中心にある古い橋の近くに新しく建てられた。"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    build()(["compress", "--rate", "0.9", form], standalone_mode=False)
    assert "図書館" in raw.getvalue().decode()


class Full(io.RawIOBase):
    """A file on a disk without room."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_result_that_cannot_be_written_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(Full())))
    assert build()(["compress", "--rate", "1"], standalone_mode=False) == 2
    assert "cannot write the result: No space left" in capsys.readouterr().err


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_stream_that_is_closed_is_explained(
    stream: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    monkeypatch.setattr(f"sys.{stream}", None)  # as Python has it where there is none
    assert build()(["compress", "--rate", "1"], standalone_mode=False) == 2
    assert "standard " in (said := capsys.readouterr().err)
    assert "is closed" in said


class Terminal(io.TextIOWrapper):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "struck"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_the_diff_has_brackets_where_there_are_no_colours(
    variables: dict[str, str], struck: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    monkeypatch.setattr("sys.stdout", Terminal(raw, "utf-8", write_through=True))
    build()(["compress", "--diff"], standalone_mode=False)
    shown = raw.getvalue()
    assert (b"\x1b[" in shown, b"[-" in shown) == (struck, not struck)


def test_a_file_may_be_longer_than_what_may_wait_elsewhere() -> None:
    result = run("--rate", "0.5", stdin=TEXT + " " * 3_300_000 + TEXT)
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.split()) < len(TEXT.split()) * 2


def test_a_budget_that_is_not_met_is_said() -> None:
    result = run("--target-tokens", "1", "--diff", stdin=TEXT)
    assert result.exit_code == 0
    assert "the budget is not met" in result.stderr
    assert "not met" not in run("--target-tokens", "60", "--diff", stdin=TEXT).stderr


def test_an_estimate_of_tokens_is_said() -> None:
    document = json.loads(run("--model", "claude-x", "--json", stdin=TEXT).stdout)
    assert (document["encoding"], document["tokens_estimated"]) == ("o200k_base", True)
    assert json.loads(run("--json", stdin=TEXT).stdout)["tokens_estimated"] is False
    assert "counted with o200k_base" in run("--model", "claude-x", "--diff", stdin=TEXT).stderr


def test_a_forced_word_stays() -> None:
    assert (
        run("--rate", "0.2", "--force-token", "so it will", stdin=TEXT).stdout.count("so it will")
        == 3
    )


def test_a_threshold_by_name_and_by_number() -> None:
    number = read_calibration(bundled_folder()).thresholds["aggressive"]
    by_name = run("--threshold", "aggressive", stdin=TEXT)
    assert by_name.exit_code == 0
    assert by_name.stdout == run("--threshold", str(number), stdin=TEXT).stdout
    assert len(by_name.stdout) < len(TEXT)


def test_tokens_are_those_of_a_tokenizer_file() -> None:
    path = str(bundled_folder() / "tokenizer.json")
    result = run("--model", path, "--target-tokens", "60", "--json", stdin=TEXT)
    document = json.loads(result.stdout)
    counter = load_counter(path)
    assert document["tokens_before"] == counter.count(TEXT)
    assert document["tokens_after"] == counter.count(document["text"]) <= 60
    assert not document["tokens_estimated"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["--rate", "1.4"], TEXT, "rate is 1.4"),
        (["--rate", "0.5", "--threshold", "0.5"], TEXT, "exactly one of"),
        (["--threshold", "1.5"], TEXT, "threshold is 1.5"),
        (["--threshold", "gentel"], TEXT, "it has aggressive, balanced, gentle"),
        (["--threshold", "50%"], TEXT, "a name of lower-case letters"),
        (["absent.txt"], None, "cannot read absent.txt"),
        ([], b"\xff\xfe", "not UTF-8"),
        (["--classifier", "/absent"], TEXT, "there is no folder /absent"),
        (["--model", "/absent/tokenizer.json"], TEXT, "cannot read the tokenizer file /absent"),
    ],
)
def test_what_cannot_be_is_explained(
    arguments: list[str], stdin: str | bytes | None, said: str
) -> None:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not result.stdout


def test_explained_as_json_every_word_has_a_reason() -> None:
    document = json.loads(run("--json", "--explain", stdin=TEXT).stdout)
    words = document["words"]
    assert [TEXT[w["start"] : w["end"]] for w in words if w["kept"]][:1] != []
    assert {w["why"] for w in words} >= {"classifier", "protected:negation"}
    assert all(0 <= w["probability"] <= 1 for w in words)
    assert "words" not in json.loads(run("--json", stdin=TEXT).stdout)


def test_a_page_is_written_beside_the_text(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = run("--html", str(page), "--question", "When will it meet?", stdin=TEXT)
    assert result.exit_code == 0
    assert 0 < len(result.stdout) < len(TEXT)
    assert "keep probability" in page.read_text()
    assert run("--html", str(tmp_path / "no" / "page.html"), stdin=TEXT).exit_code == 2


def test_a_page_goes_to_standard_output_in_the_place_of_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("--html", "-", stdin=TEXT)
    assert result.exit_code == 0
    assert result.stdout.startswith("<!doctype html>")
    assert result.stdout.rstrip().endswith("</html>")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["--json", "--diff"])
def test_a_page_and_another_form_do_not_go_to_one_output(form: str) -> None:
    result = run("--html", "-", form, stdin=TEXT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert form in result.stderr


def test_a_word_to_keep_that_is_empty_is_refused() -> None:
    result = run("--force-token", "", "--force-token", "hall", stdin=TEXT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--force-token" in result.stderr


@pytest.mark.parametrize("options", [("--explain",), ("--diff", "--json")])
def test_options_of_another_output_are_refused(options: tuple[str, ...]) -> None:
    result = run(*options, stdin=TEXT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert options[-1] in result.stderr


def test_a_page_never_takes_the_place_of_its_text(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    result = run(str(path), "--html", str(tmp_path / "." / "text.txt"))
    assert result.exit_code == 2
    assert "over the text itself" in result.stderr
    assert path.read_text() == TEXT


def test_long_prose_in_json_on_request() -> None:
    text = json.dumps({"id": "a-1", "body": TEXT.strip()})
    shorter = json.loads(run("--json-prose", stdin=text).stdout)
    assert shorter["id"] == "a-1"
    assert 0 < len(shorter["body"]) < len(TEXT)
    assert json.loads(run(stdin=text).stdout) == json.loads(text)


class Slow:
    """A draft whose windows are done one look after the other."""

    def __init__(self) -> None:
        self.pending: Future[None] = Future()
        self.looks = 0

    @property
    def progress(self) -> tuple[int, int]:
        self.looks += 1
        if self.looks == 4:
            self.pending.set_result(None)
        return self.looks, 4


def test_progress_is_shown_until_all_is_read() -> None:
    shown = io.StringIO()
    slow = Slow()
    _show_progress(slow, Console(file=shown, force_terminal=True, width=60))  # type: ignore[arg-type]
    assert slow.looks == 4
    assert "Compressing" in shown.getvalue()
