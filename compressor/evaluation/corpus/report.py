"""What a run over the corpus found, as Markdown and lines."""

from collections import Counter
from collections.abc import Iterator

from compressor.evaluation.corpus.run import Tally


def kinds_table(tally: Tally) -> str:
    """Return Markdown: a row a kind, at each rate how many were called for and how many held."""
    rates = list(tally.tokens)
    lines = [
        "| what is called for | " + " | ".join(f"rate {rate:g}" for rate in rates) + " |",
        "|---" * (len(rates) + 1) + "|",
    ]
    for kind in sorted({kind for kind, _ in tally.called}):
        shown = [_held(tally, kind, rate) for rate in rates]
        lines.append(f"| {kind} | " + " | ".join(shown) + " |")
    realised = [f"{tally.tokens[rate] / max(tally.tokens_before, 1):.3f}" for rate in rates]
    lines.append("| tokens kept | " + " | ".join(realised) + " |")
    return "\n".join(lines)


def _held(tally: Tally, kind: str, rate: float) -> str:
    called, wrong = tally.called[kind, rate], tally.wrong[kind, rate]
    return f"{called - wrong:,} of {called:,}" if wrong else f"all {called:,}"


def domains_line(tally: Tally) -> str:
    """Return how many texts there were, and of which domains."""
    counted = ", ".join(f"{domain} {count}" for domain, count in sorted(tally.texts.items()))
    return f"{sum(tally.texts.values()):,} texts: {counted}"


def fault_lines(tally: Tally, each: int) -> Iterator[str]:
    """Yield the first faults of each kind; the same place at another rate is left out."""
    shown: Counter[str] = Counter()
    seen: set[tuple[str, str, str]] = set()
    for fault in tally.faults:
        where = (fault.kind, fault.case, fault.source)
        if where not in seen and shown[fault.kind] < each:
            seen.add(where)
            shown[fault.kind] += 1
            yield str(fault)
