"""Words that are one: labels, runs of marks, short remarks in brackets."""

from itertools import pairwise

import numpy as np

from compressor.structure import GAP_LINE, GAP_NONE, Structure

_LONGEST_ASIDE = 3  # words and marks between round brackets that stay or go with these


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


def asides(structure: Structure) -> list[tuple[int, int]]:
    """Return the short remarks in brackets: （水）, (280 g). Not the brackets of links."""
    at = np.arange(len(structure.partner))
    length = structure.partner - at
    opens = structure.round & (length > 1) & (length <= _LONGEST_ASIDE + 1)
    opens[structure.links[:, 3]] = False
    return [(int(first), int(structure.partner[first]) + 1) for first in np.flatnonzero(opens)]


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges that overlap as one, ascending."""
    found: list[tuple[int, int]] = []
    for first, stop in sorted(ranges):
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((first, stop))
    return found
