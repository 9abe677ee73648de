"""Needs matplotlib, which is in the environment of `make test-all`."""

from pathlib import Path

import pytest

from compressor.evaluation.plot import write_png
from compressor.evaluation.summary import summarise
from tests.compressor.evaluation.test_summary import ROWS, row


@pytest.mark.torch
def test_a_picture_is_written(tmp_path: Path) -> None:
    others = [row("tersely", "a", [True], set=f"set {i}") for i in range(3)]
    path = tmp_path / "curves.png"
    write_png(summarise([*ROWS, *others]), path)
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
    assert width > 1000  # three panels a row
    assert height > 500  # and a second row for the fourth
