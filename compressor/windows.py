"""Cuts a text's classifier tokens into windows: pure functions of their number, or of the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# 256 with the two special tokens. Shorter windows run hardly faster a token, and rank words worse.
WINDOW_TOKENS = 254
# What our classifiers see at least before a window, as in their training. Measured on held-out
# labels of 445 to 1,177 tokens: what is behind a window does not matter; with nothing before it AUC
# is 0.014 below that of full windows, with 16 tokens 0.005, with 32 0.001. Every one is fed twice.
CONTEXT_TOKENS = 16
# What others see whose configuration does not say: LLMLingua-2's checkpoints were trained on chunks
# of which none sees another, and are run so (llmlingua/prompt_compressor.py).
PUBLISHED_CONTEXT_TOKENS = 0
# More than this, and windows would be read twice and more.
MOST_CONTEXT_TOKENS = WINDOW_TOKENS // 2
# How far a cut moves to where a sentence ends.
_REACH = 16
# Texts of fewer windows fill them up with context: their cuts are few, and so is what that costs.
# From so many on the number of windows is even, so that two cores end together.
_MANY = 8
# Part of every classifier's revision: a change in where windows are cut changes what they give.
PLAN_REVISION = f"{WINDOW_TOKENS}/{_REACH}/{_MANY}/left of sentence ends"
# What of a question goes before each window where the classifier reads both; the rest is cut.
QUESTION_TOKENS = 64
# 512 with the two special tokens: what LLMLingua-2's checkpoints were trained on.
CHUNK_TOKENS = 510

_END = re.compile(
    r"""[.!?\u2026][)\]"'\u201d\u2019\u00bb]*(?=\s)|[\u3002\uff01\uff1f][\u300d\u300f\u201d\uff09]*|(?=\n)"""
)


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
    tokens: int,
    ends: NDArray[np.bool_] | None = None,
    *,
    size: int = WINDOW_TOKENS,
    context: int = CONTEXT_TOKENS,
) -> list[Window]:
    """Return windows whose used ranges partition `range(tokens)`, cut where sentences end.

    `ends` is bool, (tokens,): whether a sentence or a line ends with the token, as `sentence_ends`
    says. A text of at most `size` tokens is one window. A longer one is cut evenly, so that the
    last window is as well informed as the others; each cut moves to the nearest end that is at most
    16 tokens away, if there is one, and every window sees `context` tokens before its own. A text
    of few windows fills them up with what stands before and behind.
    Raises ValueError when the context leaves no room.
    """
    if size <= context:
        raise ValueError(f"a window of {size} tokens has no room for {context} before its own")
    reach = min(_REACH, (size - context - 1) // 2)
    if tokens <= size:
        return [Window(0, tokens, 0, tokens)] if tokens else []
    count = -(-tokens // (size - context - reach))
    few = count < _MANY
    count = count if few else min(count + count % 2, tokens)
    reach = min(reach, (tokens // count - 1) // 2)
    cuts = [0]
    for index in range(1, count):
        cut = tokens * index // count
        last = min(cut + reach, cuts[-1] + size - context)
        cuts.append(cut if ends is None else _nearest_end(ends, cut, cut - reach, last))
    return [
        _filled(start, end, tokens, size, context)
        if few
        else Window(max(0, start - context), end, start, end)
        for start, end in pairwise([*cuts, tokens])
    ]


def _filled(start: int, end: int, tokens: int, size: int, context: int) -> Window:
    """Return a window of `size` tokens around what it is for, with at least `context` before."""
    room = size - (end - start)
    before = min(start, max(context, room // 2, room - (tokens - end)))
    return Window(start - before, min(tokens, end + room - before), start, end)


def _nearest_end(ends: NDArray[np.bool_], cut: int, first: int, last: int) -> int:
    """Return the cut behind an end that is nearest to `cut`, of those up to `last`; else `cut`."""
    first = max(1, first)
    possible = np.flatnonzero(ends[first - 1 : last]) + first
    return int(possible[np.argmin(np.abs(possible - cut))]) if len(possible) else cut


def sentence_ends(text: str, offsets: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return for each classifier token, (tokens,), whether a sentence or a line ends with it.

    `offsets` is (tokens, 2), in characters of `text`, ascending. Roughly: a full stop behind an
    abbreviation counts.
    """
    ends = np.zeros(len(offsets), np.bool_)
    at = np.fromiter((match.end() for match in _END.finditer(text)), np.int64)
    last = np.searchsorted(offsets[:, 1], at, side="right") - 1
    ends[last[last >= 0]] = True
    return ends


def asked_window_tokens(question_tokens: int) -> int:
    """Return how long a window is behind a question and the token that ends it."""
    return WINDOW_TOKENS - question_tokens - 1


def plan_asked_windows(
    tokens: int, ends: NDArray[np.bool_] | None, question_tokens: int
) -> list[Window]:
    """Return windows as `plan_windows` does, shorter by the question and the token that ends it."""
    return plan_windows(tokens, ends, size=asked_window_tokens(question_tokens))


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
