"""The sets of prompts labelled by hand, and what the detector of instructions makes of them.

In a prompt's text, what stands in ⟦⟧ must survive, what stands in ⟨⟩ counts neither way (labels
such as "Context:", few-shot examples), and {{name}} is a document. The first set was labelled
part by part: `+` must survive, `@` is a document.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from compressor.prompt_score import PromptWeights
from compressor.protect import find_protected
from compressor.protect.blocks import block_spans
from compressor.protect.json_values import json_spans
from compressor.question import prompt_spans
from compressor.types import Kind, ProtectedSpan, Settings

LABELLED = Path(__file__).parent
SETS = {  # and the files of their documents
    "first": "documents",
    "second": "documents_heldout",
    "third": "documents_heldout",
    "fourth": "documents_heldout",
    "fifth": "documents_fifth",
    "sixth": "documents_fifth",
    "seventh": "documents_seventh",
    "eighth": "documents_eighth",
    "ninth": "documents_ninth",
    "tenth": "documents_tenth",
    "twelfth": "documents_tenth",
    "thirteenth": "documents_tenth",
    "fifteenth": "documents_fifteenth",
}
HELD_OUT = {  # nothing is mended by these or fitted to them
    "eleventh": "documents_eleventh",
    "fourteenth": "documents_fourteenth",
}
ASKED = frozenset({Kind.INSTRUCTION, Kind.QUESTION})
_MARKS = re.compile(r"\{\{(\w+)\}\}|([⟦⟧⟨⟩])")
_SENTENCE = re.compile(r"(?<=[.!?。！？])(?=\s)|(?<=[。！？])|\n")

Range = tuple[int, int]


@dataclass(frozen=True)
class Prompt:
    """A prompt with the ranges that must survive and those that count neither way."""

    id: str
    lang: str
    style: str
    text: str
    wanted: tuple[Range, ...]
    neutral: tuple[Range, ...]


@dataclass
class Tally:
    """Sentences to keep and found whole; characters marked by the detector and rightly so."""

    sentences: int = 0
    whole: int = 0
    marked: int = 0
    right: int = 0
    document: int = 0

    @property
    def recall(self) -> float:
        return self.whole / max(1, self.sentences)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.marked)

    @property
    def document_share(self) -> float:
        return (self.marked - self.right) / max(1, self.document)


def _lines(name: str) -> list[dict[str, str]]:
    text = (LABELLED / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@cache
def read(name: str) -> list[dict[str, str]]:
    """Return the lines of a set, as they are labelled."""
    if name != "first":
        return _lines(f"prompts_{name}")
    found = []
    marks = {"+": "⟦{}⟧", "@": "{{{{{}}}}}"}
    for line in _lines("prompts"):
        text = "\n\n".join(marks.get(p[0], "{}").format(p[1:]) for p in line["parts"])
        found.append({"id": line["id"], "lang": line["lang"], "style": "first", "text": text})
    return found


@cache
def texts_of(file: str) -> dict[str, str]:
    """Return the documents of a file by name."""
    return {line["name"]: line["text"] for line in _lines(file)}


def documents(name: str) -> dict[str, str]:
    """Return the documents of a set by name."""
    return texts_of((SETS | HELD_OUT)[name])


@cache
def prompts(name: str) -> list[Prompt]:
    """Return a set's prompts."""
    return [parse(line, documents(name)) for line in read(name)]


def parse(line: Mapping[str, str], texts: Mapping[str, str]) -> Prompt:
    """Return a line as a prompt, with these documents in their places."""
    marked, text, at = line["text"], "", 0
    opened: dict[str, int] = {}
    wanted: list[Range] = []
    neutral: list[Range] = []
    for found in _MARKS.finditer(marked):
        text += marked[at : found.start()]
        at = found.end()
        if found[1]:
            text += texts[found[1]]
        elif found[2] in "⟦⟨":
            opened[found[2]] = len(text)
        elif found[2] == "⟧":
            wanted.append((opened.pop("⟦"), len(text)))
        else:
            neutral.append((opened.pop("⟨"), len(text)))
    assert not opened
    text += marked[at:]
    return Prompt(line["id"], line["lang"], line["style"], text, tuple(wanted), tuple(neutral))


def sentences(text: str, wanted: Range) -> Iterator[Range]:
    at, end = wanted
    cuts = [m.start() for m in _SENTENCE.finditer(text, at, end)]
    for cut in [*cuts, end]:
        if any(c.isalnum() for c in text[at:cut]):
            yield at, cut
        at = cut


def characters(text: str, ranges: Iterable[Range]) -> set[int]:
    return {i for start, end in ranges for i in range(start, end) if not text[i].isspace()}


def blocks_of(text: str) -> list[ProtectedSpan]:
    """Return the code, JSON and tables of a text, by start."""
    return sorted([*block_spans(text), *json_spans(text)], key=lambda s: (s.start, -s.end))


def marked_spans(text: str, weights: PromptWeights | None) -> list[ProtectedSpan]:
    """Return all protected spans, those of the detector by these weights (None: its own)."""
    settings = Settings(rate=0.5)
    if weights is None:
        return find_protected(text, settings)
    others = find_protected(text, replace(settings, protect=settings.protect - ASKED))
    return others + prompt_spans(text, blocks_of(text), weights)


def measure(
    chosen: Iterable[Prompt], weights: PromptWeights | None = None
) -> tuple[Tally, list[str], list[str]]:
    """Return the tally, the sentences that were missed and what else was marked."""
    tally, missed, stray = Tally(), [], []
    for prompt in chosen:
        text = prompt.text
        spans = marked_spans(text, weights)
        asked = [(s.start, s.end) for s in spans if s.kind in ASKED]
        survives = characters(text, ((s.start, s.end) for s in spans if not s.conditional))
        neutral, wanted = characters(text, prompt.neutral), characters(text, prompt.wanted)
        found = characters(text, asked) - neutral
        for part in prompt.wanted:
            for sentence in sentences(text, part):
                whole = characters(text, (sentence,)) <= survives
                tally.sentences += 1
                tally.whole += whole
                if not whole:
                    missed.append(f"{prompt.id}: {text[slice(*sentence)]!r}")
        stray += [
            f"{prompt.id}: {text[slice(*span)]!r}"
            for span in asked
            if characters(text, (span,)) - neutral - wanted
        ]
        tally.marked += len(found)
        tally.right += len(found & wanted)
        tally.document += len(characters(text, ((0, len(text)),)) - wanted - neutral)
    return tally, missed, stray
