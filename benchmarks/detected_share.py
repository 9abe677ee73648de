"""What the detector of instructions keeps of plain documents, which hold none.

    python -m benchmarks.detected_share DATA [--passages 600]

DATA is the folder that has `distill/unlabelled.jsonl` and `qa/`. Prints, by domain, the share of
words in sentences that are taken for an instruction or a question, and the share of passages in
which a tenth of the words or more are. Dialogues with an assistant and chats are left out: there
the questions are put to the reader.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compressor.protect import find_protected
from compressor.question import word_count
from compressor.types import Kind, Settings

CHATS = frozenset({"chat", "dialogue"})
_SETS = ("xquad_en_dev", "covid_longdoc", "hotpot_multidoc", "jsquad_ja", "cmrc_zh")
_MUCH = 0.1


@dataclass
class Share:
    """Texts and words seen; words in marked sentences; texts of which a tenth or more is marked."""

    texts: int = 0
    words: int = 0
    marked: int = 0
    much: int = 0

    def add(self, text: str) -> None:
        """Count one text."""
        spans = find_protected(text, Settings(rate=0.5))
        asked = [s for s in spans if s.kind in (Kind.INSTRUCTION, Kind.QUESTION)]
        words = word_count(text)
        marked = sum(word_count(text[s.start : s.end]) for s in asked)
        self.texts += 1
        self.words += words
        self.marked += marked
        self.much += marked >= _MUCH * words


def sample(data: Path, passages: int) -> dict[str, list[str]]:
    """Return passages by domain, about as many of each, the same ones every time."""
    by_domain: dict[str, list[str]] = {}
    for line in _lines(data / "distill" / "unlabelled.jsonl"):
        if line["domain"] not in CHATS:
            by_domain.setdefault(line["domain"], []).append(line["text"])
    chooser = random.Random(0)
    chosen: dict[str, list[str]] = {}
    left = passages
    for rank, domain in enumerate(sorted(by_domain, key=lambda d: (len(by_domain[d]), d))):
        size = min(len(by_domain[domain]), -(-left // (len(by_domain) - rank)))
        chosen[domain] = chooser.sample(by_domain[domain], size)
        left -= size
    return chosen


def documents(data: Path, name: str) -> list[str]:
    """Return the documents of a question-answering set."""
    return [line["text"] for line in _lines(data / "qa" / f"{name}.jsonl") if "text" in line]


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def _rows(groups: Iterable[tuple[str, list[str]]], total: Share) -> Iterator[tuple[str, Share]]:
    for name, texts in groups:
        share = Share()
        for text in texts:
            share.add(text)
            total.add(text)
        yield name, share


def _print(rows: Iterable[tuple[str, Share]]) -> None:
    print("| texts | number | words | marked | texts with a tenth or more marked |")
    print("|---|---|---|---|---|")
    for name, share in rows:
        print(
            f"| {name} | {share.texts} | {share.words:,} | {share.marked / share.words:.1%} "
            f"| {share.much / share.texts:.1%} |"
        )


def main() -> None:
    """Print both tables of docs/protections.md about plain documents."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--passages", type=int, default=600)
    chosen = parser.parse_args()
    total = Share()
    _print(_rows(sorted(sample(chosen.data, chosen.passages).items()), total))
    _print([("all", total)])
    _print(_rows(((name, documents(chosen.data, name)) for name in _SETS), Share()))


if __name__ == "__main__":
    main()
