"""Kept words to text: slices of the source, with the source's own spacing and line breaks."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compressor.blank_lines import without
from compressor.structure import (
    GAP_LINE,
    GAP_NONE,
    GAP_PARAGRAPH,
    GAP_RUN,
    GAP_SPACE,
    Structure,
)
from compressor.types import Span
from compressor.words import is_unspaced

_OPENING = frozenset("([{（「『【《“„«‘‹〈¿¡$€£¥#@")

# Before an amount or a name; before another mark they end something: $x$, for instance.
_PREFIXES = frozenset("$€£¥#@")

# What has to begin its line: code, tables, tags, commands of LaTeX.
_BLOCKS = ("```", "~~~", "|", "{|", "<", "\\begin", "\\end")
_LINKS = ("<http", "<ftp", "<mailto:", "<www.")
_TAG = re.compile(r"[ \t]*<[A-Za-z]\Z")  # one that opens its line, as far as its first letter
_INDENT = re.compile(r"[ \t]*")

_CLOSING = frozenset(".,;:!?…)]}。，、；：！？）」』】》〉।॥؟،؛۔။၊។៕")


class Rebuilder:
    """Makes texts of the words kept of one text, for any number of choices.

    Between two kept words stands the strongest of the gaps between them: a paragraph break before
    a line break before a space; of a long run of blank lines one. White space before the first and
    after the last word of the text stays with that word. What stands between two words depends on
    those two alone, and most choices that are tried for one budget have most of them in common.
    """

    def __init__(self, text: str, structure: Structure) -> None:
        self._text = text
        self._structure = structure
        self._starts, self._ends = structure.starts.tolist(), structure.ends.tolist()
        # The strongest gap, and of equals the last, whose indentation is that of the line going on.
        self._strength = structure.gap.astype(np.int64) * len(structure.gap)
        self._strength += np.arange(len(structure.gap))
        self._between: dict[tuple[int, int], list[Span]] = {}

    def spans(self, kept: NDArray[np.bool_]) -> tuple[Span, ...]:
        """Return the slices that hold the kept words, in order; joined they are the result.

        `kept` is of shape (words,).
        """
        at = np.flatnonzero(kept)
        if not len(at):
            return ()
        breaks = np.flatnonzero(np.diff(at) > 1)  # kept words that a dropped word follows
        spans: list[Span] = []
        begin = _opening(self._text, self._structure, int(at[0]))
        for last, first in zip(at[breaks].tolist(), at[breaks + 1].tolist(), strict=True):
            spans.append(Span(begin, self._ends[last]))
            spans += self._gap(last, first)
            begin = self._starts[first]
        end = len(self._text) if kept[-1] else self._ends[at[-1]]
        spans.append(Span(begin, end))
        return tuple(without(self._structure.surplus, _joined(spans)))

    def _gap(self, last: int, first: int) -> list[Span]:
        """Return what stands between two kept words that were not neighbours."""
        known = self._between.get((last, first))
        if known is None:
            strongest = int(self._strength[last + 1 : first + 1].max()) % len(self._strength)
            known = _between(self._text, self._structure, last, first, strongest)
            self._between[last, first] = known
        return known


def _opening(text: str, structure: Structure, first: int) -> int:
    """Return where the result begins: at its first word, or at the indentation of that word's line.

    A block of code keeps the indentation of its first line wherever it stands.
    """
    if first == 0:
        return 0
    start = int(structure.starts[first])
    line = text.rfind("\n", int(structure.ends[first - 1]), start) + 1
    return line or start


def text_of(text: str, spans: Sequence[Span]) -> str:
    """Return the slices of `text`, joined."""
    return "".join([text[s.start : s.end] for s in spans])


def _between(
    text: str, structure: Structure, end_word: int, next_word: int, gap: int
) -> list[Span]:
    """Return what stands between two kept words that were not neighbours."""
    kind = int(structure.gap[gap])
    block = _is_block(text, int(structure.starts[next_word]))
    if kind == GAP_LINE and not block and _continues(structure, end_word, next_word):
        return [Span(int(structure.ends[end_word]), int(structure.starts[end_word + 1]))]
    if _hugs(text, structure, end_word, next_word) and (
        kind < GAP_LINE or _ends_wrapped(text, structure, end_word, next_word)
    ):
        return []
    if kind < GAP_LINE and (inside := _line_end_in_word(text, structure, end_word, next_word)):
        return inside
    if kind == GAP_NONE:
        return _separator(text, structure, end_word, next_word)
    start, end = int(structure.ends[gap - 1]), int(structure.starts[gap])
    if kind < GAP_PARAGRAPH:
        return [Span(start, end)]
    later = np.flatnonzero(structure.gap[gap + 1 : next_word + 1] == GAP_LINE)
    if not len(later):
        return [Span(start, end)]
    line = gap + 1 + int(later[-1])
    indent_end = int(structure.starts[line])
    cut = text.rfind("\n", start, end) + 1
    return [Span(start, cut), Span(text.rfind("\n", 0, indent_end) + 1, indent_end)]


def _is_block(text: str, start: int) -> bool:
    return text.startswith(_BLOCKS, start) and not text.startswith(_LINKS, start)


def _line_end_in_word(text: str, structure: Structure, end_word: int, next_word: int) -> list[Span]:
    """Return the line's end and the indentation in a dropped word that was hyphenated there."""
    start, end = int(structure.ends[end_word]), int(structure.starts[next_word])
    cut = text.rfind("\n", start, end)
    if cut < 0:
        return []
    indent = _INDENT.match(text, cut + 1)
    return [Span(cut, indent.end() if indent else cut + 1)]


def _hugs(text: str, structure: Structure, end_word: int, next_word: int) -> bool:
    """Whether one of the two is a mark that stood tight on this side in the source."""
    if _meet(text, structure, end_word, next_word):
        return False
    closing = structure.mark[next_word] and structure.gap[next_word] == GAP_NONE
    closing &= not structure.begins[next_word]  # the dots of a path, the minus of a number
    if closing and not _opens(text, structure, next_word):
        return True
    if structure.gap[next_word] == GAP_NONE and text.startswith("</", structure.starts[next_word]):
        return True
    if structure.gap[end_word + 1] != GAP_NONE:
        return False
    if structure.mark[end_word]:
        return _opens(text, structure, end_word)
    start = int(structure.starts[end_word])
    return _TAG.match(text, text.rfind("\n", 0, start) + 1, start + 2) is not None


def _opens(text: str, structure: Structure, mark: int) -> bool:
    """Whether a mark opens something: by its partner, or by what it is where it has none."""
    partner = int(structure.partner[mark])
    if partner >= 0:
        return partner > mark
    sign = text[structure.starts[mark]]
    return sign in _OPENING and not (
        sign in _PREFIXES and bool(structure.mark[mark + 1 : mark + 2].any())
    )


def _meet(text: str, structure: Structure, end_word: int, next_word: int) -> bool:
    """Whether one quote or emphasis ends and another begins, whose marks would read as one."""
    left, right = text[structure.ends[end_word] - 1], text[structure.starts[next_word]]
    if left != right or not structure.mark[end_word] or not structure.mark[next_word]:
        return left == right == '"'
    closes = 0 <= structure.partner[end_word] < end_word
    return left == '"' or bool(closes and structure.partner[next_word] > next_word)


def _continues(structure: Structure, end_word: int, next_word: int) -> bool:
    """Whether a label's own line is gone and a later one of the same item goes on behind it."""
    if not structure.label[end_word] or structure.label[next_word]:
        return False
    spaced = structure.gap[end_word + 1] in (GAP_SPACE, GAP_RUN)
    return bool(spaced and structure.block[end_word] == structure.block[next_word])


def _ends_wrapped(text: str, structure: Structure, end_word: int, next_word: int) -> bool:
    """Whether a mark belongs to a word of an earlier line, the rest of its own line being gone.

    It then stands behind that word: a line that begins with a full stop is no line.
    """
    same = structure.sentence[end_word] == structure.sentence[next_word]
    same |= 0 <= structure.partner[next_word] <= end_word
    return bool(same and text[structure.starts[next_word]] in _CLOSING)


def _separator(text: str, structure: Structure, end_word: int, next_word: int) -> list[Span]:
    """Keep letters apart where the source had no space: by the mark between, else the words.

    Words of a script without spaces stand side by side, unless they are of two clauses of which
    one is negated, since the mark says how far that goes, or end and begin otherwise: 36.8℃，88次.
    Between all clauses marks would cost 0.03 of the answers in Chinese at half the tokens.
    """
    left, right = text[structure.ends[end_word] - 1], text[structure.starts[next_word]]
    parting = structure.parting[end_word + 1 : next_word]
    apart = structure.negated[end_word] or structure.negated[next_word]
    apart = apart or not (is_unspaced(left) or is_unspaced(right))
    marked = left in _CLOSING or structure.mark[next_word]
    if apart and not marked and parting.any():
        mark = end_word + 1 + int(parting.argmax())
        return [Span(int(structure.starts[mark]), int(structure.ends[mark]))]
    if is_unspaced(left) or is_unspaced(right):
        return []
    if _is_joint(structure, end_word, next_word) and (
        right.isalnum() or structure.begins[next_word]
    ):
        return [Span(int(structure.ends[end_word]), int(structure.starts[next_word]))]
    if not ((left.isalnum() and right.isalnum()) or _meet(text, structure, end_word, next_word)):
        return []
    marks = np.flatnonzero(structure.mark[end_word + 1 : next_word])
    if len(marks):
        free = marks[structure.partner[end_word + 1 + marks] < 0]  # half of a pair is no separator
        mark = end_word + 1 + int(free[0] if len(free) else marks[0])
        return [Span(int(structure.starts[mark]), int(structure.ends[mark]))]
    return [Span(int(structure.ends[end_word]), int(structure.starts[next_word]))]


def _is_joint(structure: Structure, end_word: int, next_word: int) -> bool:
    """Whether a word, or what stays of the marks behind it, goes on behind marks: k=/v, 1->2."""
    first = end_word if structure.mark[end_word] else end_word + 1
    marks = structure.mark[first:next_word] & (structure.partner[first:next_word] < 0)
    return bool(marks.all() and structure.gap[first] == GAP_NONE)


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].end == span.start:
            joined[-1] = Span(joined[-1].start, span.end)
        elif span.end > span.start:
            joined.append(span)
    return joined
