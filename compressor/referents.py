"""The word that says what a number counts (17 nurses) or what has an identifier (order 4471-22)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.protect.numbers import MONTH, NUMBER_WORD
from compressor.terms import FUNCTION_WORDS
from compressor.types import Kind, ProtectedSpan

_BARE = re.compile(
    rf"(?:[~≈<>≤≥±]?\d[\d.,'’]*[-–—~])?[~≈<>≤≥±]?\d[\d.,'’]*(?:st|nd|rd|th)?\+?|\d*[¼-¾⅐-⅞]|"
    rf"(?i:{NUMBER_WORD})"
)
# What has a unit, is a time or a place in a text, is a date.
_MEASURED = re.compile(r"[$€£¥₹₽%§:/=]|\d-\d\d-")
_DATED = re.compile(rf"(?<!\w){MONTH}(?!\w)")
# What a line of a list begins with, as in a recipe: • 1½ kg potatoes.
_MEASURE = re.compile(r"[\d¼-¾⅐-⅞]\s?[^\W\d_]{1,12}\Z")
_ITEM = re.compile(
    r"^[ \t>]*(?:[-*+•‣◦–·▪]|\d{1,2}[.)])?[ \t]*(?:\[[ xX]\][ \t]*)?\Z", re.MULTILINE
)
_LONGEST_ITEM = 16  # characters before the number
_DIGIT = re.compile(r"[^\[(\\\n].*\d|\d", re.DOTALL)  # not of a citation or a formula
_YEAR = re.compile(r"(?:1[89]|20)\d\d\Z")
_WORD = r"[^\W\d_](?:[\w'’-]{0,40}\w)?"
_AFTER = re.compile(
    r"[ \u00a0](?:(?:of|de|der|des|von|di) (?:the |los |las |les |den )?)?"
    rf"(?P<one>{_WORD})(?: (?P<two>{_WORD}))?(?: (?P<three>{_WORD}))?(?!\w)"
)
_BETWEEN = re.compile(r"(?:more|other|further|additional|new)\Z")
_PLURALS = frozenset({"men", "women", "children", "people"})
# Words that a number follows: what stands behind it is not counted then.
_NUMBERED_LIST = (
    "step page section chapter figure table line item level number room day phase part no nr seite "
    "absatz kapitel schritt abbildung tabelle zeile chapitre étape tableau ligne página capítulo "
    "paso tabla línea pagina capitolo passo"
)
_NUMBERED = frozenset(_NUMBERED_LIST.split())
# Behind the word that an identifier is of: an order number, a ticket's id.
_GENERIC = frozenset(
    {"no", "nr", "n", "nº", "№", "number", "num", "nummer", "numéro", "número", "id", "code", "ref"}
)
_NO_NOUNS = FUNCTION_WORDS | {"us", "them", "me", "him", "these", "those", "today", "now"}
_REACH = 90  # characters around a number or an identifier
_OPAQUE = re.compile(
    r"#?(?=[^\d]{0,40}\d)(?=(?:\D{0,8}\d){2})(?:[A-Z0-9./-]{4,60}|[0-9a-f-]{7,64})\Z"
)
_GAP = ".:= #([<°\u00a0"  # may stand between a number and what it is of
_LONGEST_GAP = 3
_LONGEST_WORD = 40
_LONGEST_ABBREVIATION = 4  # a longer word before a full stop is the end of a sentence
_LINKS = frozenset({"is", "was", "are", "lautet", "ist", "war", "est", "es", "è", "é"})


@dataclass(frozen=True, slots=True)
class _Before:
    """The word before a place of a text: where it starts, itself in lower case, and the gap."""

    start: int
    word: str
    gap: str


def referents(
    text: str,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    protected: Sequence[ProtectedSpan],
) -> NDArray[np.int64]:
    """Return pairs of words, shape (pairs, 2): of a number or an identifier, and its referent.

    `starts` and `ends` are the words' character offsets.
    """
    pairs: list[tuple[int, int]] = []
    named = 0  # where the last identifier ends: its digits count nothing
    for span in protected:
        if span.kind in (Kind.IDENTIFIER, Kind.PATH):
            named = max(named, span.end)
            pairs += [(span.start, at) for at in _identified(text, span)]
        elif span.kind is Kind.NUMBER and span.start >= named:
            pairs += [(span.start, at) for at in _numbered(text, span)]
    places = np.asarray(pairs, np.int64).reshape(-1, 2)
    at = np.searchsorted(ends, places, side="right")
    inside = (at < len(starts)).all(axis=1)
    return at[inside]


def _before(text: str, place: int) -> _Before | None:
    """Return the word before a place; None where another mark or a line's end stands between."""
    end = place
    while place - end < _LONGEST_GAP and end and text[end - 1] in _GAP:
        end -= 1
    start = end
    while (
        end - start < _LONGEST_WORD
        and start
        and (text[start - 1].isalnum() or text[start - 1] in "'’-_")
    ):
        start -= 1
    gap = text[end:place]
    sentence = "." in gap and end - start > _LONGEST_ABBREVIATION
    if start == end or sentence or not text[start].isalpha():
        return None
    return _Before(start, text[start:end].lower(), gap)


def _numbered(text: str, span: ProtectedSpan) -> Iterator[int]:
    """Yield where the word begins that says what a number is: what it counts, or what has it.

    A bare number counts what stands behind it (17 nurses); before one with a unit, or with nothing
    behind it, stands what was measured (CRP 43 mg/L, INR goal 2.0-3.0, page 4).
    """
    number = text[span.start : span.end]
    if number.isspace():  # the line's end of a date over two log lines
        return
    last = number.rsplit(None, 1)[-1]
    before = _before(text, span.start)
    bare = _BARE.fullmatch(last) and not _MEASURED.search(number)
    bare = bare and (len(last) == len(number) or not _DATED.search(number))
    counts = bare and not (before and before.word in _NUMBERED)
    if before is None and _MEASURE.search(number) and _begins_item(text, span.start):
        if (what := _AFTER.match(text, span.end, span.end + _REACH)) is not None:
            yield what.start(_told(what) or "one")
    elif counts and (counted := _counted(text, span)) is not None:
        yield counted
    elif before and before.gap and before.word not in FUNCTION_WORDS:
        # A year or a day says what it is by itself, but not what is due on it: "due: 2025-11-21".
        day = not span.conditional or _YEAR.search(last) or _DATED.search(number)
        if _DIGIT.match(number) and (":" in before.gap or not day):
            yield before.start


def _counted(text: str, span: ProtectedSpan) -> int | None:
    """Return where the word begins that a bare number counts; None: nothing."""
    after = _AFTER.match(text, span.end, span.end + _REACH)
    opens = span.start == 0 or text[span.start - 1] == "\n"  # 7.1 Liability
    year = _YEAR.match(text[span.start : span.end])
    if (
        after is None
        or year
        or (opens and text[span.start].isdigit() and after["one"][0].isupper())
    ):
        return None
    chosen = _told(after)
    return after.start(chosen) if chosen else None


def _told(after: re.Match[str]) -> str:
    """Return which of the words behind a number is its noun, by the group's name; "": none."""
    near: list[str] = []
    for name in ("one", "two", "three"):
        word = after[name]
        if not word or (word.lower() in _NO_NOUNS and not _BETWEEN.match(word.lower())):
            break
        near.append(name)
    told = (n for n in near if _is_plural(after[n]) or after[n][0].isupper())
    return next(told, next((n for n in near if not _BETWEEN.match(after[n])), ""))


def _begins_item(text: str, place: int) -> bool:
    """Whether nothing but a bullet stands before this on its line."""
    start = text.rfind("\n", max(0, place - _LONGEST_ITEM), place) + 1
    return (start > 0 or place <= _LONGEST_ITEM) and bool(_ITEM.match(text[start:place]))


def _is_plural(word: str) -> bool:
    word = word.lower()
    return word in _PLURALS or (len(word) > 3 and word[-1] == "s" and word[-2] not in "sui")


def _identified(text: str, span: ProtectedSpan) -> Iterator[int]:
    """Yield where the word begins that says what an identifier is of."""
    if not _OPAQUE.match(text[span.start : span.end]):
        return
    before = _before(text, span.start)
    if before and before.word in _LINKS:
        before = _before(text, before.start)
    if before and before.word in _GENERIC:
        two = _before(text, before.start)
        if two and two.word not in FUNCTION_WORDS:
            if "." in before.gap:  # or the full stop of "accession no." would end "accession"
                yield before.start
            before = two
    if before and before.gap and (before.word in _GENERIC or before.word not in FUNCTION_WORDS):
        yield before.start
