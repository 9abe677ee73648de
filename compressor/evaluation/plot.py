"""Rate-quality curves as a PNG picture (matplotlib, eval extra)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compressor.evaluation.extra import load
from compressor.evaluation.summary import Cell, curves

# As many as there are methods, so that no two curves look alike.
COLOURS = (
    *("#0b6e4f", "#c8553d", "#3d5a80", "#e09f3e", "#7b2d8b"),
    *("#6c757d", "#118ab2", "#8d5524", "#e75a9b", "#111111"),
)
_COLUMNS = 3
_NAMES_A_ROW = (2, 5, 9)  # in the legend, that as many panels side by side have room for


def write_png(cells: Sequence[Cell], path: Path, *, dpi: int = 80) -> None:
    """Write a picture of survival over the realised rate, and its folder where there is none.

    Raises MissingExtra without matplotlib.
    """
    figure = draw(cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Named, since matplotlib would go by the file's ending and take other arguments for others.
    figure.savefig(path, dpi=dpi, format="png", pil_kwargs={"optimize": True})


def draw(cells: Sequence[Cell]) -> Any:  # noqa: ANN401 - matplotlib is no dependency
    """Return a figure, one panel a set, with 95% intervals as bands. Raises MissingExtra."""
    figure_module = load("matplotlib.figure", "the PNG plot")
    # No pyplot: it keeps figures in a global list and looks for a display.
    panels = list(curves(cells).items())
    columns = min(_COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure = figure_module.Figure(figsize=(4.2 * columns, 3.3 * lines + 0.5), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
    names = list(dict.fromkeys(cell.method for cell in cells))
    for index, (name, by_method) in enumerate(panels):
        axis = axes[index // columns][index % columns]
        axis.set_title(name, fontsize=10)
        for method, own in by_method.items():
            colour = COLOURS[names.index(method) % len(COLOURS)]
            rates = [cell.realised for cell in own]
            axis.fill_between(
                rates,
                [cell.survival.low for cell in own],
                [cell.survival.high for cell in own],
                color=colour,
                alpha=0.1,
                linewidth=0,
            )
            values = [cell.survival.value for cell in own]
            axis.plot(rates, values, color=colour, marker="o", markersize=3, label=method)
        axis.set_ylim(0, 1.02)
        axis.grid(alpha=0.3)
        axis.set_xlabel("tokens kept / tokens before", fontsize=8)
    for index in range(len(panels), lines * columns):
        axes[index // columns][index % columns].set_axis_off()
    axes[0][0].set_ylabel("answers that survive", fontsize=8)
    handles, labels = axes[0][0].get_legend_handles_labels()
    in_a_row = min(len(labels), _NAMES_A_ROW[columns - 1])
    figure.legend(handles, labels, loc="outside lower center", ncols=in_a_row, fontsize=8)
    return figure
