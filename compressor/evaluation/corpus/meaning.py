"""Finds negations with what they negate and numbers with their clauses, in six languages.

English, German, French, Spanish, Japanese and Chinese; with patterns of its own (see `items`).
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compressor.evaluation.stop_words import STOP_WORDS

_NEGATION_LIST = """
    no not never none nobody nothing nowhere neither nor without cannot hardly barely scarcely
    nicht nie niemals nichts niemand kein keine keinen keinem keiner keines ohne weder
    ne pas jamais rien aucun aucune sans
    nunca jamás nada nadie ningún ninguno ninguna sin tampoco
"""
_NEGATIONS = frozenset(_NEGATION_LIST.split())
_ACRONYMS = frozenset({"PAS", "SIN", "NE"})
_CONTRACTED = re.compile(r"\w+n['’]t", re.IGNORECASE)
_HAN = "\u4e00-\u9fff"
_KANA = "\u3041-\u30ff"
_UNIT = re.compile(
    rf"\]\([^()\s]*\)|[^\W_{_HAN}{_KANA}]+(?:['’-][^\W_{_HAN}{_KANA}]+)*|[{_HAN}{_KANA}]"
)
# A speaker's name in angle brackets ends a clause: it is not what the speech negates.
_CLAUSE_END = re.compile(r"[,;:.!?…](?=\s|$)|[。、，；：！？]|\n|<[^<>\s]{1,40}>(?= )")
_WITHIN = 4  # words after a negation among which the one that it negates is looked for
# 不 and 没 before the verb that they negate; not where they are part of another word.
_CHINESE = re.compile(
    rf"(?:不(?![同断久仅但只管论]|过|得不)|没有|没|并非|从未|尚未)(?P<negated>[{_HAN}])"
)
_NO_CHINESE = re.compile("[差要是好能会可对]不|不[一多少]")
# The inflected ending that negates the verb whose stem stands right before it.
_JAPANESE = re.compile(
    rf"(?P<negated>[{_HAN}{_KANA}])(?:ません(?:でした)?|なかった|ない(?=[。、で]))"
)
_NO_JAPANESE = re.compile(
    "(?:すみ|しれ|かもしれ|少|じゃ|では|なければ|ないといけ|なら)(?:ません|ない)"
)
_NUMERAL = re.compile(
    r"(?<![\w.,:/-])(?:[$€£¥]\s?)?[-+−]?\d+(?:[.,:]\d+)*"
    r"(?:\s?(?:%|percent|per cent|Prozent|millions?|billions?|Millionen|Milliarden|milliards|millones"
    r"|km|kg|mg|cm|mm|ms|[kMG]B|GHz|MHz|kHz|°C|€|\$"
    r"|seconds?|minutes?|hours?|days?|weeks?|months?|years?|miles?|dollars?|euros?"
    r"|Sekunden|Minuten|Stunden|Tagen?|Wochen|Monaten?|Jahren?"
    r"|secondes|heures?|jours?|semaines?|mois|ans"
    r"|segundos|minutos|horas?|días?|semanas?|meses|años?)(?!\w))?(?![\w%])",
    re.ASCII,
)
_HAN_NUMERAL = re.compile(
    r"(?<![\w.,:/-])\d+(?:[.,]\d+)*(?:年|月|日|時間|時|分|秒|円|人|個|回|％|%|万|億|元|个|次|岁|小时|分钟|天|米|公里)",
    re.ASCII,
)
_LIST_NUMBER = re.compile(r"(?m)^[ \t>]*\(?(?P<digits>\d{1,3})[.):]")


@dataclass(frozen=True, slots=True)
class Negation:
    """A negation and the word that it negates, as half-open ranges."""

    start: int
    end: int
    negated: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its unit, and the other words of its clause."""

    start: int
    end: int
    others: tuple[tuple[int, int], ...]


class Words:
    """The words of a text with its clauses; a Han or kana character is a word of its own."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = (match.span() for match in _UNIT.finditer(text))
        # where a Markdown link leads is no word of its clause
        self.ranges = [span for span in found if text[span[0]] != "]"]
        self._ends = [match.end() for match in _CLAUSE_END.finditer(text)] + [len(text)]
        self.clauses = [bisect_right(self._ends, start) for start, _ in self.ranges]
        self._first: dict[int, int] = {}
        for index, clause in enumerate(self.clauses):
            self._first.setdefault(clause, index)

    def of_clause(self, position: int) -> Sequence[tuple[int, int]]:
        """Return the words of the clause that this character is in."""
        clause = bisect_right(self._ends, position)
        first = self._first.get(clause)
        if first is None:
            return ()
        return self.ranges[first : bisect_right(self.clauses, clause)]


def find_negations(words: Words) -> Iterator[Negation]:
    """Yield the negations whose negated word is plain.

    It is the first word within four after the negation in its clause that says something; where
    there is none, the last one before it. In Japanese and Chinese it is the character that the
    negation is written together with.
    """
    text = words.text
    for index, (start, end) in enumerate(words.ranges):
        word = text[start:end].lower()
        if word not in _NEGATIONS and not _CONTRACTED.fullmatch(word):
            continue
        if text[start:end] in _ACRONYMS:
            continue
        if text[end : end + 1] == "." and text[end + 1 : end + 3].strip().isdigit():
            continue  # No. 5
        negated = _negated(words, index)
        if negated is not None:
            yield Negation(start, end, negated)
    if not text.isascii():
        japanese = re.search(f"[{_KANA}]{{2}}", text) is not None
        pattern, never = (_JAPANESE, _NO_JAPANESE) if japanese else (_CHINESE, _NO_CHINESE)
        for match in pattern.finditer(text):
            if not never.search(text, max(0, match.start() - 4), match.end() + 1):
                yield Negation(*_without(match), match.span("negated"))


def _without(match: re.Match[str]) -> tuple[int, int]:
    """Return the range of a match less its negated character, at either end."""
    negated = match.span("negated")
    if negated[0] == match.start():
        return negated[1], match.end()
    return match.start(), negated[0]


def _negated(words: Words, index: int) -> tuple[int, int] | None:
    after = range(index + 1, min(index + 1 + _WITHIN, len(words.ranges)))
    before = range(index - 1, max(index - 1 - _WITHIN, -1), -1)
    for candidates in (after, before):
        last = index
        for other in candidates:
            if words.clauses[other] != words.clauses[last] and not _is_wrapped(words, last, other):
                break
            last = other
            word = words.text[slice(*words.ranges[other])].lower()
            if word not in STOP_WORDS and word not in _NEGATIONS and not _CONTRACTED.match(word):
                return words.ranges[other]
    return None


def _is_wrapped(words: Words, one: int, other: int) -> bool:
    """Whether nothing but a line's end is between two words, and the line goes on in the next."""
    before, after = words.ranges[min(one, other)], words.ranges[max(one, other)]
    gap = words.text[before[1] : after[0]]
    return gap.isspace() and gap.count("\n") == 1 and words.text[after[0]].islower()


def find_numbers(words: Words) -> Iterator[Number]:
    """Yield the numbers with their units. List numbers and single-word clauses are left out."""
    text = words.text
    listed = {match.start("digits") for match in _LIST_NUMBER.finditer(text)}
    patterns = (_NUMERAL,) if text.isascii() else (_NUMERAL, _HAN_NUMERAL)
    for pattern in patterns:
        for match in pattern.finditer(text):
            start, end = match.span()
            if start in listed:
                continue
            others = tuple(r for r in words.of_clause(start) if r[1] <= start or r[0] >= end)
            if others:
                yield Number(start, end, others)
