"""The audit of dependencies tells "none known" from "could not ask"."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
CLEAN = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "away", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


def stand_in(tmp_path: Path, output: str, status: int) -> list[str]:
    """A pip-audit that says this."""
    script = tmp_path / "pip_audit.py"
    script.write_text(
        "import sys\n"
        f"print({output!r})\n"
        "print('WARNING: something\\nERROR: no way to the service', file=sys.stderr)\n"
        f"sys.exit({status})\n"
    )
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        ([CLEAN], 0, ["1 dependencies without known vulnerabilities."]),
        ([CLEAN, BAD], 1, ["VULNERABLE: bad 2: PYSEC-1 (fixed in 3)", "1 dependencies without"]),
        ([CLEAN, SKIPPED], 0, ["1 dependencies without", "NOT AUDITED: away"]),
        ([BAD, SKIPPED], 1, ["VULNERABLE: bad 2", "NOT AUDITED: away"]),
        # pip-audit itself says "No known vulnerabilities found" to this, and ends with 0
        ([SKIPPED], 0, ["NOT AUDITED: no advisories could be had for any of 1 dependencies"]),
    ],
)
def test_three_answers(
    audit: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    found: list[dict[str, Any]],
    status: int,
    words: list[str],
) -> None:
    command = stand_in(tmp_path, json.dumps({"dependencies": found}), status)
    assert audit.main(["requirements.txt"], command) == status
    printed = capsys.readouterr().out
    for word in words:
        assert word in printed
    assert ("without known" in printed) is (found != [SKIPPED])


def test_a_service_that_cannot_be_reached_is_not_a_finding(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(["requirements.txt"], stand_in(tmp_path, "", 1)) == 0
    printed = capsys.readouterr().out
    assert "NOT AUDITED" in printed
    assert "ERROR: no way to the service" in printed
    assert "without known" not in printed


def test_a_pip_audit_that_is_not_there(
    audit: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(["requirements.txt"], ["/no/such/command"]) == 0
    assert "NOT AUDITED" in capsys.readouterr().out


def test_continuous_integration_asks() -> None:
    assert "make audit" in (ROOT / ".ci" / "run").read_text()
    makefile = (ROOT / "Makefile").read_text()
    command = makefile[makefile.index("\naudit:") :].split("\n\n")[0]
    for name in ("base", "build", "dev", "torch", "integrations"):
        assert f"requirements/{name}.txt" in command
