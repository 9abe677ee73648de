"""Words that are one: labels, runs of marks, short remarks in brackets."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from compressor.structure import GAP_LINE, GAP_NONE, Structure

_LONGEST_ASIDE = 3  # words and marks between round brackets that stay or go with these
_LONGEST_NUMBERS = 9  # of numbers alone
_SHORTEST_RULE = 3  # marks of a line that parts scenes or sections


def label_ranges(structure: Structure) -> list[tuple[int, int]]:
    """Return the labels, each apart from that of the next block."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], structure.label.astype(np.int8), [0]))))
    cuts: list[tuple[int, int]] = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        blocks = structure.block[first:stop]
        inner = [first, *(np.flatnonzero(np.diff(blocks)) + first + 1).tolist(), stop]
        last = stop - 1
        if last > inner[-2] and structure.mark[last] and structure.gap[last] >= GAP_LINE:
            inner.insert(-1, last)  # the bullet below a speaker's line goes with its own item
        cuts += list(pairwise(inner))
    return cuts


def mark_ranges(structure: Structure) -> list[tuple[int, int]]:
    """Return the runs of different marks that stand by themselves: `:=`, `:-)`, `=>`.

    The comma behind the `%` of a number stands so too, but goes with the words around it.
    """
    n = len(structure.mark)
    apart = np.append(structure.gap != GAP_NONE, True)
    apart[0] = True
    glued = structure.mark[:-1] & structure.mark[1:] & ~apart[1:n]
    ranges = []
    for first in np.flatnonzero(glued & apart[: n - 1]).tolist():
        stop = first + 1
        while stop < n and structure.mark[stop] and not apart[stop]:
            stop += 1
        if apart[stop]:
            ranges.append((first, stop))
    return ranges


def rule_ranges(structure: Structure) -> list[tuple[int, int]]:
    """Return the lines of nothing but marks with spaces between them: `* * *`."""
    edges = np.flatnonzero(np.append(structure.gap >= GAP_LINE, True))
    edges = np.unique(np.append(0, edges))
    words = np.concatenate(([0], np.cumsum(~structure.mark)))
    long = np.diff(edges) >= _SHORTEST_RULE
    bare = words[edges[:-1]] == words[edges[1:]]
    return [(int(edges[at]), int(edges[at + 1])) for at in np.flatnonzero(long & bare)]


def asides(structure: Structure) -> list[tuple[int, int]]:
    """Return the short remarks in brackets: （水）, (280 g). Not the brackets of links."""
    return [
        (opens, closes + 1)
        for opens, closes in _brackets(structure)
        if closes - opens <= _LONGEST_ASIDE + 1
    ]


def numbered(structure: Structure, numbers: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what stands in brackets that hold nothing but numbers, with the word that has them.

    Maldah (51.27%), ferritin (8 µg/L), (2024: £607m). Behind a word that says nothing they are by
    themselves.
    """
    plain = structure.mark.copy()
    for first, stop in numbers:
        plain[first:stop] = True
    other = np.concatenate(([0], np.cumsum(~plain)))
    has = {tuple(pair) for pair in structure.referents.tolist()}
    found = []
    for opens, closes in _brackets(structure):
        if closes - opens > _LONGEST_NUMBERS + 1 or other[opens] != other[closes]:
            continue
        name = opens - 1
        tight = name >= 0 and structure.gap[opens] == GAP_NONE and not structure.mark[name]
        found.append((opens - (tight or (opens + 1, name) in has), closes + 1))
    return found


def _brackets(structure: Structure) -> Iterator[tuple[int, int]]:
    """Yield the round brackets that are no link's, and their partners, with words between."""
    opens = structure.round & (structure.partner > np.arange(len(structure.partner)) + 1)
    opens[structure.links[:, 3]] = False
    for first in np.flatnonzero(opens).tolist():
        yield first, int(structure.partner[first])


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges that overlap as one, ascending."""
    found: list[tuple[int, int]] = []
    for first, stop in sorted(ranges):
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((first, stop))
    return found
