"""Annotated passages by a rule that a tiny encoder can learn: numbers and capitals are kept."""

import json
from pathlib import Path
from random import Random
from typing import Any

from compressor.words import is_mark, split_words

_FIRST = ("about", "an", "approve", "asked", "the", "budget", "committee")
WORDS = (*_FIRST, "did", "euros", "it", "members", "near", "not")
KEPT = ["March", "March", "See"]


def line(number: int, *, words: int = 30, source: str = "made") -> dict[str, Any]:
    chance = Random(number)
    text = " ".join(
        chance.choice(KEPT) if chance.random() < 0.3 else chance.choice(WORDS) for _ in range(words)
    )
    text = text.replace(" euros ", " euros, ") + "."
    labelled = [
        [w.start, w.end, None if is_mark(text, w) else float(text[w.start].isupper())]
        for w in split_words(text)
    ]
    return {
        "id": f"p{number}",
        "source": source,
        "doc": f"d{number}",
        "text": text,
        "words": labelled,
    }


def write(path: Path, count: int, *, first: int = 0, words: int = 30) -> Path:
    lines = [json.dumps(line(number, words=words)) for number in range(first, first + count)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
