"""How many words alignment puts in their places, beside LLMLingua-2's procedure.

    python -m benchmarks.alignment passages.jsonl [--limit 100]

Words of real passages are deleted at random, in runs, so that it is known which ones were kept.
"""

import argparse
import random
from itertools import islice
from pathlib import Path

from compressor.training.align import Original, align, split_parts
from compressor.training.passage import read_passages
from compressor.words import is_mark, split_words

CASES = ((0.6, 1), (0.6, 3), (0.3, 1), (0.3, 3), (0.3, 6))


def kept_at_random(words: int, rate: float, run: int, draw: random.Random) -> list[bool]:
    """Keep `rate` of the words, in runs of about `run`."""
    kept, state = [], True
    for _ in range(words):
        if run == 1:
            state = draw.random() < rate
        else:
            state = draw.random() < (1 - (1 - rate) / run if state else rate / run)
        kept.append(state)
    return kept


def shortened(original: Original, kept: list[bool]) -> str:
    """Return the kept words with a space, or a line break where there was one."""
    pieces, end = [], 0
    for word, keep in zip(original.words, kept, strict=True):
        if keep:
            gap = original.text[end : word.start]
            between = "\n" if "\n" in gap else " " if gap else ""
            pieces += [between if pieces else "", original.text[word.start : word.end]]
            end = word.end
    return "".join(pieces)


def by_the_paper(original: Original, text: str, window: int = 150) -> list[bool]:
    """Return which parts the greedy search finds, with forms for lemmas."""
    forms = [part.form for part in original.parts]
    labels, previous = [False] * len(forms), 0
    for part in split_parts(text, split_words(text)):
        for distance in range(window):
            ahead = min(previous + distance, len(forms) - 1)
            if forms[ahead] == part.form and not labels[ahead]:
                labels[ahead] = True
                previous = min(ahead, previous + window // 2)
                break
            behind = max(previous - distance, 0)
            if forms[behind] == part.form and not labels[behind]:
                labels[behind] = True
                previous = behind
                break
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("passages", type=Path)
    parser.add_argument("--limit", type=int, default=100)
    arguments = parser.parse_args()
    passages = list(islice(read_passages(arguments.passages), arguments.limit))
    draw = random.Random(2)
    print("| kept | in runs of about | right | right by the paper's procedure |\n|---|---|---|---|")
    for rate, run in CASES:
        right = paper = words = 0
        for passage in passages:
            original = Original.of(passage.text)
            truth = kept_at_random(len(original.words), rate, run, draw)
            text = shortened(original, truth)
            found = align(original, text).kept
            labels = zip(original.parts, by_the_paper(original, text), strict=True)
            greedy = {part.word for part, label in labels if label}
            for index, word in enumerate(original.words):
                if not is_mark(original.text, word):
                    words += 1
                    right += found[index] == truth[index]
                    paper += (index in greedy) == truth[index]
        print(f"| {rate:.0%} | {run} | {right / words:.1%} | {paper / words:.1%} |")


if __name__ == "__main__":
    main()
