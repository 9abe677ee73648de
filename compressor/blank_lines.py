"""Runs of blank lines, of which one says as much as all: pages of PDFs, what is left of HTML."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compressor.types import ProtectedSpan, Span

# So many line breaks are left alone: with one blank line or two an author parts things.
_BREAKS = 3


def surplus(
    text: str,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    protected: Sequence[ProtectedSpan],
) -> NDArray[np.int64]:
    """Return what long runs of blank lines have too much, shape (runs, 2): characters from, to.

    `starts` and `ends` are the words'. The first line break of a run stays, and the last, with the
    indentation behind it. Runs in what is protected are whole.
    """
    found: list[tuple[int, int]] = []
    wide = np.flatnonzero(starts[1:] - ends[:-1] > _BREAKS)
    for end, start in zip(ends[wide].tolist(), starts[wide + 1].tolist(), strict=True):
        if text.count("\n", end, start) > _BREAKS:
            found.append((text.find("\n", end, start) + 1, text.rfind("\n", end, start)))
    runs = np.asarray(found, np.int64).reshape(-1, 2)
    whole = np.zeros(len(runs), np.bool_)
    for span in protected if found else ():
        whole |= (runs[:, 0] >= span.start) & (runs[:, 1] <= span.end)
    return runs[~whole]


def without(runs: NDArray[np.int64], spans: Sequence[Span]) -> list[Span]:
    """Return the slices without these runs of characters; both are in text order."""
    if not len(runs):  # of most texts, and this is called for every choice that is counted
        return list(spans)
    left: list[Span] = []
    for span in spans:
        first = np.searchsorted(runs[:, 1], span.start, side="right")
        stop = np.searchsorted(runs[:, 0], span.end, side="left")
        edges = [
            span.start,
            *np.clip(runs[first:stop].ravel(), span.start, span.end).tolist(),
            span.end,
        ]
        left += [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    return left


def outside(runs: NDArray[np.int64], positions: Sequence[int]) -> NDArray[np.int64]:
    """Return the positions, ascending, that are in none of these runs of characters."""
    at = np.asarray(positions, np.int64)
    run = np.searchsorted(runs[:, 0], at, side="right") - 1
    inside = run >= 0
    inside[inside] = at[inside] < runs[run[inside], 1]
    return at[~inside]
