"""What is known of a text before the classifier has spoken: what is protected, how words stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from compressor.blank_lines import outside
from compressor.budget import share, word_costs
from compressor.protect import find_protected
from compressor.protect.json_prose import JsonProse
from compressor.rebuild import text_of
from compressor.repetition import as_wholes, repeated_lines
from compressor.structure import Structure, read_structure
from compressor.types import ProtectedSpan, Settings, Span, TokenCounter
from compressor.words import Word

Render = Callable[[Sequence[Span]], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts of a text with n words.

    `found` are all protected spans, `repeated` the lines among them that say what others do, and
    `protected` what is left of the spans when those go as wholes. `costs` are the tokens that each
    word takes, by estimate, float64 of shape (n,).
    """

    structure: Structure
    found: Sequence[ProtectedSpan]
    repeated: Sequence[ProtectedSpan]
    protected: Sequence[ProtectedSpan]
    costs: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Source:
    """A text to be cut down, with all that does not depend on the classifier.

    `seen` is the text as words and spans are read from it (a view of JSON's prose, or the text
    itself): theirs and those of what is chosen are its offsets, `in_text` makes the text's of them.
    `render` makes the whole that tokens are counted of from the slices kept, with other
    text `apart` from them or nothing else; `before` is the whole's tokens, `goal` how many may
    stay, None where a threshold decides. `unchanged` says why nothing can be done, and then there
    is no `reading`.
    """

    text: str
    seen: str
    words: Sequence[Word]
    settings: Settings
    counter: TokenCounter
    render: Render
    prose: JsonProse | None = None
    before: int = 0
    goal: int | None = None
    apart: bool = False
    unchanged: str | None = None
    reading: Reading | None = None

    def in_text(self, kept: Sequence[Span]) -> tuple[Span, ...]:
        """Return slices of `seen` as slices of the text."""
        return tuple(kept) if self.prose is None else self.prose.offsets.spans_in_text(kept)

    def count(self, kept: Sequence[Span]) -> int:
        """Return the tokens of the whole with these slices of `seen`."""
        return self.counter.count(self.render(self.in_text(kept)))


def read_source(
    text: str,
    words: Sequence[Word],
    settings: Settings,
    counter: TokenCounter,
    *,
    protected: Sequence[ProtectedSpan] | None = None,
    prose: JsonProse | None = None,
    render: Render | None = None,
) -> Source:
    """Read a text; the arguments are those of `extract`."""
    seen = text if prose is None else prose.view
    joined = partial(text_of, text)
    unread = Source(text, seen, words, settings, counter, render or joined, prose)
    if _has_lone_surrogate(text):
        return replace(unread, unchanged="lone surrogates, which no tokenizer can count")
    starts = counter.starts(text)
    before = len(starts) if render is None else counter.count(render([Span(0, len(text))]))
    if prose is not None:
        starts = prose.offsets.in_view(starts).tolist()
    goal = _goal(settings, before, starts, prose)
    unread = replace(unread, before=before, goal=goal, apart=render is not None)
    if not words or (goal is not None and goal >= before):
        return replace(unread, unchanged="within budget" if words else "no words")
    found = find_protected(seen, settings, prose) if protected is None else list(protected)
    values = prose.values if prose is not None else ()
    borders = [edge for value in values for edge in value]
    structure = read_structure(seen, words, borders, found)
    repeated = repeated_lines(seen, found)
    wholes = as_wholes(found, repeated)
    costs = word_costs(structure, outside(structure.surplus, starts))
    reading = Reading(structure, found, repeated, wholes, costs)
    return replace(unread, reading=reading)


def _goal(
    settings: Settings, before: int, starts: Sequence[int], prose: JsonProse | None
) -> int | None:
    """Return how many tokens may stay; None where a threshold decides.

    Beside `prose` a rate holds for what may be cut, keys and other values coming on top: else JSON
    that is mostly structure would lose all of its prose.
    """
    if settings.target_tokens is not None or settings.rate is None:
        return settings.target_tokens
    at = np.asarray(starts, np.int64)
    fixed = sum(
        int(np.searchsorted(at, span.end) - np.searchsorted(at, span.start))
        for span in (prose.rest if prose is not None else ())
    )
    return max(1, fixed + share(settings.rate, before - fixed))


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
