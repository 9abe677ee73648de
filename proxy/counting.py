"""Token counts of a request's texts, without holding up the event loop."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from compressor.tokens import EncodingChoice
from compressor.types import TokenCounter

# Below this many characters counting takes less time than the way to a thread and back.
_INLINE_CHARACTERS = 4096
# Shorter texts are counted faster than they are hashed and looked up.
_REMEMBERED_CHARACTERS = 256


class TokenizerSource(Protocol):
    """Where tokenizers come from; `compressor.tokens.Tokenizers` is one."""

    def for_model(self, model: str) -> EncodingChoice:
        """Return the tokenizer to count a model's tokens with; any name has one."""
        ...

    def counter(self, encoding: str) -> TokenCounter:
        """Return the tokenizer, loaded at its first use; thread-safe."""
        ...


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens of each text, in order, and how they were counted."""

    tokens: list[int]
    encoding: str
    estimated: bool


class PromptCounter:
    """Counts texts in a model's tokens; remembers long ones, since each turn repeats a history.

    Remembered per owner: a count that comes faster would tell that somebody else sent the text.
    """

    def __init__(self, tokenizers: TokenizerSource, *, max_remembered: int = 16_384) -> None:
        self._tokenizers = tokenizers
        self._loaded: dict[str, TokenCounter] = {}
        self._remembered: OrderedDict[tuple[str, str, bytes], int] = OrderedDict()
        self._max_remembered = max_remembered
        self._lock = threading.Lock()

    async def count(self, model: str, texts: Sequence[str], *, owner: str = "") -> Counts:
        """Count the tokens of `texts`; long ones, and a tokenizer's first use, in a thread."""
        choice = self._tokenizers.for_model(model)
        quick = not texts or choice.encoding in self._loaded
        if quick and sum(map(len, texts)) <= _INLINE_CHARACTERS:
            tokens = self._count_all(owner, choice.encoding, texts)
        else:
            tokens = await asyncio.to_thread(self._count_all, owner, choice.encoding, texts)
        return Counts(tokens, choice.encoding, choice.estimated)

    def _count_all(self, owner: str, encoding: str, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        counter = self._loaded.get(encoding)
        if counter is None:
            counter = self._loaded[encoding] = self._tokenizers.counter(encoding)
        return [self._count(owner, encoding, counter, text) for text in texts]

    def _count(self, owner: str, encoding: str, counter: TokenCounter, text: str) -> int:
        if len(text) < _REMEMBERED_CHARACTERS:
            return counter.count(text)
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        key = (owner, encoding, digest)
        with self._lock:
            tokens = self._remembered.get(key)
            if tokens is not None:
                self._remembered.move_to_end(key)
                return tokens
        tokens = counter.count(text)
        with self._lock:
            self._remembered[key] = tokens
            if len(self._remembered) > self._max_remembered:
                self._remembered.popitem(last=False)
        return tokens
