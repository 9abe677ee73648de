"""Compression beside the `llmlingua` package: same texts, machine and minute.

    make bench-reference [ARGS="--texts passages.jsonl"]

Three of our rows, each against llmlingua 0.2.2 on PyTorch: the same mBERT-size architecture and
weights in 8-bit ONNX, and the two bundled classifiers. The weights of that model are random, which
no speed depends on, and its WordPiece vocabulary is learnt from the texts. `--texts` names a JSONL
file with a `text` in every line, joined into transcripts; without it the prose is made up.
"""

import argparse
import hashlib
import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from statistics import median

from benchmarks.compression import prose
from compressor import Compressor
from compressor.classifier.registry import BUNDLED_FAST
from compressor.tokens import load_counter

RATE = 0.33  # the paper's setting for MeetingBank
TRANSCRIPTS = 10
TRANSCRIPT_TOKENS = 3_003  # the mean length of a MeetingBank transcript (paper, table 1)
# llmlingua tells the family from the folder's name.
FAMILY = "bert-base-multilingual-cased"
_CL100K = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

Compress = Callable[[str], str]


def transcripts(source: Path | None) -> list[str]:
    """Return the texts to compress, each of about TRANSCRIPT_TOKENS tokens."""
    if source is None:
        return [prose(2_550, seed) for seed in range(TRANSCRIPTS)]
    counter, found, current = load_counter("cl100k_base"), [], ""
    for line in source.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row.get("lang", "en") != "en":
            continue
        current += row["text"] + "\n\n"
        if counter.count(current) >= TRANSCRIPT_TOKENS:
            found.append(current)
            current = ""
        if len(found) == TRANSCRIPTS:
            break
    return found


def write_checkpoint(folder: Path, texts: Sequence[str]) -> None:
    """Write an mBERT-size token classifier with random weights, and its 8-bit ONNX form."""
    import torch  # noqa: PLC0415 - the heavy libraries are for this row only
    from tokenizers import BertWordPieceTokenizer  # noqa: PLC0415
    from transformers import BertConfig, BertForTokenClassification  # noqa: PLC0415

    from compressor.training.export import export  # noqa: PLC0415

    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator(
        texts, vocab_size=30_000, special_tokens=_SPECIAL, show_progress=False
    )
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False}
    names |= {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    names |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    torch.manual_seed(0)
    config = BertConfig(vocab_size=119_547, num_labels=2)  # mBERT: 12 layers of 768
    BertForTokenClassification(config).save_pretrained(folder)
    export(folder, folder / "model.onnx")


def keep_vocabulary(folder: Path) -> None:
    """Put the vocabulary that llmlingua has tiktoken download into tiktoken's cache folder."""
    vocabulary = resources.files("compressor.vocabulary") / "cl100k_base.tiktoken"
    name = hashlib.sha1(_CL100K.encode(), usedforsecurity=False).hexdigest()
    (folder / name).write_bytes(vocabulary.read_bytes())


def reference(folder: Path) -> Compress:
    """Return llmlingua's own compression with the checkpoint, on the CPU."""
    cache = folder.parent / "tiktoken"
    cache.mkdir()
    keep_vocabulary(cache)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)  # else its constructor asks the network
    from llmlingua import PromptCompressor  # noqa: PLC0415

    compressor = PromptCompressor(str(folder), device_map="cpu", use_llmlingua2=True)

    def compress(text: str) -> str:
        result = compressor.compress_prompt(text, rate=RATE, force_tokens=["\n", ".", "?", "!"])
        return str(result["compressed_prompt"])

    return compress


def seconds(compress: Compress, texts: Sequence[str]) -> float:
    """Return how long the texts take, one after the other."""
    started = time.perf_counter()
    for text in texts:
        compress(text)
    return time.perf_counter() - started


def report(texts: Sequence[str], rounds: int) -> str:
    """Measure in turn, round by round, and return the table of medians and ratios."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / FAMILY
        write_checkpoint(folder, texts)
        theirs = reference(folder)
        with (
            Compressor(name=str(folder)) as same,
            Compressor() as bundled,
            Compressor(name=BUNDLED_FAST) as fast,
        ):
            rows: dict[str, Compress] = {
                "llmlingua 0.2.2, PyTorch fp32": theirs,
                "Tersely, the same model in 8-bit ONNX": lambda t: same.compress(t, rate=RATE).text,
                "Tersely, `bundled`": lambda t: bundled.compress(t, rate=RATE).text,
                "Tersely, `bundled-fast`": lambda t: fast.compress(t, rate=RATE).text,
            }
            for compress in rows.values():
                compress(texts[0][:2_000])
            times = {name: [0.0] * rounds for name in rows}
            for number in range(rounds):
                for name, compress in rows.items():
                    times[name][number] = seconds(compress, texts)
    base = times["llmlingua 0.2.2, PyTorch fp32"]
    lines = ["| | seconds | times as fast |", "|---|---|---|"]
    for name, measured in times.items():
        ratio = median(b / m for b, m in zip(base, measured, strict=True))
        lines.append(f"| {name} | {median(measured):.2f} | {ratio:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", type=Path, help="a JSONL file with `text` in every line")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    texts = transcripts(given.texts)
    counter = load_counter("cl100k_base")
    total = sum(map(counter.count, texts))
    print(f"{len(texts)} texts, {total:,} tokens in all, rate {RATE}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(report(texts, given.rounds))


if __name__ == "__main__":
    main()
