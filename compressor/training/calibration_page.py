"""What a calibration found, as tables for people and as what calibration.json holds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compressor.calibration import Calibration
from compressor.engine import ALGORITHM_REVISION
from compressor.evaluation.metrics import Kept
from compressor.training.calibrate import Labelled, Point, Sample

_NOTE = (
    "rate: tokens kept / tokens before, over the sample, with the default protections; 10-90%: the "
    "rates of single texts between these percentiles. expected: of the words that the classifier "
    "expects a reader to keep (the sum of their keep probabilities), the share kept: its own "
    "opinion, no measure of answers. items: numbers in kept clauses, URLs, paths, identifiers and "
    "quotes that are whole; negations: those whose word is kept. `tersely eval survival` measures "
    "answers."
)


def curve_table(
    points: Sequence[Point], names: Mapping[str, float], labelled: Labelled | None = None
) -> str:
    """Return what every threshold keeps, named ones by name; with `labelled`, of its words too."""
    named = {threshold: name for name, threshold in names.items()}
    head = ["threshold", "name", "rate", "10-90%", "expected", "items", "negations"]
    rows = []
    for point in points:
        row = [
            f"{point.threshold:.4f}",
            named.get(point.threshold, ""),
            _share(point.rate),
            f"{_share(point.low)}-{_share(point.high)}",
            _share(point.expected),
            _kept(point.items),
            _kept(point.negations),
        ]
        if labelled is not None:
            row += [_kept(kept) for kept in labelled.recall(point.threshold)]
        rows.append(row)
    if labelled is not None:
        head += ["heavy words", "light words"]
    said = _NOTE
    if labelled is not None:
        found = labelled.ranking()
        said += (
            " heavy words, light words: of the words that both compressions, and that the light "
            f"one, of the annotated passages keep. AUC of the classifier there: heavy "
            f"{found.heavy:.4f}, light {found.light:.4f} ({found.words:,} words)."
        )
    return f"{_table(head, rows)}\n\n{said}"


def source_table(points: Mapping[str, Point], sample: Sample) -> str:
    """Return the rate of each source at each named threshold: how much it varies."""
    texts = Counter(read.source for read in sample.texts)
    rows = [
        [source, f"{count:,}", *(_share(point.by_source[source]) for point in points.values())]
        for source, count in sorted(texts.items())
    ]
    whole = [f"{len(sample.texts):,}", *(_share(point.rate) for point in points.values())]
    return _table(["source", "texts", *points], [*rows, ["all", *whole]])


def as_calibration(
    classifier: str,
    points: Mapping[str, Point],
    wanted: Mapping[str, float],
    curve: Iterable[Point],
    sample: Sample,
    seed: int,
) -> Calibration:
    """Return what calibration.json holds; `classifier` is the fingerprint of the weights."""
    found: dict[str, Any] = {
        "found": {
            name: {
                "rate_wanted": wanted[name],
                "rate": round(point.rate, 4),
                "rates_of_texts": [round(point.low, 4), round(point.high, 4)],
                "expected_words_kept": round(point.expected, 4),
                "by_source": {s: round(rate, 4) for s, rate in point.by_source.items()},
            }
            for name, point in points.items()
        },
        "curve": [[point.threshold, round(point.rate, 4)] for point in curve],
        "sample": {
            "texts": len(sample.texts),
            "tokens": sample.tokens,
            "encoding": sample.encoding,
            "seed": seed,
            "sources": dict(sorted(Counter(read.source for read in sample.texts).items())),
        },
        "algorithm": ALGORITHM_REVISION,
    }
    return Calibration(classifier, {n: p.threshold for n, p in points.items()}, found)


def _share(share: float) -> str:
    return f"{share:.1%}"


def _kept(kept: Kept) -> str:
    return "-" if kept.share is None else f"{kept.share:.1%} of {kept.called:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    lines = [f"| {' | '.join(cells)} |" for cells in [list(head), *escaped]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])
