"""Quotes in double marks, straight and curled, and in corner brackets: whole or not at all.

A short one always stays. One of up to 300 characters stays or goes as a whole, and so does a title
in 《》. A longer one is text like other text: it would be most of what is kept.
"""

import re
from collections.abc import Iterator

from compressor.types import Kind, ProtectedSpan

_SHORT = 102  # characters with the marks
_LONGEST = 302
_TITLE = "《"
_CLOSED_BY = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "《": "》"}
# Not the mark inside a Hebrew abbreviation (ארה"ב).
_MARKS = re.compile(r'(?<!")"{1,2}(?!")(?<![א-ת]"(?=[א-ת]))|[“”„«»「」『』《》]')
_PARAGRAPH_END = re.compile(r"\n[ \t>]*(?:\n|[-*+•#|][ \t]|\d{1,3}[.)][ \t])")
_BEFORE_OPENING = frozenset(" \t\n([{—–-/=:,;>*_\u3000（「『")
_AFTER_CLOSING = frozenset(" \t\n)]}—–-/.,;:!?…<*_\u3000、。，；：！？）」』")


def quote_spans(text: str) -> Iterator[ProtectedSpan]:
    """Yield the quotes of `text`, ascending; of nested ones the outer and the inner.

    A mark closes what the last one of its kind opened; one that can do neither (the inches of 5")
    is passed over. A quote over a line break is one where its marks stand as at a quote's ends.
    """
    for start, end in _pairs(text):
        if end - start <= _LONGEST:
            goes = end - start > _SHORT or text[start] == _TITLE
            yield ProtectedSpan(start, end, Kind.QUOTE, conditional=goes)


def _pairs(text: str) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    waiting: list[tuple[str, int, int]] = []  # what closes it, where it starts, where it ends
    paragraph = -1
    for match in _MARKS.finditer(text):
        mark, (start, end) = match.group(), match.span()
        if start >= paragraph:
            waiting.clear()
            found = _PARAGRAPH_END.search(text, start)
            paragraph = found.start() if found else len(text)
        at = next((n for n in range(len(waiting) - 1, -1, -1) if mark in waiting[n][0]), -1)
        if at >= 0 and _closes(text, waiting[at], start, end):
            pairs.append((waiting[at][1], end))
            del waiting[at:]
        elif _opens(text, mark, start, end):
            if at >= 0:
                del waiting[at:]
            waiting.append((_CLOSED_BY.get(mark, mark), start, end))
            del waiting[:-4]
    return sorted(pairs)


def _opens(text: str, mark: str, start: int, end: int) -> bool:
    following, before = text[end : end + 1], text[start - 1 : start]
    if mark[0] != '"' and mark != "»":
        return mark in _CLOSED_BY
    if not following or following.isspace():
        return False
    return mark == "»" or not ("0" <= before <= "9" and following.isascii())


def _closes(text: str, opening: tuple[str, int, int], start: int, end: int) -> bool:
    _, opened, inner = opening
    before, mark = text[start - 1], text[start]
    if start == inner or (before.isspace() and mark == '"'):
        return False
    if "\n" not in text[inner : min(start, inner + _LONGEST)]:
        return True
    after = text[end : end + 1]
    framed = opened == 0 or text[opened - 1] in _BEFORE_OPENING
    return mark != '"' or (framed and (not after or after in _AFTER_CLOSING))
