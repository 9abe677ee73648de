"""Annotated passages to what the classifier is trained on: windows of tokens with soft targets.

An annotated passage is one line of JSON: `id`, `source`, `doc`, `lang`, `licence`, `text`, and
`words`, a list of `[start, end, label]`. Offsets are characters of `text`; a label is how sure it
is that the word is kept (1, 0.5, 0 from two grades of compression), or null for a mark, whose
loss is masked: careful readers drop punctuation without any rule. `weight`, 1 where it is absent,
is how much the passage's words count. With a `question` the labels are those that it makes of them,
and the window is fed behind it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import PlainTokenizer
from compressor.evaluation.datasets import DatasetError, read_json_lines
from compressor.windows import (
    QUESTION_TOKENS,
    WINDOW_TOKENS,
    asked_window_tokens,
    plan_windows,
)

HELD_OUT_SHARE = 12  # one document of so many is held out


class BadPassage(DatasetError):
    """A line that is no annotated passage; the message says which line, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and its words: `spans` is int64 (words, 2), `labels` float32 (words,), NaN: masked."""

    id: str
    source: str
    doc: str
    lang: str
    text: str
    spans: NDArray[np.int64]
    labels: NDArray[np.float32]
    weight: float = 1.0
    question: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One window: token ids with the special tokens around, and what each token is to be.

    `ids` is int64 (tokens,); `targets` and `weights` are float32 (tokens,). A word's tokens share
    the weight of one word, so that long words do not count more; masked tokens weigh 0.
    """

    ids: NDArray[np.int64]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def read_annotated(path: Path) -> Iterator[Passage]:
    """Yield the passages of a file. Raises DatasetError, BadPassage for one."""
    for line in annotated_lines(path):
        yield passage_of(line)


def annotated_lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the fields of a file's annotated passages. Raises DatasetError, BadPassage for one."""
    for where, line in read_json_lines(path):
        try:
            passage_of(line)
        except (ValueError, KeyError, TypeError) as error:
            raise BadPassage(f"{where}: not an annotated passage: {error!r}") from error
        yield line


def gather(files: Sequence[Path], held_out: Path | None) -> tuple[list[Passage], list[Passage]]:
    """Return the passages to train on and those to validate on. Raises DatasetError.

    Those of a file of their own, or else those of the first file's held-out documents; in neither
    case is a document on both sides.
    """
    first, *others = files
    if held_out is None:
        passages, validation = split(read_annotated(first))
    else:
        passages, validation = list(read_annotated(first)), list(read_annotated(held_out))
    passages += [passage for path in others for passage in read_annotated(path)]
    documents = {passage.doc for passage in validation}
    training = [passage for passage in passages if passage.doc not in documents]
    if not training:
        raise DatasetError(
            f"{first}: there is no passage to train on; {len(passages)} were read, and of "
            f"{len(documents)} documents, which are held out, none may be among them"
        )
    return training, validation


def digest_of(passages: Iterable[Passage], before: str = "") -> str:
    """Return a hash of all that training takes of passages, and of a hash `before` them."""
    digest = hashlib.sha256(before.encode())
    for passage in passages:
        said = json.dumps([passage.text, passage.question, passage.weight])
        digest.update(said.encode() + passage.spans.tobytes() + passage.labels.tobytes())
    return digest.hexdigest()


def is_held_out(doc: str, share: int = HELD_OUT_SHARE) -> bool:
    """Whether a document is for validation: by its name alone, so that every run splits alike."""
    return int(hashlib.md5(doc.encode(), usedforsecurity=False).hexdigest(), 16) % share == 0


def split(passages: Iterable[Passage]) -> tuple[list[Passage], list[Passage]]:
    """Return the passages to train on and those of held-out documents."""
    train: list[Passage] = []
    held_out: list[Passage] = []
    for passage in passages:
        (held_out if is_held_out(passage.doc) else train).append(passage)
    return train, held_out


def read_held_out(path: Path, *, every: bool = False) -> list[Passage]:
    """Return the passages of a file's held-out documents, or `every` one.

    Raises DatasetError, and where there is none.
    """
    found = [p for p in read_annotated(path) if every or is_held_out(p.doc)]
    if not found:
        raise DatasetError(
            f"{path}: no passage of a held-out document is there; --all takes every document"
        )
    return found


def soft_label(
    label: NDArray[np.float32], *, half: float = 0.5, smoothing: float = 0.0
) -> NDArray[np.float32]:
    """Return labels with 0.5 moved to `half` and all drawn towards a half by `smoothing`."""
    moved = np.where(label == np.float32(0.5), np.float32(half), label)
    return (moved * (1 - smoothing) + 0.5 * smoothing).astype(np.float32)


def token_targets(
    spans: NDArray[np.int64], labels: NDArray[np.float32], offsets: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return targets and weights, (tokens,) each, of tokens at character `offsets` (tokens, 2).

    A token takes the label of the word that it overlaps first; one that overlaps none weighs 0.
    """
    targets = np.zeros(len(offsets), np.float32)
    weights = np.zeros(len(offsets), np.float32)
    if not len(spans) or not len(offsets):
        return targets, weights
    word = np.searchsorted(spans[:, 1], offsets[:, 0], side="right")
    inside = np.minimum(word, len(spans) - 1)
    overlaps = (word < len(spans)) & (spans[inside, 0] < offsets[:, 1])
    known = overlaps & ~np.isnan(labels[inside])
    tokens_of = np.bincount(inside[known], minlength=len(spans))
    targets[known] = labels[inside[known]]
    weights[known] = 1.0 / tokens_of[inside[known]]
    return targets, weights


def examples_of(
    passage: Passage,
    tokenizer: PlainTokenizer,
    around: tuple[int, int],
    *,
    half: float = 0.5,
    smoothing: float = 0.0,
) -> list[Example]:
    """Return a passage's windows, cut and fed as they are when the classifier serves.

    A question goes before every window, with the token that ends a text between them.

    `around` are the ids of the special tokens before and after. Context that a window sees on
    either side of the part that it answers for weighs 0.
    """
    encoded = tokenizer.encode(passage.text)
    before, after = around
    lead = [before]
    size = WINDOW_TOKENS
    if passage.question:
        asked = tokenizer.encode(passage.question).ids[:QUESTION_TOKENS]
        lead += [*asked.tolist(), after]
        size = asked_window_tokens(len(asked))
    labels = soft_label(passage.labels, half=half, smoothing=smoothing)
    targets, weights = token_targets(passage.spans, labels, encoded.offsets)
    weights *= passage.weight
    examples = []
    for window in plan_windows(len(encoded.ids), encoded.ends, size=size):
        fed = slice(window.fed_start, window.fed_end)
        used = np.zeros(len(encoded.ids), np.float32)
        used[window.used_start : window.used_end] = 1
        examples.append(
            Example(
                np.concatenate((lead, encoded.ids[fed], [after])).astype(np.int64),
                np.pad(targets[fed], (len(lead), 1)),
                np.pad((weights * used)[fed], (len(lead), 1)),
            )
        )
    return examples


def pad(
    examples: Sequence[Example], padding: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Return ids, mask (both int64), targets and weights (float32), all (examples, longest)."""
    longest = max(len(example.ids) for example in examples)
    ids = np.full((len(examples), longest), padding, np.int64)
    mask = np.zeros((len(examples), longest), np.int64)
    targets = np.zeros((len(examples), longest), np.float32)
    weights = np.zeros((len(examples), longest), np.float32)
    for row, example in enumerate(examples):
        size = len(example.ids)
        ids[row, :size] = example.ids
        mask[row, :size] = 1
        targets[row, :size] = example.targets
        weights[row, :size] = example.weights
    return ids, mask, targets, weights


def passage_of(line: Mapping[str, Any]) -> Passage:
    """Return the passage of a line's fields. Raises KeyError, ValueError or TypeError."""
    words = line["words"]
    labels = [np.nan if label is None else label for _, _, label in words]
    return Passage(
        id=str(line["id"]),
        source=str(line.get("source", "")),
        doc=str(line.get("doc", line["id"])),
        lang=str(line.get("lang", "")),
        text=str(line["text"]),
        spans=np.array([(start, end) for start, end, _ in words], np.int64).reshape(-1, 2),
        labels=np.array(labels, np.float32),
        question=str(line.get("question", "")),
        weight=float(line.get("weight", 1.0)),
    )
