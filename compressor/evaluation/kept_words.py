"""Which words of a text two choices both keep: how much two forms of one classifier agree."""

from collections.abc import Iterable, Sequence, Set

from compressor.types import Span
from compressor.words import split_words


def kept_words(text: str, kept: Sequence[Span]) -> set[int]:
    """Return the numbers of the words, counted as in `split_words`, that are whole in the slices.

    `kept` are slices of the text, in order, as in a CompressionResult.
    """
    found = set[int]()
    spans = iter(kept)
    span = next(spans, None)
    for number, word in enumerate(split_words(text)):
        while span is not None and span.end < word.end:
            span = next(spans, None)
        if span is not None and span.start <= word.start:
            found.add(number)
    return found


def share_kept_too(pairs: Iterable[tuple[Set[int], Set[int]]]) -> float:
    """Return what share of the first sets' words the second sets have too; 1.0 of no words."""
    words = both = 0
    for first, second in pairs:
        words += len(first)
        both += len(first & second)
    return both / words if words else 1.0
