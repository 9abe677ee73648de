"""Compares what the forms of one classifier keep, from text to words, by the whole compressor.

    python -m benchmarks.kept_words texts.jsonl torch:FOLDER onnx:FOLDER_WITH_FP32 onnx:bundled

texts.jsonl holds an object with `text` a line. A form is a backend and what it loads; the first is
the one to agree with. The torch backend needs the torch extra.
"""

import argparse
import json
import random
from itertools import islice
from pathlib import Path

from rich.progress import track

from compressor.classifier.registry import load_classifier
from compressor.engine import Compressor
from compressor.evaluation.kept_words import kept_words, share_kept_too
from compressor.types import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("texts", type=Path)
    parser.add_argument("forms", nargs="+", metavar="BACKEND:NAME")
    parser.add_argument("--passages", type=int, default=150)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.5, 0.33])
    arguments = parser.parse_args()
    lines = arguments.texts.read_text("utf-8").splitlines()
    random.Random(1).shuffle(lines)
    texts = [json.loads(line)["text"] for line in islice(lines, arguments.passages)]
    # Without protections, so that the classifier alone decides.
    settings = [Settings(rate=rate, protect=frozenset()) for rate in arguments.rates]
    kept: list[list[list[set[int]]]] = []
    for form in arguments.forms:
        backend, _, name = form.partition(":")
        with Compressor(load_classifier(name, backend=backend)) as compressor:
            kept.append(
                [
                    [kept_words(text, compressor.compress(text, s).kept) for s in settings]
                    for text in track(texts, description=form)
                ]
            )
    for form, ours in zip(arguments.forms, kept, strict=True):
        for index, rate in enumerate(arguments.rates):
            pairs = [(a[index], b[index]) for a, b in zip(kept[0], ours, strict=True)]
            same = share_kept_too(pairs)
            print(f"{form} at rate {rate}: {same:.2%} of the words that {arguments.forms[0]} keeps")


if __name__ == "__main__":
    main()
