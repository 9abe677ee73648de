"""LLMLingua-2 as the llmlingua package 0.2.2 computes it, flaws included.

For two uses: the parity test, which shows that we read a checkpoint as its authors' code does, and
evaluation, where it is the baseline on whatever classifier is at hand. Nothing else should use it:
what it gets wrong is listed in docs/llmlingua.md, and compressor/engine.py does it right.

`reference_compress` is the whole algorithm on any classifier (with that classifier's own special
tokens, and without the detour of chunks through strings). `ReferenceFeed` is what the package feeds
a model, its `[CLS]`, `[SEP]` and `[PAD]` for every family included.

Source: llmlingua/prompt_compressor.py and llmlingua/utils.py at 0.2.2 (MIT).
"""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders

from compressor.classifier.base import Classifier, Encoded
from compressor.types import TokenCounter
from compressor.windows import Window

FED_PIECES = 512
CHUNK_PIECES = FED_PIECES - 2
_METASPACE = "▁"
_CONTINUED = "##"

# ids and attention mask, int64 of shape (texts, FED_PIECES) -> keep probabilities, same shape
Forward = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class ReferenceOptions:
    """The parameters of compress_prompt_llmlingua2 that decide about words.

    `force_tokens` and `chunk_end_tokens` are pieces of the classifier's vocabulary: what the
    package does for others depends on untrained embeddings, so it is not reproduced.
    Raises ValueError for a rate outside (0, 1]; the package fails at 0 too.
    """

    rate: float = 0.5
    token_to_word: Literal["mean", "first"] = "mean"  # noqa: S105 - not a password
    force_tokens: tuple[str, ...] = ()
    force_digits: bool = False
    drop_consecutive: bool = False
    chunk_end_tokens: tuple[str, ...] = (".", "\n")

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate is {self.rate}; it is a share kept, above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to 510 pieces in the vocabulary's spelling, their keep probabilities, and `skip`: which
    pieces are special tokens (an unknown character's too), and so vanish.
    """

    pieces: Sequence[str]
    probabilities: NDArray[np.float32]
    skip: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReferenceWord:
    """A word as the package glues it from pieces, its probability, and whether it is kept."""

    text: str
    probability: float
    kept: bool


@dataclass(frozen=True, slots=True)
class ReferenceResult:
    """The compressed text, and the words of every chunk."""

    text: str
    chunks: tuple[tuple[ReferenceWord, ...], ...]


def reference_compress(
    text: str,
    classifier: Classifier,
    counter: TokenCounter,
    options: ReferenceOptions | None = None,
) -> ReferenceResult:
    """Compress as the package would with this classifier: one percentile a chunk, no protection.

    `counter` counts cl100k_base, whatever the target model. At rate 1 the text is returned as it
    is, with no chunks.
    """
    options = options or ReferenceOptions()
    if options.rate >= 1:
        return ReferenceResult(text, ())
    return decide(read_chunks(text, classifier, options), counter, options)


def read_chunks(text: str, classifier: Classifier, options: ReferenceOptions) -> list[Chunk]:
    """Return a text's chunks with any classifier's probabilities, each chunk seen by itself."""
    encoded = classifier.encode(text)
    pieces = classifier.pieces(encoded)
    return [
        Chunk(
            pieces[start:end],
            _probabilities(encoded, classifier, start, end),
            frozenset({"[UNK]", "<unk>"}),
        )
        for start, end in chunk_bounds(pieces, options.chunk_end_tokens)
    ]


def _probabilities(
    encoded: Encoded, classifier: Classifier, start: int, end: int
) -> NDArray[np.float32]:
    """Return a chunk's probabilities.

    A chunk that is cut hard has a piece more than fits beside two special tokens. The package cuts
    the closing token off; here the last piece is read in a window that begins one piece later.
    """
    fits = min(end, start + CHUNK_PIECES)
    windows = [Window(start, fits, start, fits)]
    if fits < end:
        windows.append(Window(end - CHUNK_PIECES, end, fits, end))
    return np.concatenate([classifier.keep_probabilities(encoded, w) for w in windows])


def chunk_bounds(pieces: Sequence[str], ends: Sequence[str]) -> list[tuple[int, int]]:
    """Cut after the last end token among 511 pieces, or after all 511 where there is none."""
    bounds: list[tuple[int, int]] = []
    start = 0
    while start < len(pieces):
        last = start + CHUNK_PIECES
        if last > len(pieces) - 1:
            bounds.append((start, len(pieces)))
            break
        cut = next((i for i in range(last, start, -1) if pieces[i] in ends), last)
        bounds.append((start, cut + 1))
        start = cut + 1
    return bounds


def decide(
    chunks: Sequence[Chunk], counter: TokenCounter, options: ReferenceOptions
) -> ReferenceResult:
    """Return what the package keeps of these chunks, and the text that it makes of it."""
    metaspace = any(p.startswith(_METASPACE) for chunk in chunks for p in chunk.pieces)
    decided = tuple(_decide_chunk(chunk, metaspace, counter, options) for chunk in chunks)
    texts = [_detokenised([w.text for w in words if w.kept], metaspace) for words in decided]
    return ReferenceResult("".join(texts), decided)


def _decide_chunk(
    chunk: Chunk, metaspace: bool, counter: TokenCounter, options: ReferenceOptions
) -> tuple[ReferenceWord, ...]:
    glued = _glue(chunk, metaspace, options)
    if not glued:
        return ()
    words = [word.text for word in glued]
    # Python lists of float32, summed as the package sums them: ties at the threshold decide.
    probabilities = [word.probability(options.token_to_word) for word in glued]
    reduce_rate = max(0, 1 - options.rate)
    if options.drop_consecutive:
        _zero_consecutive(words, probabilities, reduce_rate, options.force_tokens)
    weighted = [
        p for w, p in zip(words, probabilities, strict=True) for _ in range(counter.count(w))
    ]
    threshold = _percentile(weighted, int(100 * reduce_rate + 1))
    kept: list[ReferenceWord] = []
    last: str | None = None
    for word, probability in zip(words, probabilities, strict=True):
        keep = bool(probability > threshold or (threshold == 1.0 and probability == threshold))
        if options.drop_consecutive and word in options.force_tokens and word == last:
            keep = False
        if keep:
            last = word
        kept.append(ReferenceWord(word, float(probability), keep))
    return tuple(kept)


@dataclass(slots=True)
class _Glued:
    text: str
    pieces: list[np.float32 | float] = field(default_factory=list)

    def probability(self, token_to_word: str) -> np.float32 | float:
        if token_to_word == "first":  # noqa: S105 - not a password
            return self.pieces[0]
        return sum(self.pieces) / len(self.pieces)


def _glue(chunk: Chunk, metaspace: bool, options: ReferenceOptions) -> list[_Glued]:
    words: list[_Glued] = []
    for piece, model in zip(chunk.pieces, chunk.probabilities, strict=True):
        if piece in chunk.skip:
            continue
        probability: np.float32 | float = model
        pure = piece.lstrip(_METASPACE if metaspace else "#")
        begins = _begins_word(piece, pure, metaspace, options.force_tokens)
        if begins and pure in options.force_tokens:
            probability = 1.0
        if options.force_digits and any(c.isdecimal() for c in piece):
            probability = 1.0
        if begins or not words:  # the package fails where a chunk begins inside a word
            words.append(_Glued(piece))
        else:
            words[-1].text += pure
        words[-1].pieces.append(probability)
    return words


def _begins_word(piece: str, pure: str, metaspace: bool, force_tokens: Sequence[str]) -> bool:
    if metaspace:
        return piece.startswith(_METASPACE) or piece in string.punctuation or piece in force_tokens
    return not piece.startswith(_CONTINUED) or pure in force_tokens


def _zero_consecutive(
    words: Sequence[str],
    probabilities: list[np.float32 | float],
    reduce_rate: float,
    force_tokens: Sequence[str],
) -> None:
    """Set the probability of a repeated force token to 0, where none of the words between stays."""
    threshold = _percentile(probabilities, int(100 * reduce_rate))
    between, previous = False, None
    for index, (word, probability) in enumerate(zip(words, probabilities, strict=True)):
        if word not in force_tokens:
            between |= bool(probability > threshold)
            continue
        if between:
            between = False
        elif word == previous:
            probabilities[index] = 0.0
        previous = word


def _percentile(values: Sequence[np.float32 | float], percent: int) -> np.floating[Any]:
    """Return it as the NumPy scalar that it is: a Python float compares in another precision."""
    found: np.floating[Any] = np.percentile(np.asarray(values), percent)
    return found


def _detokenised(words: list[str], metaspace: bool) -> str:
    decoder = decoders.Metaspace() if metaspace else decoders.WordPiece()
    return str(decoder.decode(words))


class ReferenceFeed:
    """Reads chunks as the package does, piece by piece and id by id.

    `tokenizer` is the checkpoint's, which this configures for itself; `special` are the tokens that
    the checkpoint names as special; `forward` runs its model.
    """

    def __init__(self, tokenizer: Tokenizer, special: frozenset[str], forward: Forward) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = False
        self._tokenizer = tokenizer
        self._special = special
        self._forward = forward

    def read_chunks(self, text: str, options: ReferenceOptions) -> list[Chunk]:
        """Return the text's chunks: cut, made strings, cut into pieces again, padded and run."""
        pieces = self._pieces(text)
        bounds = chunk_bounds(pieces, options.chunk_end_tokens)
        strings = [self._tokenizer.decoder.decode(pieces[start:end]) for start, end in bounds]
        return [self._read(chunk) for chunk in strings]

    def _read(self, chunk: str) -> Chunk:
        fed = ["[CLS]", *self._pieces(chunk), "[SEP]"][:FED_PIECES]
        fed += ["[PAD]"] * (FED_PIECES - len(fed))
        ids = np.array([[self._id(piece) for piece in fed]], np.int64)
        # By the piece's spelling, so a [PAD] in the text is masked too.
        mask = np.array([[piece != "[PAD]" for piece in fed]], np.int64)
        probabilities = self._forward(ids, mask)[0]
        active = np.flatnonzero(mask[0])
        seen = [self._tokenizer.id_to_token(i) or "" for i in ids[0, active].tolist()]
        return Chunk(seen, probabilities[active], self._special)

    def _pieces(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def _id(self, piece: str) -> int:
        """Return a piece's id; what the vocabulary does not have, like XLM-R's [CLS], is <unk>."""
        for name in (piece, "<unk>", "[UNK]"):
            found = self._tokenizer.token_to_id(name)
            if found is not None:
                return int(found)
        raise ValueError(f"the vocabulary has neither {piece} nor a token for what is unknown")
