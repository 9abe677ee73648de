"""How exactly budgets are used: real passages, cut to rates and to targets, in three tokenizers.

    python -m benchmarks.budgets DATA

DATA is the folder that has `distill/unlabelled.jsonl` (an object with `text` and `lang` a line).
Passages are joined to texts of over 500 tokens. Use is what came out, as a share of the budget.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from compressor.contexts import ReadText, read_texts
from compressor.engine import Compressor
from compressor.extract import extract
from compressor.types import Settings, TokenCounter

RATES = (0.8, 0.66, 0.5, 0.33, 0.2, 0.1)
TARGETS = (1000, 500, 200, 100, 50, 20)
BUNDLED_TOKENIZER = Path(__file__).parents[1] / "compressor/models/tokenizer.json"
_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Use:
    """What one text took of its budget of `goal` tokens."""

    goal: int
    tokens: int
    unmet: bool

    @property
    def share(self) -> float:
        """Tokens that came out / tokens allowed."""
        return self.tokens / self.goal


def joined_texts(passages: Sequence[str], counter: TokenCounter, count: int) -> Iterator[str]:
    """Yield texts of 500 to about 4,000 tokens, each of passages joined by blank lines."""
    chance = random.Random(1)
    left = iter(passages)
    for _ in range(count):
        wanted = int(500 * 8 ** chance.random())
        parts: list[str] = []
        while counter.count(_SEPARATOR.join(parts)) <= wanted:
            parts.append(next(left))
        yield _SEPARATOR.join(parts)


def uses(
    texts: Sequence[ReadText], chosen: Settings, counter: TokenCounter
) -> tuple[list[Use], float]:
    """Return what each text took, where the budget is below its length, and milliseconds a text."""
    found: list[Use] = []
    started = time.process_time()
    for read in texts:
        result = extract(read.text, read.words, read.probabilities, chosen, counter)
        goal = chosen.target_tokens
        if chosen.rate is not None:
            goal = int(chosen.rate * result.tokens_before + 1e-6)
        if goal is not None and goal < result.tokens_before:
            found.append(Use(goal, result.tokens_after, result.budget_unmet))
    return found, 1000 * (time.process_time() - started) / max(len(texts), 1)


def row(name: str, found: Sequence[Use], enough: float, ms: float) -> str:
    """Return a line of the table; `enough` is the share that is to be used."""
    met = np.array([use.share for use in found if not use.unmet])
    over = sum(use.tokens > use.goal and not use.unmet for use in found)
    if not len(met):
        return f"| {name} | {len(found)} | {len(found)} | | | | | | {ms:.0f} |"
    low, first, median = np.quantile(met, [0, 0.01, 0.5])
    held = float((met >= enough).mean())
    return (
        f"| {name} | {len(found)} | {len(found) - len(met)} | {over} | {low:.1%} | {first:.1%} "
        f"| {median:.1%} | {held:.1%} | {ms:.0f} |"
    )


HEAD = (
    "| budget | texts | protected is over it | over it otherwise | least used | 1st percentile "
    "| median | used enough | ms a text |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder that has distill/unlabelled.jsonl")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument(
        "--encodings",
        nargs="+",
        default=["o200k_base", "cl100k_base", str(BUNDLED_TOKENIZER)],
        help="names, or paths of tokenizer.json",
    )
    given = parser.parse_args()
    lines = (given.data / "distill/unlabelled.jsonl").read_text("utf-8").splitlines()
    random.Random(0).shuffle(lines)
    passages = [str(json.loads(line)["text"]) for line in lines]
    with Compressor() as compressor:
        texts = list(joined_texts(passages, compressor.counter("o200k_base"), given.texts))
        read = [
            read_texts(compressor, [text], Settings(rate=0.5))[0]
            for text in track(texts, description="classifying")
        ]
        for encoding in given.encodings:
            counter = compressor.counter(encoding)
            print(f"\n{Path(encoding).name}\n\n{HEAD}")
            for rate in RATES:
                found, ms = uses(read, Settings(rate=rate), counter)
                print(row(f"rate {rate}", found, 0.98, ms), flush=True)
            for target in TARGETS:
                found, ms = uses(read, Settings(target_tokens=target), counter)
                print(row(f"{target} tokens", found, 0.97, ms), flush=True)


if __name__ == "__main__":
    main()
