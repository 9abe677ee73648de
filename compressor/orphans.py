"""Marks and labels as they belong to the words that were chosen: none missing, none left over."""

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import NEEDED, REQUIRED, Atoms, content_words, sides
from compressor.structure import Structure


def without_orphans(
    structure: Structure, atoms: Atoms, kept: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the kept words with the marks that go with them, and no label or mark besides.

    Where the budget ends, a cheap mark may have been taken and the words that it goes with not.
    """
    sizes = atoms.stop - atoms.first
    required = np.repeat(atoms.score >= REQUIRED, sizes)
    content = content_words(structure)
    if content.all():
        return kept
    kept = _without_unended(structure, atoms, content, kept, required)
    content &= kept
    lone = structure.label & ~_any_by(content, structure.block)
    lone |= structure.ending & ~_any_by(
        content | (kept & required & ~structure.label), structure.sentence
    )
    single = np.repeat(np.logical_and.reduceat(structure.mark, atoms.first), sizes)
    paired = single & (structure.partner >= 0)
    between = single & (np.repeat(atoms.level, sizes) < 0) & ~structure.ending & ~paired
    lone[between] |= ~_has_sides(structure, kept & ~lone)[between]
    lone[paired] |= ~kept[structure.partner[paired]]
    before = np.concatenate(([0], np.cumsum(kept & ~structure.mark)))
    opens = np.flatnonzero(kept & (structure.partner > np.arange(len(kept)) + 1))
    closes = structure.partner[opens]
    empty = before[closes] == before[opens + 1]
    lone[opens[empty]] |= single[opens[empty]]  # not one that is tied to its quote
    lone[closes[empty]] |= single[closes[empty]]
    kept = kept & (required | ~lone)
    mark, end = _before_endings(structure, kept)
    fixed = required[mark] | ~single[mark] | paired[mark]
    gone = np.zeros(len(kept), np.bool_)
    gone[mark[~fixed]] = True
    comma = (np.diff(structure.clause, prepend=0)[mark] > 0) & (structure.partner[mark] < 0)
    opening = structure.partner[mark] > mark
    gone[end[fixed & (comma | opening)]] = True  # a comma that is protected cannot go
    kept = kept & ~(gone & ~required)
    kept &= required | ~(single & _repeated_stops(structure, kept))
    return _with_partners(structure, kept, fixed=required | ~single)


def _without_unended(
    structure: Structure,
    atoms: Atoms,
    content: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    required: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return the kept words without those of a sentence whose end was the first not to fit.

    Behind them the next sentence would read as a part of this one. What a negation among them
    bears on in the sentence before goes too. Nothing goes where nothing would be left.
    """
    ending = structure.ending
    unended = _any_by(ending, structure.sentence) & ~_any_by(ending & kept, structure.sentence)
    stays = required | structure.label  # a label is of its whole block
    left = kept & (~unended | stays)
    gone = kept[atoms.first] & ~left[atoms.first] & (atoms.level == NEEDED)
    for low, high in atoms.reach[gone].tolist():
        left[low:high] &= stays[low:high]
    return left if (left & content).any() else kept


def _with_partners(
    structure: Structure, kept: NDArray[np.bool_], fixed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the kept words with the marks that close what others of them open.

    A link has all of its brackets where words of its text and of its target stay; with its target
    alone it is no link. An empty reference repeats the text. What is `fixed` cannot go: the other
    mark of its pair comes along.
    """
    kept = kept.copy()
    before = np.concatenate(([0], np.cumsum(kept & ~structure.mark)))
    links = structure.links
    text = before[links[:, 2]] > before[links[:, 1]]
    target = before[links[:, 4]] > before[links[:, 3]]
    target |= text & structure.references & (links[:, 4] == links[:, 3] + 1)
    whole = text & target
    lone = np.zeros(len(kept), np.bool_)
    lone[links[~whole, :3]] = True
    lone[links[~target, 3:]] = True
    kept &= ~lone | fixed
    kept[links[whole]] = True
    held = structure.partner[kept & fixed & (structure.partner >= 0)]
    kept[held[~fixed[held]]] = True
    return kept


def _before_endings(
    structure: Structure, kept: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the kept marks after which only the end of the sentence is left, and those ends."""
    at = np.flatnonzero(kept)
    here, after = at[:-1], at[1:]
    stranded = structure.mark[here] & ~structure.ending[here] & structure.ending[after]
    stranded &= after > here + 1
    return here[stranded], after[stranded]


def _repeated_stops(structure: Structure, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the full stops that would come right behind one that stood elsewhere (5 Jan..)."""
    at = np.flatnonzero(kept)
    repeated = structure.stop[at[:-1]] & structure.stop[at[1:]] & (np.diff(at) > 1)
    found = np.zeros(len(kept), np.bool_)
    found[at[1:][repeated]] = True
    return found


def _has_sides(structure: Structure, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return for every word whether the words next to it that are no marks are both kept."""
    left, right = sides(kept.astype(np.float64), structure)
    return (left > 0) & (right > 0)


def _any_by(chosen: NDArray[np.bool_], groups: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return for every word whether its group has a chosen one."""
    found = np.zeros(int(groups[-1]) + 1, np.bool_)
    found[groups[chosen]] = True
    return found[groups]
