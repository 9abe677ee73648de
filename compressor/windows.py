"""Cuts a text's classifier tokens into windows: pure functions of their number, or of the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# 256 with the two special tokens. Shorter windows run faster a token (attention grows with the
# square) and waste more of it on context.
WINDOW_TOKENS = 254
# How much a token sees on either side at least, where the text goes on there. Measured on held-out
# labels: with less to its left a word is ranked visibly worse (AUC 0.81 to 0.83 at 4 to 16 tokens
# from the cut, 0.87 at 16 and beyond, 0.88 to 0.90 far from it); every token more is fed twice.
CONTEXT_TOKENS = 16
# What of a question goes before each window where the classifier reads both; the rest is cut.
QUESTION_TOKENS = 64
# 512 with the two special tokens: what LLMLingua-2's checkpoints were trained on.
CHUNK_TOKENS = 510


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open token ranges: what the classifier is fed, and the part whose outputs are used."""

    fed_start: int
    fed_end: int
    used_start: int
    used_end: int

    @property
    def tokens(self) -> int:
        """How many tokens are fed, without special tokens."""
        return self.fed_end - self.fed_start


def plan_windows(
    tokens: int, *, size: int = WINDOW_TOKENS, context: int = CONTEXT_TOKENS
) -> list[Window]:
    """Return windows whose used ranges partition `range(tokens)`, with context on both sides.

    A text of at most `size` tokens is one window. A longer one is cut evenly, so that the last
    window is as well informed as the others; what room that leaves becomes more context.
    Raises ValueError when the context leaves no room.
    """
    if size <= 2 * context:
        raise ValueError(f"a window of {size} tokens has no room for {context} on either side")
    if tokens <= size:
        return [Window(0, tokens, 0, tokens)] if tokens else []
    count = -(-tokens // (size - 2 * context))
    cuts = [tokens * i // count for i in range(count + 1)]
    windows = []
    for start, end in pairwise(cuts):
        # At the text's ends the room that one side does not need goes to the other.
        fed_start = max(0, min(start - (size - (end - start)) // 2, tokens - size))
        windows.append(Window(fed_start, fed_start + size, start, end))
    return windows


def plan_parts(tokens: int, *, size: int = WINDOW_TOKENS) -> list[Window]:
    """Return as few windows as partition `range(tokens)`, without context, cut evenly."""
    count = -(-tokens // size)
    cuts = [tokens * i // max(1, count) for i in range(count + 1)]
    return [Window(start, end, start, end) for start, end in pairwise(cuts)]


def asked_window_tokens(question_tokens: int) -> int:
    """Return how long a window is behind a question and the token that ends it."""
    return WINDOW_TOKENS - question_tokens - 1


def plan_asked_windows(tokens: int, question_tokens: int) -> list[Window]:
    """Return windows as `plan_windows` does, shorter by the question and the token that ends it."""
    return plan_windows(tokens, size=asked_window_tokens(question_tokens))


def plan_chunks(ends: NDArray[np.bool_], *, size: int = CHUNK_TOKENS) -> list[Window]:
    """Return windows without context that end where `ends` allows, as late as possible.

    `ends` is bool, (tokens,): whether a chunk may end with the token. Where none of the next `size`
    tokens is such an end, all of them are one chunk. Source: LLMLingua-2's `chunk_end_tokens`
    (llmlingua/prompt_compressor.py), which cuts after 511 and so loses a token to truncation.
    """
    tokens = len(ends)
    chunks: list[Window] = []
    start = 0
    while start < tokens:
        stop = min(start + size, tokens)
        if stop < tokens:
            possible = np.flatnonzero(ends[start:stop])
            stop = start + int(possible[-1]) + 1 if len(possible) else stop
        chunks.append(Window(start, stop, start, stop))
        start = stop
    return chunks


def chunk_ends(
    text: str, offsets: NDArray[np.int32], end_tokens: Sequence[str]
) -> NDArray[np.bool_]:
    """Return for each classifier token whether it is an end token, or white space follows.

    `offsets` is (tokens, 2), in characters of `text`. White space is no token of its own for the
    classifiers' tokenizers, so a line break ends the token before it.
    """
    marks = {end for end in end_tokens if end.strip()}
    gaps = [end for end in end_tokens if not end.strip()]
    ends = np.zeros(len(offsets), np.bool_)
    following = [*offsets[1:, 0].tolist(), len(text)][: len(offsets)]
    for index, ((start, end), after) in enumerate(zip(offsets.tolist(), following, strict=True)):
        gap = text[end:after]
        if after < len(text):  # a token may begin with the space before its word
            token = text[after : offsets[index + 1, 1]]
            gap += token[: len(token) - len(token.lstrip())]
        ends[index] = text[start:end].strip() in marks or any(white in gap for white in gaps)
    return ends
