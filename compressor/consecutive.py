"""Drops a forced word that would stand right behind the same one (LLMLingua's drop_consecutive)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compressor.bonds import word_range
from compressor.structure import Structure
from compressor.types import Kind, ProtectedSpan, Settings


def without_repeats(
    text: str,
    structure: Structure,
    kept: NDArray[np.bool_],
    protected: Sequence[ProtectedSpan],
    settings: Settings,
) -> NDArray[np.bool_]:
    """Return `kept`, bool of shape (words,), without force_tokens that repeat the one before.

    A forced word or phrase goes where the same one was kept before it and no word between was. It
    stays where it is a part of a longer word, has a partner (a bracket, a quote), or is protected
    for another reason too.
    """
    digits = settings.force_digits
    tokens = {
        _single_spaced(token)
        for token in settings.force_tokens
        if not (digits and any(map(str.isdecimal, token)))
    }
    forced = sorted(
        (s for s in protected if s.kind is Kind.FORCED), key=lambda s: (s.start, s.start - s.end)
    )
    others = _covered(structure, [s for s in protected if s.kind is not Kind.FORCED])
    left = kept.copy()
    previous, after = "", 0  # the last forced text that was kept, and the word behind it
    for span in forced:
        first, stop = word_range(structure, span.start, span.end)
        if first < after or first == stop or not kept[first:stop].all():
            continue
        whole = structure.starts[first] == span.start and structure.ends[stop - 1] == span.end
        token = _single_spaced(text[span.start : span.end]) if whole else ""
        free = not others[first:stop].any() and (structure.partner[first:stop] < 0).all()
        if token in tokens and token == previous and free and not left[after:first].any():
            left[first:stop] = False
        previous, after = token, stop
    return left


def _single_spaced(phrase: str) -> str:
    return " ".join(phrase.split())


def _covered(structure: Structure, spans: Sequence[ProtectedSpan]) -> NDArray[np.bool_]:
    covered = np.zeros(len(structure.starts), np.bool_)
    for span in spans:
        first, stop = word_range(structure, span.start, span.end)
        covered[first:stop] = True
    return covered
