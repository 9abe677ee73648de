"""Whether the `llmlingua` package and our reference mode read a checkpoint alike.

    make parity [ARGS="--texts passages.jsonl"]

Both get the same tiny random checkpoints of LLMLingua-2's two families, and the same texts:
word probabilities by mean and by first piece, and the compressed texts at several rates. `--texts`
names a JSONL file with a `text` in every line; without it the prose is made up.
"""

import argparse
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from benchmarks.compression import prose
from benchmarks.reference_speed import keep_vocabulary
from compressor.reference import ReferenceFeed, ReferenceOptions, decide
from compressor.tokens import load_counter
from tests.compressor.tiny_checkpoints import FAMILIES, SPECIAL, write_checkpoint

# The package tells the families apart by a part of the folder's name.
PATH_NAMES = {"bert": "bert-base-multilingual-cased", "xlm-roberta": "xlm-roberta-large"}
WIDE_WEIGHTS = 0.3  # so that probabilities are not all the same
RATES = (0.75, 0.5, 0.33, 0.2)

Words = list[tuple[str, float]]


class Both:
    """One checkpoint, in the package and here."""

    def __init__(self, family: str, folder: Path) -> None:
        import llmlingua  # noqa: PLC0415 - the heavy libraries are for this only
        import torch  # noqa: PLC0415

        torch.set_num_threads(1)  # for models this small, more only get in each other's way
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.package: Any = llmlingua.PromptCompressor(
                str(folder), device_map="cpu", use_llmlingua2=True
            )
        model = self.package.model.eval()

        def forward(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                logits = model(
                    input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask) == 1
                ).logits
            return np.asarray(logits.softmax(-1)[..., 1].numpy())

        self.tokenizer = Tokenizer.from_str(self.package.tokenizer.backend_tokenizer.to_str())
        self.feed = ReferenceFeed(self.tokenizer, frozenset(SPECIAL[family]), forward)
        self.counter = load_counter("cl100k_base")
        self.folder = folder

    def package_words(self, text: str, **options: Any) -> Words:  # noqa: ANN401 - the package's
        """Return the package's words and probabilities as it computes them on its way."""
        chunks = self.package._PromptCompressor__chunk_context(text, {".", "\n"})
        merge = self.package._PromptCompressor__token_prob_to_word_prob

        def tap(token_probabilities: list[list[float]], convert_mode: str = "mean") -> list[float]:
            means = merge(token_probabilities, convert_mode)
            taken.append(list(means))
            return means

        taken: list[list[float]] = []
        self.package._PromptCompressor__token_prob_to_word_prob = tap
        try:
            _, words, _ = self.package._PromptCompressor__compress([chunks], 0.5, **options)
        finally:
            del self.package._PromptCompressor__token_prob_to_word_prob
        return list(zip(words[0], [float(p) for means in taken for p in means], strict=True))

    def words(self, text: str, options: ReferenceOptions) -> Words:
        """Return our words and probabilities."""
        result = decide(self.feed.read_chunks(text, options), self.counter, options)
        return [(w.text.lstrip("▁"), w.probability) for chunk in result.chunks for w in chunk]

    def package_text(self, text: str, options: ReferenceOptions) -> str:
        """Return the text as the package compresses it."""
        found = self.package.compress_prompt_llmlingua2(
            [text],
            rate=options.rate,
            token_to_word=options.token_to_word,
            force_tokens=list(options.force_tokens),
            chunk_end_tokens=list(options.chunk_end_tokens),
            force_reserve_digit=options.force_digits,
            drop_consecutive=options.drop_consecutive,
        )
        return str(found["compressed_prompt"])

    def text(self, text: str, options: ReferenceOptions) -> str:
        """Return the text as we compress it."""
        return decide(self.feed.read_chunks(text, options), self.counter, options).text


@contextmanager
def both(family: str, *, seed: int = 3) -> Iterator[Both]:
    """Make a random checkpoint of a family and load it in both. Downloads nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / PATH_NAMES[family]
        folder.mkdir()
        keep_vocabulary(Path(scratch))
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = scratch  # else the package's constructor downloads
        try:
            write_checkpoint(family, folder, seed=seed, spread=WIDE_WEIGHTS)
            yield Both(family, folder)
        finally:
            os.environ.pop("TIKTOKEN_CACHE_DIR")
            if before is not None:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was compared with one checkpoint. `differences` are the largest, by token_to_word."""

    family: str
    texts: int
    words: int
    same_words: int
    differences: dict[str, float]
    compressed: int
    same_compressed: int

    @property
    def row(self) -> str:
        """A line of the table."""
        by_mean, by_first = (f"{self.differences[how]:.1g}" for how in ("mean", "first"))
        return (
            f"| {self.family} | {self.texts} | {self.same_words:,} of {self.words:,} | {by_mean} "
            f"| {by_first} | {self.same_compressed:,} of {self.compressed:,} |"
        )


def compare(family: str, texts: Sequence[str]) -> Agreement:
    """Compress the texts in both ways with one checkpoint."""
    words = same_words = same_compressed = 0
    differences = {"mean": 0.0, "first": 0.0}
    with both(family) as one:
        for text, how in product(texts, differences):
            theirs = one.package_words(text, token_to_word=how)
            ours = one.words(text, ReferenceOptions(token_to_word=how))  # type: ignore[arg-type]
            words += max(len(theirs), len(ours))
            for (word, probability), (other, own) in zip(theirs, ours, strict=False):
                same_words += word == other
                differences[how] = max(differences[how], abs(probability - own))
        asked = [
            ReferenceOptions(rate=rate, force_digits=digits)
            for rate, digits in product(RATES, (False, True))
        ]
        for text, options in product(texts, asked):
            same_compressed += one.package_text(text, options) == one.text(text, options)
    return Agreement(
        *(family, len(texts), words, same_words, differences),
        *(len(texts) * len(asked), same_compressed),
    )


def report(texts: Sequence[str]) -> str:
    """Return the table of both families."""
    head = "| family | texts | same words | largest difference by mean | by first piece "
    lines = [head + "| same compressed texts |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(compare(family, texts).row for family in FAMILIES)])


def _texts(source: Path | None, limit: int) -> list[str]:
    if source is None:
        return [prose(400, seed) for seed in range(limit)]
    lines = source.read_text("utf-8").splitlines()
    step = max(1, len(lines) // limit)
    return [json.loads(line)["text"] for line in lines[::step][:limit]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, help="JSONL with a `text` in every line")
    parser.add_argument("--limit", type=int, default=40, help="so many texts, evenly taken")
    chosen = parser.parse_args()
    print(report(_texts(chosen.texts, chosen.limit)))


if __name__ == "__main__":
    main()
