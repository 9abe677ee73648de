import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from proxy.access import digest_of
from proxy.cli import build
from proxy.config import load, read_keys
from tests.proxy.config_files import LEAST


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["keys", *arguments])


def key_in(output: str) -> str:
    (key,) = re.findall(r"^tsly_[\w-]{43}$", output, re.MULTILINE)
    return str(key)


def test_a_new_keys_entry_lets_it_in(tmp_path: Path) -> None:
    result = invoke("create", "ci-bot", "--tenant", "team-a", "--model", "gpt-4o*", "--path", "*")
    assert result.exit_code == 0
    entry = result.stdout[result.stdout.index("ci-bot:") :]
    path = tmp_path / "config.yaml"
    indented = "".join(f"    {line}\n" for line in entry.splitlines())
    path.write_text(LEAST + "access:\n  keys:\n" + indented)
    (key,) = load(path, {}).access.keys.items()
    assert key[0] == "ci-bot"
    assert key[1].sha256.get_secret_value() == digest_of(key_in(result.stdout))
    assert (key[1].tenant, key[1].models) == ("team-a", ("gpt-4o*",))


@pytest.mark.parametrize("before", ["", "old:\n  sha256: " + "a" * 64, None])
def test_entries_are_appended_to_a_file(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "keys.yaml"
    if before is not None:
        path.write_text(before)
    for name in ("a", "b"):
        limits = ("--requests-per-minute", "5", "--tokens-per-day", "7", "--control-headers")
        result = invoke("create", name, "--policy", "safe", *limits, "--add-to", str(path))
        assert result.exit_code == 0, result.stderr
        key = read_keys(path)[name]
        assert key.sha256.get_secret_value() == digest_of(key_in(result.stdout))
        assert key.control_headers
        assert key.limits is not None
        assert (key.limits.requests_per_minute, key.limits.tokens_per_day) == (5, 7)
    assert len(read_keys(path)) == (3 if before else 2)
    if before is None:
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("span", "hours"), [("12h", 12), ("90d", 90 * 24), ("2w", 14 * 24)])
def test_spans_of_time(tmp_path: Path, span: str, hours: int) -> None:
    path = tmp_path / "keys.yaml"
    before = datetime.now(UTC)
    assert invoke("create", "k", "--expires", span, "--add-to", str(path)).exit_code == 0
    expires = read_keys(path)["k"].expires
    assert expires is not None
    assert abs(expires - before - timedelta(hours=hours)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bad name",), "'bad name' is no usable name"),
        (("k", "--expires", "soon"), "expires: "),
        (("k", "--tenant", "a b"), "tenant: "),
        (("k", "--model", ""), "models: "),
    ],
)
def test_what_no_config_would_take_is_refused(arguments: tuple[str, ...], words: str) -> None:
    result = invoke("create", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "tsly_" not in result.stdout


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    invoke("create", "k", "--add-to", str(path))
    before = path.read_bytes()
    result = invoke("create", "k", "--add-to", str(path))
    assert result.exit_code == 2
    assert "has a key 'k' already" in result.stderr
    assert path.read_bytes() == before


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    broken = tmp_path / "keys.yaml"
    broken.write_text("k: [\n")
    result = invoke("create", "k", "--add-to", str(broken))
    assert result.exit_code == 2
    assert f"{broken}:" in result.stderr
    result = invoke("create", "k", "--add-to", str(tmp_path / "none" / "keys.yaml"))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_the_list_shows_no_whole_hash(tmp_path: Path) -> None:
    file, path = tmp_path / "keys.yaml", tmp_path / "config.yaml"
    path.write_text(LEAST + f"access: {{keys_file: '{file}'}}\n")
    options = ("--model", "gpt-4o*", "--expires", "2020-01-01", "--control-headers")
    first = key_in(invoke("create", "a", *options, "--add-to", str(file)).stdout)
    limits = ("--tokens-per-minute", "9", "--tenant", "t", "--expires", "3000-01-01")
    second = key_in(invoke("create", "b", *limits, "--add-to", str(file)).stdout)
    result = invoke("list", "--config", str(path))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"a  sha256={digest_of(first)[:8]}...  tenant=a  expired=2020-01-01T00:00+00:00  "
        "models=gpt-4o*  control_headers",
        f"b  sha256={digest_of(second)[:8]}...  tenant=t  expires=3000-01-01T00:00+00:00  "
        "tokens_per_minute=9",
    ]


@pytest.mark.parametrize(
    ("text", "state"), [("", "everybody is let in"), ("access: {keys: {}}", "nobody is let in")]
)
def test_a_list_of_none(tmp_path: Path, text: str, state: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST + text)
    assert state in invoke("list", "--config", str(path)).stdout


def test_a_bad_config_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("nonsense: 1\n")
    result = invoke("list", "--config", str(path))
    assert result.exit_code == 2
    assert f"{path}:1: nonsense" in result.stderr
