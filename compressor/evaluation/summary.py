"""Rows to tables: survival with intervals, recall, retention, realised rate, by set and rate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compressor.evaluation.bootstrap import Interval, NotComparable, counted, shares
from compressor.evaluation.metrics import Kept, pooled
from compressor.evaluation.runner import Row


@dataclass(frozen=True, slots=True)
class Cell:
    """One method on one set at one rate.

    `realised` is all tokens after / all tokens before. `against` is the difference of the
    survival of the reference method minus this one's, paired; None for the reference itself.
    `tokens_per_second` leaves the classifier out where its outputs were cached.
    """

    set: str
    method: str
    rate: float
    documents: int
    questions: int
    survival: Interval
    against: Interval | None
    realised: float
    items: Mapping[str, Kept]
    negations: Kept
    tokens_per_second: float

    def as_dict(self) -> dict[str, Any]:
        """Return the cell for JSON."""
        return asdict(self)

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Cell":
        """Read what `as_dict` wrote. Raises TypeError or KeyError for anything else."""
        against = fields["against"]
        read = {
            "survival": Interval(**fields["survival"]),
            "against": None if against is None else Interval(**against),
            "items": {kind: Kept(**count) for kind, count in fields["items"].items()},
            "negations": Kept(**fields["negations"]),
        }
        return cls(**{**fields, **read})


def summarise(rows: Iterable[Row], reference: str = "tersely") -> list[Cell]:
    """Return a cell for every set, rate and method, in the order of the rows."""
    groups: dict[tuple[str, float], dict[str, list[Row]]] = {}
    for row in rows:
        groups.setdefault((row.set, row.rate), {}).setdefault(row.method, []).append(row)
    return [
        cell
        for (name, rate), methods in groups.items()
        for cell in _cells(name, rate, methods, reference)
    ]


def _cells(
    name: str, rate: float, methods: Mapping[str, list[Row]], reference: str
) -> Iterator[Cell]:
    by_document = {method: _by_document(rows) for method, rows in methods.items()}
    documents = list(next(iter(by_document.values())))
    if any(list(found) != documents for found in by_document.values()):
        raise NotComparable(f"{name} at {rate}: methods have results for different documents")
    questions = {
        method: counted([found[document] for document in documents])
        for method, found in by_document.items()
    }
    single, paired = shares(questions)
    for method, rows in methods.items():
        before = sum(row.tokens_before for row in rows)
        yield Cell(
            set=name,
            method=method,
            rate=rate,
            documents=len(documents),
            questions=int(questions[method].counted.sum()),
            survival=single[method],
            against=paired.get((reference, method)),
            realised=sum(row.tokens_after for row in rows) / max(before, 1),
            items=pooled(row.items for row in rows),
            negations=pooled({"": row.negations} for row in rows)[""],
            tokens_per_second=before / max(sum(row.seconds for row in rows), 1e-9),
        )


def _by_document(rows: Sequence[Row]) -> dict[str, list[bool | None]]:
    found: dict[str, list[bool | None]] = {}
    for row in rows:
        found.setdefault(row.doc, []).extend(row.survived.values())
    return found


def curves(cells: Sequence[Cell]) -> dict[str, dict[str, list[Cell]]]:
    """Return the cells by set and method, by ascending rate: what plots draw."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for cell in sorted(cells, key=lambda cell: cell.realised):
        found.setdefault(cell.set, {}).setdefault(cell.method, []).append(cell)
    order = list(dict.fromkeys(cell.method for cell in cells))
    return {
        name: {m: found[name][m] for m in order if m in found[name]}
        for name in dict.fromkeys(cell.set for cell in cells)
    }


def survival_table(cells: Sequence[Cell]) -> str:
    """Return Markdown: a table a set, methods down, rates across, share and interval."""
    return "\n\n".join(_survival_of(name, own) for name, own in _by_set(cells))


def _survival_of(name: str, cells: Sequence[Cell]) -> str:
    rates = sorted({cell.rate for cell in cells}, reverse=True)
    at = {(cell.method, cell.rate): cell for cell in cells}
    lines = [
        f"{name}: {cells[0].documents} documents, {cells[0].questions} questions\n",
        "| method | " + " | ".join(f"{rate:g}" for rate in rates) + " |",
        "|---" * (len(rates) + 1) + "|",
    ]
    for method in dict.fromkeys(cell.method for cell in cells):
        found = [at.get((method, rate)) for rate in rates]
        shown = ["" if cell is None else _interval(cell.survival) for cell in found]
        lines.append(f"| {method} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def retention_table(cells: Sequence[Cell]) -> str:
    """Return Markdown over all sets together: realised rate, items, numbers, negations."""
    lines = [
        "| method | rate | realised | URLs, paths, identifiers, quotes | numbers | negations |",
        "|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, float], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.method, cell.rate), []).append(cell)
    for (method, rate), own in groups.items():
        items = pooled(cell.items for cell in own)
        numbers = items.pop("number", Kept(0, 0))
        others = Kept(sum(c.kept for c in items.values()), sum(c.called for c in items.values()))
        negations = pooled({"": cell.negations} for cell in own)[""]
        realised = sum(cell.realised for cell in own) / len(own)
        shown = " | ".join(_kept(count) for count in (others, numbers, negations))
        lines.append(f"| {method} | {rate:g} | {realised:.3f} | {shown} |")
    return "\n".join(lines)


def differences_table(cells: Sequence[Cell], reference: str = "tersely") -> str:
    """Return Markdown: by how much the reference's survival is above each method's.

    Empty where there is no method to set it against.
    """
    lines = [
        f"| {cell.set} | {cell.rate:g} | {cell.method} | {_interval(cell.against, sign='+')} |"
        for cell in cells
        if cell.against is not None
    ]
    header = [f"| set | rate | {reference} minus | difference |", "|---|---|---|---|"]
    return "\n".join([*header, *lines] if lines else [])


def _by_set(cells: Sequence[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    for name in dict.fromkeys(cell.set for cell in cells):
        yield name, [cell for cell in cells if cell.set == name]


def _interval(interval: Interval, sign: str = "") -> str:
    return f"{interval.value:{sign}.3f} ({interval.low:{sign}.2f} to {interval.high:{sign}.2f})"


def _kept(count: Kept) -> str:
    return "none" if count.share is None else f"{100 * count.share:.1f}% of {count.called:,}"
