"""The report of an annotation: histograms of what was measured, as one self-contained page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean, median
from typing import Any

from compressor.training.annotate import METRICS, degrees
from compressor.training.filters import Sifted
from compressor.training.passage import GRADES

_WIDTH, _HEIGHT, _BOTTOM, _BINS = 260, 110, 18, 20
_WORST = 10
_TITLES = {
    "rate": "Rate: words left / words",
    "match": "Match: share of the shortened text that was aligned",
    "variation": "Variation rate: words that are not the original's",
    "hitting": "Hitting rate: words of the original that were found",
    "matching": "Matching rate: words of the original that were aligned",
    "gap": "Alignment gap: hitting - matching",
    "negations": "Negations kept, of those whose word is kept",
    "numbers": "Numbers kept, of those whose clause is half kept",
    "flags": "Flags: what labelling found wrong",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Annotated passages</title>
<style>
:root {{ color-scheme: light dark; --line: #8888; --bar: #3b7dd8; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto;
  padding: 0 1rem; }}
.all {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 250px), 1fr));
  gap: 1.2rem; }}
figure {{ margin: 0; }} figcaption {{ font-size: 13px; }}
svg {{ width: 100%; height: auto; font-size: 10px; fill: currentColor; }}
rect {{ fill: var(--bar); }} line {{ stroke: var(--line); }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ text-align: left; }}
</style></head><body>
<h1>Annotated passages</h1>
<p>{kept:,} of {total:,} passages were kept. The histograms show all of them, before filtering;
bars are passages.</p>
{dropped}{labels}{grades}
<h2>By source</h2>{sources}
<h2>The worst matches</h2>{worst}
</body></html>
"""


def annotation_page(lines: Sequence[Mapping[str, Any]], sifted: Sifted) -> str:
    """Return the page for all annotated lines and what the filters left of them."""
    present = [grade for grade in GRADES if any(grade in line["metrics"] for line in lines)]
    return _PAGE.format(
        kept=len(sifted.kept),
        total=len(lines),
        dropped=_table(("dropped by", "passages"), list(sifted.dropped.items())),
        labels=_table(
            ("label", "words of the passages kept"), sorted(degrees(sifted.kept).items())
        ),
        grades="".join(_grade(grade, lines) for grade in present),
        sources=_sources(lines, sifted),
        worst=_worst(lines),
    )


def histogram(values: Sequence[float], low: float, high: float, bins: int = _BINS) -> list[int]:
    """Count values into equal bins from `low` to `high`; the last one takes `high` in."""
    counts = [0] * bins
    width = (high - low) / bins or 1.0
    for value in values:
        counts[min(max(int((value - low) / width), 0), bins - 1)] += 1
    return counts


def _grade(grade: str, lines: Sequence[Mapping[str, Any]]) -> str:
    figures = []
    for metric in METRICS:
        values = [
            line["metrics"][grade][metric]
            for line in lines
            if grade in line["metrics"] and line["metrics"][grade][metric] is not None
        ]
        if values:
            figures.append(_figure(_TITLES[metric], values))
    return f'<h2>{escape(grade)}</h2><div class="all">{"".join(figures)}</div>'


def _figure(title: str, values: Sequence[float]) -> str:
    low, high = min(0.0, *values), max(1.0, *values)
    counts = histogram(values, low, high)
    top = max(counts)
    step = _WIDTH / len(counts)
    room = _HEIGHT - _BOTTOM
    bars = "".join(
        f'<rect x="{index * step + 1:.1f}" y="{room - room * count / top:.1f}" '
        f'width="{step - 2:.1f}" height="{room * count / top:.1f}"><title>{count}</title></rect>'
        for index, count in enumerate(counts)
        if count
    )
    axis = (
        f'<line x1="0" y1="{room}" x2="{_WIDTH}" y2="{room}"/>'
        f'<text x="0" y="{_HEIGHT - 4}">{low:g}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 4}" text-anchor="end">{high:g}</text>'
    )
    facts = f"{len(values):,} passages, mean {fmean(values):.3f}, median {median(values):.3f}"
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{bars}{axis}</svg><figcaption>{escape(title)}<br>{facts}</figcaption></figure>"
    )


def _sources(lines: Sequence[Mapping[str, Any]], sifted: Sifted) -> str:
    counts = Counter(line["source"] for line in lines)
    kept = Counter(line["source"] for line in sifted.kept)
    rows = []
    for source, count in counts.most_common():
        shares = [
            metrics["matching"]
            for line in lines
            if line["source"] == source
            for grade, metrics in line["metrics"].items()
            if grade in (GRADES[0], GRADES[2])
        ]
        rows.append((source, count, kept[source], f"{fmean(shares):.3f}"))
    return _table(("source", "passages", "kept", "words kept (light)"), rows)


def _worst(lines: Sequence[Mapping[str, Any]]) -> str:
    def match(line: Mapping[str, Any]) -> float:
        return min(float(line["metrics"][g]["match"]) for g in GRADES if g in line["metrics"])

    ranked = sorted(lines, key=match)[:_WORST]
    rows = [(line["id"], line["source"], f"{match(line):.3f}") for line in ranked]
    return _table(("id", "source", "match"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    columns = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_shown(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{columns}</tr>{body}</table></div>'


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
