"""How fast texts get shorter: the classifier, cold prompts, texts side by side, a cached part."""

import argparse
import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from compressor import Compressor, Settings, build_part_compressor
from compressor.classifier.registry import BUNDLED, load_classifier
from compressor.tokens import load_counter

_PASSAGE = (
    "the harbour committee of a small northern town had not yet approved its budget when winter "
    "storms damaged several older piers and nobody could say whether repairs would begin before "
    "spring because engineers wanted further measurements near both lighthouses while merchants "
    "complained about delayed shipments rising insurance costs and missing information"
)
_WORDS = _PASSAGE.split()


def prose(words: int, seed: int) -> str:
    """Return made-up prose, the same for the same seed."""
    choose = random.Random(seed)
    sentences = []
    while words > 0:
        length = min(words, choose.randint(8, 24))
        sentence = " ".join(choose.choice(_WORDS) for _ in range(length))
        sentences.append(sentence.capitalize() + ".")
        words -= length
    return " ".join(sentences)


def classifier_tokens_per_second(name: str) -> float:
    """Return classifier tokens fed per second by two threads on one session."""
    classifier = load_classifier(name)
    encoded = classifier.encode(prose(12_000, 1))
    windows = classifier.windows(encoded)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda w: classifier.keep_probabilities(encoded, w), windows[:4]))
        started = time.perf_counter()
        list(pool.map(lambda w: classifier.keep_probabilities(encoded, w), windows))
        return sum(w.tokens for w in windows) / (time.perf_counter() - started)


def cold_prompt_seconds(name: str, rounds: int) -> tuple[float, int]:
    """Return the median time for a new prompt of about 10,000 target tokens, and its length."""
    times, counter = [], load_counter("o200k_base")
    with Compressor(name=name) as compressor:
        compressor.compress(prose(500, 0), rate=0.5)
        for seed in range(rounds):
            text = prose(8_900, 10 + seed)
            started = time.perf_counter()
            compressor.compress(text, rate=0.5)
            times.append(time.perf_counter() - started)
    return median(times), counter.count(text)


def side_by_side(name: str, rounds: int) -> float:
    """Return how long two long texts at once take, as a share of one after the other."""
    shares = []
    with Compressor(name=name) as compressor, ThreadPoolExecutor(2) as callers:
        compressor.compress(prose(500, 0), rate=0.5)
        for seed in range(rounds):
            texts = [prose(6_000, 100 + 2 * seed), prose(6_000, 101 + 2 * seed)]
            started = time.perf_counter()
            for text in texts:
                compressor.compress(text, rate=0.5)
            turn = time.perf_counter()
            list(callers.map(lambda text: compressor.compress(text, rate=0.5), texts))
            shares.append((time.perf_counter() - turn) / (turn - started))
    return median(shares)


def short_beside_long(name: str, rounds: int) -> tuple[float, float, float]:
    """Return the milliseconds of a short text alone, beside a long one, and of the long one."""
    alone, beside, whole = [], [], []
    with Compressor(name=name) as compressor, ThreadPoolExecutor(1) as caller:
        for seed in range(rounds):
            short, long = prose(300, 200 + seed), prose(18_000, 300 + seed)
            alone.append(_seconds(compressor, short))
            running = caller.submit(_seconds, compressor, long)
            time.sleep(0.3)  # the long text's windows are queued by then
            beside.append(_seconds(compressor, short))
            whole.append(running.result())
    return 1000 * median(alone), 1000 * median(beside), 1000 * median(whole)


def _seconds(compressor: Compressor, text: str) -> float:
    started = time.perf_counter()
    compressor.compress(text, rate=0.5)
    return time.perf_counter() - started


async def cached_part_ms(name: str, rounds: int) -> float:
    """Return the median time for a part of 40 kB that is in the memory cache."""
    compressor = build_part_compressor(classifier=name)
    await compressor.start()
    text = prose(6_000, 3)[:40_000]
    ask = {"tenant": "bench", "deadline_ms": 60_000}
    await compressor.compress(text, Settings(rate=0.5), **ask)
    times = []
    for _ in range(rounds * 20):
        started = time.perf_counter()
        await compressor.compress(text, Settings(rate=0.5), **ask)
        times.append(time.perf_counter() - started)
    await compressor.close()
    return 1000 * median(times)


def report(rounds: int, name: str = BUNDLED) -> str:
    """Return the table of a classifier by name, with targets."""
    speed = median(classifier_tokens_per_second(name) for _ in range(rounds))
    cold, tokens = cold_prompt_seconds(name, rounds)
    cached = asyncio.run(cached_part_ms(name, rounds))
    together = side_by_side(name, rounds)
    alone, beside, whole = short_beside_long(name, rounds)
    return "\n".join(
        (
            f"| `{name}` | measured | target |",
            "|---|---|---|",
            f"| classifier tokens/s, 2 threads | {speed:,.0f} | at least 9,000 |",
            f"| a cold prompt of {tokens:,} tokens | {cold:.2f} s | under 1.2 s |",
            f"| two long texts at once / one after the other | {together:.2f} | at most 1 |",
            f"| a short text beside a long one of {whole:,.0f} ms | {beside:.0f} ms, "
            f"alone {alone:.0f} ms | waits for one window, not for the text |",
            f"| a cached part of 40 kB | {cached:.3f} ms | under 1 ms |",
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--classifier", default=BUNDLED)
    given = parser.parse_args()
    print(report(given.rounds, given.classifier))
