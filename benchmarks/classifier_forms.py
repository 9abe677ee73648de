"""Compares exports of one classifier: speed a core, and words kept against the fp32 form.

    python -m compressor.training.export FOLDER /tmp/fp32.onnx --fp32
    python benchmarks/classifier_forms.py compressor/models/tokenizer.json texts.jsonl \\
        /tmp/fp32.onnx compressor/models/model.onnx

texts.jsonl holds an object with `text` a line. The first form is the one to agree with.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

WINDOW = 256
ROUNDS = 7
SECONDS_A_ROUND = 0.3
START, END = 0, 2  # <s>, </s>


def load(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def logits(session: onnxruntime.InferenceSession, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    feeds = {"input_ids": ids[None]}
    if len(session.get_inputs()) > 1:
        feeds["attention_mask"] = np.ones_like(ids[None])
    result: NDArray[np.float32] = session.run(None, feeds)[0][0]
    return result


def kept_words(
    session: onnxruntime.InferenceSession, ids: NDArray[np.int64], words: NDArray[np.int64]
) -> set[int]:
    """Return the half of the words with the highest mean keep probability."""
    framed = np.concatenate(([START], ids, [END]))
    drop, keep = logits(session, framed)[1:-1].T
    probability = 1 / (1 + np.exp(drop - keep))
    counts = np.maximum(np.bincount(words), 1)
    mean = np.bincount(words, probability) / counts
    return set(np.argsort(-mean, kind="stable")[: len(mean) // 2].tolist())


def speed(sessions: Sequence[onnxruntime.InferenceSession], tokens: int) -> list[float]:
    """Return tokens a second of processor time in one thread, the best round of each."""
    ids = np.random.default_rng(0).integers(4, 10_000, tokens)
    best = [0.0] * len(sessions)
    for _ in range(ROUNDS):
        for i, session in enumerate(sessions):
            start, runs = time.thread_time(), 0
            while (spent := time.thread_time() - start) < SECONDS_A_ROUND:
                logits(session, ids)
                runs += 1
            best[i] = max(best[i], runs * tokens / spent)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("forms", type=Path, nargs="+")
    parser.add_argument("--passages", type=int, default=150)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer))
    tokenizer.no_truncation()
    lines = arguments.texts.read_text("utf-8").splitlines()
    random.Random(1).shuffle(lines)
    encodings = [
        tokenizer.encode(json.loads(line)["text"], add_special_tokens=False)
        for line in islice(lines, arguments.passages)
    ]
    passages = [
        (np.array(e.ids[: WINDOW - 2]), np.array(e.word_ids[: WINDOW - 2])) for e in encodings
    ]
    sessions = [load(path) for path in arguments.forms]
    kept = [[kept_words(session, *passage) for passage in passages] for session in sessions]
    speeds = {tokens: speed(sessions, tokens) for tokens in (128, 256, 384, 512)}
    total = sum(map(len, kept[0]))
    for i, path in enumerate(arguments.forms):
        same = sum(len(a & b) for a, b in zip(kept[0], kept[i], strict=True))
        rates = "  ".join(f"{tokens}: {speeds[tokens][i]:,.0f}" for tokens in speeds)
        print(
            f"{path}: {same / total:.1%} of the same words; tokens/s a core at windows of {rates}"
        )


if __name__ == "__main__":
    main()
