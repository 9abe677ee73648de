"""Needs matplotlib, which is in the environment of `make test-all`."""

from pathlib import Path

import pytest

from compressor.evaluation.plot import draw, write_png
from compressor.evaluation.registry import METHODS
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


@pytest.mark.torch
@pytest.mark.parametrize("name", ["curves", "curves.svg", "new folder/curves.png"])
def test_a_png_is_written_whatever_the_file_is_called(name: str, tmp_path: Path) -> None:
    write_png(summarise(ROWS), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.torch
@pytest.mark.parametrize("sets", [1, 2, 3, 4])
def test_every_method_is_named_within_the_picture(sets: int) -> None:
    rows = [row(name, "a", [True], set=f"set {i}") for i in range(sets) for name in METHODS]
    figure = draw(summarise(rows))
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    assert 0 <= legend.x0 < legend.x1 <= figure.bbox.width
    assert 0 <= legend.y0 < legend.y1 <= figure.bbox.height
