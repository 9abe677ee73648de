"""Fits the weights of the detector of instructions to the labelled sets of prompts.

    python -m tests.compressor.fit_prompt_weights DATA OUT.json [--leave-out NAME ...]

DATA is the folder that has `distill/unlabelled.jsonl`: its passages stand in for the documents of
the labelled prompts, so that the weights learn where instructions stand and not what the documents
of the sets are about, and alone they are plain documents. The passages that `detected_share`
measures are not used. With --leave-out, the named sets (and their documents) are not used either,
and the recall and precision on them is printed: what to expect of a set that it has not met.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.detected_share import CHATS, sample
from compressor.prompt_evidence import read_parts
from compressor.prompt_score import PromptWeights, evidence_rows, sums, with_surroundings
from compressor.prompt_text import read_paragraphs
from tests.compressor.labelled.prompt_sets import (
    SETS,
    Prompt,
    blocks_of,
    characters,
    documents,
    measure,
    parse,
    prompts,
    read,
    texts_of,
)

Draw = Callable[[], str]
_WORDS = (60, 100, 150, 250, 400)  # of a document cut from a passage, about
_SHORT = (40, 60, 80)  # of a plain document with little around a sentence that asks or tells
_SWAPPED = 2  # copies of a prompt with other documents, and as many in another frame
_TAGS = ("context", "document", "data", "source", "email", "text", "transcript", "input", "doc")
_ALPHABETS = (
    "aeiouäöüàéèíóúñ",
    "bcdfghjklmnpqrstvwxyzßç",
    "AEIOUÄÖÜÀÉÍÓÚ",
    "BCDFGHJKLMNPQRSTVWXYZ",
    [chr(c) for c in range(0x4E00, 0x9FA0)],
    [chr(c) for c in range(0x3041, 0x3097)],
)
_RARE = 8  # sentences; evidence that fewer have is left out
_POSITIVE = 3.0  # a lost instruction against a kept sentence of 60 characters
_ROUNDS = 250


@dataclass(frozen=True, slots=True)
class Example:
    """A message's evidence by part and sentence, and how much each sentence is to weigh.

    A sentence's weight is above 0 where it must be found, below where it must not, 0 for neither.
    """

    rows: list[list[list[str]]]
    cues: list[list[str]]
    wanted: list[list[float]]


def example(prompt: Prompt, weight: float) -> Example:
    text = prompt.text
    blocks = blocks_of(text)
    covered = sum(b.end - b.start for b in blocks if not b.conditional)
    parts = read_parts(text, read_paragraphs(text, blocks), covered)
    wanted, neutral = characters(text, prompt.wanted), characters(text, prompt.neutral)

    def worth(start: int, end: int) -> float:
        own = characters(text, ((start, end),))
        if 2 * len(own & neutral) > len(own):
            return 0
        return weight * (_POSITIVE if own & wanted else -min(1.0, len(own) / 60))

    return Example(
        evidence_rows(parts),
        [[r.cue for r in part.read] for part in parts],
        [[worth(r.sentence.start, r.sentence.end) for r in part.read] for part in parts],
    )


def passages(data: Path) -> dict[str, list[str]]:
    """Return the passages by language, without the chats and those that are measured."""
    measured = {text for texts in sample(data, 600).values() for text in texts}
    found: dict[str, list[str]] = {}
    with (data / "distill" / "unlabelled.jsonl").open(encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line["domain"] not in CHATS and line["text"] not in measured:
                text = re.sub(r"[⟦⟧⟨⟩]|\{\{|\}\}", "", line["text"])
                found.setdefault(line["lang"], []).append(text)
    return found


def cut(text: str, chooser: random.Random, sizes: Sequence[int] = _WORDS) -> str:
    """Return some paragraphs in a row of a passage, of one of these sizes in words."""
    paragraphs = re.split(r"\n\s*\n", text)
    first = chooser.randrange(len(paragraphs)) if chooser.random() < 0.5 else 0
    wanted = chooser.choice(sizes)
    chosen, words = [], 0
    for paragraph in paragraphs[first:]:
        chosen.append(paragraph)
        words += len(paragraph.split()) + len(re.findall(r"[\u3041-\u9fff]", paragraph)) // 2
        if words >= wanted:
            break
    return "\n\n".join(chosen)


def framed(wanted: list[str], draw: Draw, chooser: random.Random) -> str:
    """Return the labelled stretches of a prompt in another frame, around other documents."""
    marked = [f"⟦{w}⟧" for w in wanted]
    rest = "\n".join(marked[1:] or marked)
    together = chooser.choice(["\n", " "]).join(marked) if len(marked) < 4 else "\n".join(marked)
    some = chooser.choice(marked) if chooser.random() < 0.3 else together
    near = chooser.choice(["\n", "\n\n"])
    tag = chooser.choice(_TAGS)
    label = chooser.choice(
        ["Context:", "Text:", "### Context", "Passages:", "[1]", "CONTEXT", "Document 1:"]
    )
    rule = chooser.choice(["---", "=====", '"""', "-----------"])
    asks = chooser.choice(["⟨Question:⟩ ", "⟨### Question⟩\n", ""])
    completes = chooser.choice(["", "\n⟨Answer:⟩"])
    before = some + near if chooser.random() < 0.5 else ""
    after = near + marked[-1] if before == "" or chooser.random() < 0.5 else ""
    return chooser.choice(
        [
            f"{some}\n\n{draw()}",
            f"{draw()}\n\n{some}",
            f"{draw()}\n\n{some}\n\n{draw()}",
            f"{before}⟨<{tag}>⟩\n{draw()}\n⟨</{tag}>⟩{after}",
            f"{before}⟨{label}⟩{near}{draw()}\n\n{asks}{marked[-1]}{completes}",
            f"{before}⟨{rule}⟩\n{draw()}\n⟨{rule}⟩{after}",
            f"{marked[0]}\n\n{draw()}\n\n{rest}",
            f"{some}\n{draw()}",
            f"{draw()}\n\n{draw()}\n\n{some}",
        ]
    )


def in_no_language(marked: str, chooser: random.Random) -> str:
    """Return a marked text in words that no list knows, so that its structure has to tell.

    Letters change within their script and case; digits, punctuation, tags and marks stay.
    """
    present = set(marked)
    table = str.maketrans(
        {
            letter: chooser.choice(letters)
            for letters in _ALPHABETS
            for letter in sorted(present.intersection(letters))
        }
    )
    cuts = re.split(r"(\{\{\w+\}\}|<[^<>\n]{1,60}>)", marked)
    return "".join(cut if i % 2 else cut.translate(table) for i, cut in enumerate(cuts))


def examples(
    names: Sequence[str], pool: Mapping[str, list[str]], chooser: random.Random
) -> Iterator[Example]:
    for name in names:
        texts = documents(name)
        for line in read(name):
            yield example(parse(line, texts), 1)
            unknown = {n: in_no_language(t, chooser) for n, t in texts.items() if n in line["text"]}
            other = {**line, "text": in_no_language(line["text"], chooser)}
            yield example(parse(other, unknown), 0.4)
            if "{{" not in line["text"]:
                continue
            source = pool.get(line["lang"], pool["en"])  # who asks in Polish may read English

            def draw(source: list[str] = source) -> str:
                return cut(chooser.choice(source), chooser)

            wanted = re.findall(r"⟦(.*?)⟧", line["text"], re.DOTALL)
            for _ in range(_SWAPPED):
                yield example(parse(line, {n: draw() for n in texts}), 0.7 / _SWAPPED)
                if wanted:
                    other = {**line, "text": framed(wanted, draw, chooser)}
                    yield example(parse(other, {}), 0.7 / _SWAPPED)
    for file in sorted({SETS[name] for name in names}):
        for text in texts_of(file).values():
            yield example(Prompt("plain", "", "plain", text, (), ()), 0.6)
    for source in pool.values():
        for text in chooser.sample(source, min(len(source), 60 if len(source) < 1000 else 1000)):
            whole = text if chooser.random() < 0.5 else cut(text, chooser)
            yield example(Prompt("plain", "", "plain", whole, (), ()), 0.5)
            yield example(Prompt("plain", "", "plain", cut(text, chooser, _SHORT), (), ()), 0.3)


def fit(rows: list[list[str]], worth: list[float]) -> dict[str, float]:
    """Return the weights of a logistic regression with an L2 penalty, by Adam over all rows."""
    counts = Counter(name for row in rows for name in row)
    names = sorted(name for name, count in counts.items() if count >= _RARE)
    number = {name: i + 1 for i, name in enumerate(names)}
    size = len(names) + 1
    table = np.zeros((len(rows), max(map(len, rows))), np.int32)  # 0 is no evidence
    for i, row in enumerate(rows):
        known = [number[name] for name in row if name in number]
        table[i, : len(known)] = known
    signed = np.asarray(worth)
    wanted, weight = (signed > 0).astype(float), np.abs(signed)
    found: NDArray[np.float64] = np.zeros(size + 1)  # the last is the intercept
    slope, square = np.zeros(size + 1), np.zeros(size + 1)
    for step in range(1, _ROUNDS + 1):
        odds = found[table].sum(1) + found[-1]
        error = (1 / (1 + np.exp(-odds)) - wanted) * weight
        by_name = np.bincount(table.ravel(), np.repeat(error, table.shape[1]), size)
        gradient = np.append(by_name + found[:-1], error.sum())
        gradient[0] = 0
        slope = 0.9 * slope + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        rate = 0.1 * (1 - 0.9 * step / _ROUNDS)
        spread = np.sqrt(square / (1 - 0.99**step)) + 1e-6
        found -= rate * (slope / (1 - 0.9**step)) / spread
    weights = {n: round(float(found[i]), 3) for n, i in number.items() if abs(found[i]) >= 0.005}
    return {"": round(float(found[-1]), 3), **weights}


def fit_both(seen: list[Example]) -> PromptWeights:
    """Fit the first pass, and the second on what the first finds."""
    worth = [w for e in seen for part in e.wanted for w in part]
    chosen = [i for i, w in enumerate(worth) if w]
    picked = [worth[i] for i in chosen]
    rows = [names for e in seen for part in e.rows for names in part]
    first = fit([rows[i] for i in chosen], picked)
    again = [
        names
        for e in seen
        if e.rows
        for part in with_surroundings(e.rows, e.cues, sums(e.rows, first))
        for names in part
    ]
    return PromptWeights(first, fit([again[i] for i in chosen], picked))


def main() -> None:
    """Fit, write the weights, and measure the sets that were left out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--leave-out", action="append", default=[], choices=list(SETS))
    chosen = parser.parse_args()
    names = [name for name in SETS if name not in chosen.leave_out]
    weights = fit_both(list(examples(names, passages(chosen.data), random.Random(1))))
    found = {"first": weights.first, "second": weights.second}
    chosen.out.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", "utf-8")
    for name in chosen.leave_out:
        tally, missed, stray = measure(prompts(name), weights)
        print(f"{name}: recall {tally.recall:.3f}, precision {tally.precision:.3f}")
        print(*(f"missed {m}" for m in missed), *(f"stray {s}" for s in stray), sep="\n")


if __name__ == "__main__":
    main()
