"""Shortens a corpus at every rate, checks every text, and adds up what was kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compressor.engine import Compressor
from compressor.evaluation.corpus.checks import Finding, check, check_json
from compressor.evaluation.corpus.generated import Case
from compressor.evaluation.datasets import read_json_lines, text_field
from compressor.types import Settings

RATES = (0.75, 0.5, 0.33, 0.2)
_EXCERPT = 60  # characters to each side of a fault that are shown


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was called for and is not there."""

    case: str
    rate: float
    kind: str
    fault: str
    source: str

    def __str__(self) -> str:
        return f"{self.kind}, {self.case} at {self.rate:g}: {self.fault}: {self.source}"


@dataclass(slots=True)
class Tally:
    """How many of each kind were called for at each rate, and what was wrong."""

    called: Counter[tuple[str, float]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, float]] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    tokens: Counter[float] = field(default_factory=Counter)
    tokens_before: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, case: Case, rate: float, findings: Iterable[Finding]) -> None:
        """Count the findings of one text at one rate."""
        for finding in findings:
            self.called[finding.kind, rate] += 1
            if not finding.fault:
                continue
            self.wrong[finding.kind, rate] += 1
            shown = _excerpt(case.text, finding.start, finding.end)
            self.faults.append(Fault(case.id, rate, finding.kind, finding.fault, shown))


def _excerpt(text: str, start: int, end: int) -> str:
    before, item = text[max(0, start - _EXCERPT) : start], text[start : min(end, start + 200)]
    after = text[end : end + _EXCERPT] if end - start <= 200 else "…"
    return f"{before}⟦{item}⟧{after}".replace("\n", "⏎")


def read_passages(data: Path, count: int) -> list[Case]:
    """Return up to `count` passages of `distill/unlabelled.jsonl`, as many of each domain as go.

    Raises DatasetError.
    """
    domains: dict[str, list[Case]] = {}
    for where, row in read_json_lines(data / "distill" / "unlabelled.jsonl"):
        domain = text_field(row, "src", where)
        case = Case(text_field(row, "id", where), domain, text_field(row, "text", where))
        domains.setdefault(domain, []).append(case)
    return list(_in_turn(list(domains.values()), count))


def _in_turn(domains: Sequence[Sequence[Case]], count: int) -> Iterator[Case]:
    """Yield one of each domain in turn; each domain's own at equal distances."""
    share = _shares([len(domain) for domain in domains], count)
    for domain, wanted in zip(domains, share, strict=True):
        for number in range(wanted):
            yield domain[number * len(domain) // wanted]


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """Divide `count` as evenly as the sizes allow."""
    shares = [0] * len(sizes)
    open_ones = list(range(len(sizes)))
    while open_ones and count > 0:
        each = max(1, count // len(open_ones))
        for index in list(open_ones):
            more = min(each, sizes[index] - shares[index], count)
            shares[index] += more
            count -= more
            if shares[index] == sizes[index]:
                open_ones.remove(index)
    return shares


def run(
    cases: Sequence[Case],
    compressor: Compressor,
    rates: Sequence[float] = RATES,
    json_documents: Sequence[Case] = (),
    advance: Callable[[], None] = lambda: None,
) -> Tally:
    """Return what became of every text at every rate.

    Of `json_documents` the long strings are shortened (Settings.json_prose). `advance` is called
    after each text.
    """
    tally = Tally()
    for case in cases:
        tally.texts[case.domain] += 1
        for rate in rates:
            result = compressor.compress(case.text, Settings(rate=rate))
            tally.tokens[rate] += result.tokens_after
            tally.tokens_before += result.tokens_before if rate == rates[0] else 0
            tally.add(case, rate, check(case.text, result.kept, result.text, case.planted))
        advance()
    for case in json_documents:
        tally.texts[case.domain] += 1
        for rate in rates:
            result = compressor.compress(case.text, Settings(rate=rate, json_prose=True))
            tally.add(case, rate, [check_json(case.text, result.text)])
        advance()
    return tally
