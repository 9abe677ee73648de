"""What .ci/run asks of `make test-all`: that no test is left out without a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TESTS = {
    "of_a_test": "import pytest\n@pytest.mark.skip(reason='not here')\ndef test_it(): pass\n",
    "of_a_file": "import pytest\npytest.importorskip('no_such', reason='not here')\n",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"


def pytest_run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a test file with this source."""
    test = folder / "test_one.py"
    test.write_text(source + "\ndef test_other(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", f"--rootdir={folder}"]
    command += ["-c", os.devnull, *options, str(test)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", TESTS)
def test_a_skip_fails_where_none_is_allowed(tmp_path: Path, kind: str) -> None:
    strict = pytest_run(tmp_path, TESTS[kind], "--no-skips")
    assert strict.returncode in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert "not here (--no-skips)" in strict.stdout


def test_what_is_no_skip_does_not_fail(tmp_path: Path) -> None:
    assert pytest_run(tmp_path, EXPECTED_FAILURE, "--no-skips").returncode == 0
    assert "1 skipped" in pytest_run(tmp_path, TESTS["of_a_test"]).stdout


@pytest.fixture
def made(tmp_path: Path) -> list[str]:
    """`make test-all` in environments that are there already, with a Node that does not work."""
    torch, bench, path = (tmp_path / name for name in ("torch", "bench", "path"))
    for stamp in (torch / ".created", torch / ".dev", bench / ".created", bench / ".peer"):
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    for program, status in ((torch / "bin" / "python", 0), (path / "node", 1), (path / "npm", 1)):
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho ran {program.name}\nexit {status}\n")
        program.chmod(0o755)
    settings = {"VENV_TORCH": torch, "VENV_BENCH": bench, "NODE_CLIENTS": tmp_path / "none"}
    given = [f"{name}={value}" for name, value in settings.items()]
    # What a `make` around this run was told does not hold for the one that is tested.
    clean = ["env", "-u", "MAKEFLAGS", "-u", "MAKEOVERRIDES", "-u", "STRICT"]
    return [*clean, f"PATH={path}:{os.environ['PATH']}", "make", "test-all", *given]


@pytest.mark.parametrize("strict", [False, True])
def test_a_client_that_cannot_be_installed(made: list[str], strict: bool) -> None:
    command = [*made, "STRICT=1"] if strict else made
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "need Node 20 or newer" in run.stderr
    assert (run.returncode == 0) is not strict
    assert ("Going on without Node: its tests are skipped." in run.stderr) is not strict
    assert ("ran python" in run.stdout) is not strict


def test_the_checks_of_a_change_are_strict() -> None:
    [line] = [
        line
        for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
        if line.startswith('step "make test-all"')
    ]
    assert "STRICT=1" in line
    assert "--no-skips" in line
