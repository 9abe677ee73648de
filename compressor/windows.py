"""Cuts a text's classifier tokens into windows: a pure function of their number."""

from dataclasses import dataclass
from itertools import pairwise

# 256 with the two special tokens. Shorter windows run faster a token (attention grows with the
# square) and waste more of it on context.
WINDOW_TOKENS = 254
# How much a token sees on either side at least, where the text goes on there.
CONTEXT_TOKENS = 24


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
