"""Counts the target model's tokens, offline: the vocabularies are in the package."""

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from itertools import chain
from pathlib import Path

import numpy as np
import tiktoken
from tiktoken.model import encoding_name_for_model
from tokenizers import Tokenizer

from compressor.types import TokenCounter

DEFAULT_ENCODING = "o200k_base"

# How text is cut before byte pairs are merged: tiktoken's `openai_public.py`, MIT.
_PATTERNS = {
    "o200k_base": "|".join(
        (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    "cl100k_base": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
}
# Same byte pairs under another name; only special tokens differ, and those are counted as text.
_SAME_AS = {"o200k_harmony": "o200k_base"}

_SURROGATE = re.compile("[\ud800-\udfff]")
# tiktoken's regular expressions overflow their stack on some hundred thousand spaces in a row.
# Looked for at the start of a run only: from every space of it, the search would be quadratic.
_PIECE = 16_384
_LONG_SPACE = re.compile(rf"(?<![^\S\r\n])[^\S\r\n]{{{_PIECE},}}")


class UnknownEncoding(ValueError):
    """An encoding that is neither vendored nor a readable tokenizer.json."""


@dataclass(frozen=True, slots=True)
class EncodingChoice:
    """The encoding to count with; `estimated` when it is not known to be the model's own."""

    encoding: str
    estimated: bool


class Tokenizers:
    """Finds the encoding of a model and counts with it. Each is loaded once, at first use."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        """Take model globs that name an encoding, or the path of a tokenizer.json."""
        self._overrides = {k.lower(): v for k, v in (overrides or {}).items()}
        self._counters: dict[str, TokenCounter] = {}
        self._lock = threading.Lock()

    def for_model(self, model: str) -> EncodingChoice:
        """Return the encoding of a model name; `o200k_base`, flagged, where it is not known.

        Understands provider prefixes (`openai/gpt-4o`), variants (`openai/gpt-4o:free`) and
        fine-tunes (`ft:gpt-4o:org::id`).
        """
        name = model.lower()
        for glob, encoding in self._overrides.items():
            if fnmatchcase(name, glob):
                return EncodingChoice(encoding, estimated=False)
        for candidate in _names(name):
            try:
                encoding = encoding_name_for_model(candidate)
            except KeyError:
                continue
            encoding = _SAME_AS.get(encoding, encoding)
            if encoding in _PATTERNS:
                return EncodingChoice(encoding, estimated=False)
        return EncodingChoice(DEFAULT_ENCODING, estimated=True)

    def counter(self, encoding: str) -> TokenCounter:
        """Return the counter of an encoding. Raises UnknownEncoding."""
        counter = self._counters.get(encoding)
        if counter is None:
            with self._lock:
                counter = self._counters.get(encoding)
                if counter is None:
                    counter = self._counters[encoding] = load_counter(encoding)
        return counter


def _names(model: str) -> Iterator[str]:
    """Yield the names under which tiktoken may know a model, the most exact one first."""
    yield model
    name = model.rsplit("/", 1)[-1]
    yield name
    base, _, variant = name.partition(":")
    yield variant.partition(":")[0] if base == "ft" else base


def load_counter(encoding: str) -> TokenCounter:
    """Load the counter of a vendored encoding or a tokenizer.json. Raises UnknownEncoding."""
    encoding = _SAME_AS.get(encoding, encoding)
    if encoding in _PATTERNS:
        return BytePairCounter(encoding)
    if not encoding.endswith(".json"):
        known = ", ".join(sorted((*_PATTERNS, *_SAME_AS)))
        raise UnknownEncoding(
            f"encoding '{encoding}' is not known; use one of {known}, "
            "or the path of a Hugging Face tokenizer.json"
        )
    return TokenizerFileCounter(_read_tokenizer(Path(encoding)))


def _read_tokenizer(path: Path) -> Tokenizer:
    # Looked at before the library does, whose one bare Exception says less.
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UnknownEncoding(f"cannot read the tokenizer file {path}: {error.strerror}") from error
    except ValueError as error:
        raise UnknownEncoding(f"{path} is not a tokenizer file: {error}") from error
    if not isinstance(content, dict) or "model" not in content:
        raise UnknownEncoding(f"{path} is not a tokenizer file: it has no `model`")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library has no other class for it
        raise UnknownEncoding(f"{path} is not a tokenizer file: {error}") from error


class BytePairCounter:
    """Counts with one of tiktoken's encodings."""

    def __init__(self, encoding: str) -> None:
        """Read the vendored vocabulary: about 0.2 s and 60 MB for o200k_base."""
        file = resources.files("compressor.vocabulary").joinpath(f"{encoding}.tiktoken")
        self._encoding = tiktoken.Encoding(
            encoding,
            pat_str=_PATTERNS[encoding],
            mergeable_ranks=_read_ranks(file.read_bytes()),
            special_tokens={},
        )

    def count(self, text: str) -> int:
        """Return the number of tokens in `text`."""
        return sum(len(tokens) for tokens in self._encode(text))

    def starts(self, text: str) -> Sequence[int]:
        """Return the character offset at which each token starts."""
        text = _encodable(text)
        tokens = list(chain.from_iterable(self._encode(text)))
        if not tokens:
            return []
        lengths = [len(piece) for piece in self._encoding.decode_tokens_bytes(tokens)]
        byte_starts = np.cumsum([0, *lengths[:-1]])
        raw = np.frombuffer(text.encode("utf-8"), np.uint8)
        character_of_byte = np.cumsum((raw & 0xC0) != 0x80) - 1
        starts: list[int] = character_of_byte[byte_starts].tolist()
        return starts

    def _encode(self, text: str) -> Iterator[list[int]]:
        for piece in _pieces(_encodable(text)):
            yield self._encoding.encode_ordinary(piece)


class TokenizerFileCounter:
    """Counts with a Hugging Face tokenizer, without the special tokens it would add."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer

    def count(self, text: str) -> int:
        """Return the number of tokens in `text`."""
        return len(self._tokenizer.encode(_encodable(text), add_special_tokens=False).ids)

    def starts(self, text: str) -> Sequence[int]:
        """Return the character offset at which each token starts."""
        offsets = self._tokenizer.encode(_encodable(text), add_special_tokens=False).offsets
        return [start for start, _ in offsets]


def _read_ranks(data: bytes) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    for line in data.splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    return ranks


def _encodable(text: str) -> str:
    """Replace lone surrogates, which no tokenizer takes, one character for one."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _pieces(text: str) -> Iterator[str]:
    """Cut inside very long runs of spaces; the count there is off by at most one a cut."""
    start = 0
    for match in _LONG_SPACE.finditer(text):
        for end in range(match.start() + _PIECE, match.end() + 1, _PIECE):
            yield text[start:end]
            start = end
    yield text[start:] if start else text
