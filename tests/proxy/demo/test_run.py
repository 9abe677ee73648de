import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy.cli import build


def test_the_demo_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: str(tmp_path))
    result = CliRunner().invoke(build(), ["demo", "--rate", "0.5"])
    assert result.exit_code == 0, result.output
    before, after = (
        int(re.search(rf"tokens {w}\s+([\d,]+)", result.stdout)[1].replace(",", ""))
        for w in ("before", "after")
    )
    assert 0.48 * before <= after <= 0.5 * before + 1
    assert "[-" in result.stdout
    assert "Why were some customers charged twice" in result.stdout
    billed = re.search(r"billed by the stand-in\s+([\d,]+)", result.stdout)[1]
    assert int(billed.replace(",", "")) - after in range(12)  # what the chat format adds
    savings = CliRunner().invoke(
        build(), ["savings", "--json", "--path", str(tmp_path / "savings.db")]
    )
    assert json.loads(savings.stdout)["total"]["tokens_sent"] == after


def test_the_demo_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.commands.demo.find_spec", lambda name: None)
    result = CliRunner().invoke(build(), ["demo"])
    assert result.exit_code == 2
    assert "pip install 'tersely[demo]'" in result.stderr
