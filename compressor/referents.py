"""The word that says what a number counts (17 nurses) or what has an identifier (order 4471-22)."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from compressor.protect.numbers import MONTH, NUMBER_WORD
from compressor.terms import FUNCTION_WORDS
from compressor.types import Kind, ProtectedSpan

_BARE = re.compile(
    rf"(?:.*[\s(~≈<>≤≥±-])?(?:\d[\d.,'’]*(?:st|nd|rd|th)?\+?|(?i:{NUMBER_WORD}))\Z", re.DOTALL
)
# What has a unit, is a time, a date or a place in a text.
_MEASURED = re.compile(rf"[$€£¥₹₽%§:/=]|\d-\d\d-|(?<!\w){MONTH}(?!\w)")
_DIGIT = re.compile(r"[^\[(\\\n].*\d|\d", re.DOTALL)  # not of a citation or a formula
_YEAR = re.compile(r"(?:1[89]|20)\d\d\Z")
_WORD = r"[^\W\d_](?:[\w'’-]{0,40}\w)?"
_AFTER = re.compile(
    r"[ \u00a0](?:(?:of|de|der|des|von|di) (?:the |los |las |les |den )?)?"
    rf"(?P<one>{_WORD})(?: (?P<two>{_WORD}))?(?: (?P<three>{_WORD}))?(?!\w)"
)
_BETWEEN = re.compile(r"(?:more|other|further|additional|new)\Z")
_PLURAL = re.compile(r"(?:\w{2,40}[^\Wsui]s|men|women|children|people)\Z", re.IGNORECASE)
# Words that a number follows: what stands behind it is not counted then.
_BEFORE = re.compile(rf"(?<![\w'’-])(?P<two>{_WORD} )?(?P<one>{_WORD})(?P<gap>\.?:?=? ?[#(\[<]?)\Z")
_NUMBERED_LIST = (
    "step page section chapter figure table line item level number room day phase part no nr seite "
    "absatz kapitel schritt abbildung tabelle zeile chapitre étape tableau ligne página capítulo "
    "paso tabla línea pagina capitolo passo"
)
_NUMBERED = frozenset(_NUMBERED_LIST.split())
# Behind the word that an identifier is of: an order number, a ticket's id.
_GENERIC = frozenset(
    {"no", "nr", "number", "num", "nummer", "numéro", "número", "id", "code", "ref"}
)
_REACH = 90  # characters around a number or an identifier
_OPAQUE = re.compile(
    r"#?(?=[^\d]{0,40}\d)(?=(?:\D{0,8}\d){2})(?:[A-Z0-9./-]{4,60}|[0-9a-f-]{7,64})\Z"
)
_LINK = re.compile(r"(?:(?:is|was|are|lautet|ist|war|est|es|è|é)\.? ?|[:#]\s?)\Z")


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


def _numbered(text: str, span: ProtectedSpan) -> Iterator[int]:
    """Yield where the word begins that says what a number is: what it counts, or what has it.

    A bare number counts what stands behind it (17 nurses); before one with a unit, or with nothing
    behind it, stands what was measured (CRP 43 mg/L, INR goal 2.0-3.0, page 4).
    """
    number = text[span.start : span.end]
    before = _BEFORE.search(text, max(0, span.start - _REACH), span.start)
    name = before["one"].lower() if before else ""
    bare = _BARE.match(number) and not _MEASURED.search(number)
    if bare and name not in _NUMBERED and (counted := _counted(text, span)) is not None:
        yield counted
    elif before and before["gap"] and name not in FUNCTION_WORDS:
        goes = span.conditional or ":" in before["gap"]
        if goes and _DIGIT.match(number):
            yield before.start("one")


def _counted(text: str, span: ProtectedSpan) -> int | None:
    """Return where the word begins that a bare number counts; None: nothing."""
    after = _AFTER.match(text, span.end, span.end + _REACH)
    opens = span.start == 0 or text[span.start - 1] == "\n"  # 7.1 Liability
    year = _YEAR.match(text[span.start : span.end])
    if after is None or year or (opens and after["one"][0].isupper()):
        return None
    near: list[str] = []
    for name in ("one", "two", "three"):
        word = after[name]
        if not word or (word.lower() in FUNCTION_WORDS and not _BETWEEN.match(word.lower())):
            break
        near.append(name)
    told = (n for n in near if _PLURAL.match(after[n]) or after[n][0].isupper())
    chosen = next(told, next((n for n in near if not _BETWEEN.match(after[n])), ""))
    return after.start(chosen) if chosen else None


def _identified(text: str, span: ProtectedSpan) -> Iterator[int]:
    """Yield where the word begins that says what an identifier is of."""
    if not _OPAQUE.match(text[span.start : span.end]):
        return
    end = span.start
    start = max(0, end - _REACH)
    if found := _LINK.search(text, start, end):
        end = found.start()
    before = _BEFORE.search(text, start, end)
    if before is None:
        return
    two = (before["two"] or "").strip().lower()
    if before["one"].lower() in _GENERIC and two and two not in FUNCTION_WORDS:
        yield before.start("two")
    elif before["one"].lower() not in FUNCTION_WORDS:
        yield before.start("one")
