"""Rate-quality curves as one self-contained HTML page: inline SVG, tables, nothing loaded."""

from collections.abc import Mapping, Sequence
from html import escape

from compressor.evaluation.plot import COLOURS
from compressor.evaluation.summary import Cell, curves

_WIDTH, _HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 10, 10, 36

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rate and answer survival</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1320px; margin: 2rem auto;
  padding: 0 1rem; }}
.sets {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr));
  gap: 1.5rem; }}
figure {{ margin: 0; }} figcaption {{ font-weight: 600; }}
svg {{ width: 100%; height: auto; font-size: 11px; fill: currentColor; }}
.grid {{ stroke: var(--line); }}
.legend span {{ margin-right: 1.2em; white-space: nowrap; }}
.legend i {{ display: inline-block; width: .8em; height: .8em; border-radius: 50%;
  margin-right: .35em; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ text-align: left; }}
</style></head><body>
<h1>Rate and answer survival</h1>
<p>Share of questions of which an answer still stands in the shortened text, over the share of
tokens kept. Bands are 95% bootstrap intervals over documents.</p>
<p class="legend">{legend}</p>
<div class="sets">{figures}</div>
{tables}
</body></html>
"""


def html_page(cells: Sequence[Cell]) -> str:
    """Return the page."""
    names = list(dict.fromkeys(cell.method for cell in cells))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for name, colour in colours.items()
    )
    sets = curves(cells)
    figures = "".join(_figure(name, found, colours) for name, found in sets.items())
    tables = "".join(_table(name, found) for name, found in sets.items())
    return _PAGE.format(legend=legend, figures=figures, tables=tables)


def _figure(name: str, by_method: Mapping[str, Sequence[Cell]], colours: Mapping[str, str]) -> str:
    drawn = "".join(_curve(own, colours[method]) for method, own in by_method.items())
    label = f"Answer survival over the rate, {name}"
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{_grid()}{drawn}</svg></figure>"
    )


def _grid() -> str:
    parts = []
    for step in range(6):
        share = step / 5
        x, y = _x(share), _y(share)
        parts.append(
            f'<line class="grid" x1="{_x(0):.1f}" y1="{y:.1f}" x2="{_x(1):.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.1f}</text>'
            f'<line class="grid" x1="{x:.1f}" y1="{_y(0):.1f}" x2="{x:.1f}" y2="{_y(1):.1f}"/>'
            f'<text x="{x:.1f}" y="{_y(0) + 15:.1f}" text-anchor="middle">{share:.1f}</text>'
        )
    middle = _x(0.5)
    parts.append(
        f'<text x="{middle:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">'
        "tokens kept / tokens before</text>"
    )
    return "".join(parts)


def _curve(cells: Sequence[Cell], colour: str) -> str:
    upper = [(_x(c.realised), _y(c.survival.high)) for c in cells]
    lower = [(_x(c.realised), _y(c.survival.low)) for c in reversed(cells)]
    line = [(_x(c.realised), _y(c.survival.value)) for c in cells]
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{escape(_hint(c))}'
        "</title></circle>"
        for c, (x, y) in zip(cells, line, strict=True)
    )
    return (
        f'<polygon points="{_points([*upper, *lower])}" fill="{colour}" opacity="0.15"/>'
        f'<polyline points="{_points(line)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        f"{dots}"
    )


def _hint(cell: Cell) -> str:
    found = cell.survival
    return (
        f"{cell.method} at {cell.rate:g}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
    )


def _table(name: str, by_method: Mapping[str, Sequence[Cell]]) -> str:
    rates = sorted({c.rate for own in by_method.values() for c in own}, reverse=True)
    head = "".join(f"<th>{rate:g}</th>" for rate in rates)
    body = []
    for method, own in by_method.items():
        at = {cell.rate: cell for cell in own}
        values = "".join(
            f"<td>{at[rate].survival.value:.3f}</td>" if rate in at else "<td></td>"
            for rate in rates
        )
        body.append(f"<tr><td>{escape(method)}</td>{values}</tr>")
    first = next(iter(by_method.values()))[0]
    table = f"<table><tr><th>method</th>{head}</tr>{''.join(body)}</table>"
    return (
        f"<h2>{escape(name)}</h2><p>{first.documents:,} documents, {first.questions:,} questions"
        f'</p><div class="scroll">{table}</div>'
    )


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
