"""What a compressed text still holds of its source: answers, items, negations.

Everything here has its own patterns and none of `compressor.protect`'s, so that the compressor is
not measured with its own ruler.
"""

import re
import string
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from compressor.evaluation.stop_words import STOP_WORDS
from compressor.types import Span
from compressor.words import is_mark, split_words

_ITEMS = re.compile(
    "|".join(
        (
            r"(?P<url>(?:https?|ftp)://[^\s<>\"'）」]+(?<![.,;:)\]])|www\.[^\s<>\"']+(?<![.,;:)\]])"
            r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
            r"(?P<quote>\"(?=\S)[^\"\n]{1,80}(?<=\S)\"|“[^“”\n]{1,80}”|「[^「」\n]{1,60}」)",
            r"(?P<path>(?<![\w/])(?:~|\.{1,2})?/(?:[\w.-]+/)+[\w.-]*\w)",
            # UUIDs, hashes, IP addresses, versions, ticket numbers, names with underscores; not
            # every mix of letters and digits: SARS-CoV-2 and figure 2B are words like others.
            r"(?P<identifier>(?<![\w.-])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
            r"|(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}|v?\d+(?:\.\d+){2,3}|v\d+\.\d+"
            r"|[A-Z]{2,10}-\d{3,}|[A-Za-z]\w*_\w+)(?![\w-]))",
            r"(?P<number>(?<![\w.,])\d+(?:[.,:]\d+)*(?![\w]))",
        )
    ),
    re.ASCII,
)
_CLAUSE_END = re.compile(r"[,;:.!?…](?=\s|$)|[。、，；：！？]|\n")
_NEGATIONS_BY_LANGUAGE = """
    no not never none nobody nothing nowhere neither nor without cannot hardly barely scarcely
    nicht nie niemals nichts niemand kein keine keinen keinem keiner keines ohne weder
    ne pas jamais rien aucun aucune sans
    nunca jamás nada nadie ningún ninguno ninguna sin tampoco
"""
_NEGATIONS = frozenset(_NEGATIONS_BY_LANGUAGE.split())
_CONTRACTED = re.compile(r"\w+n['’]t", re.IGNORECASE)
_NEGATED_WITHIN = 4  # words after a negation among which the one that it negates is looked for


class _Unpunctuated(dict[int, str | None]):
    """A table for str.translate that drops punctuation, filled in as characters come by."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        drop = char in string.punctuation or unicodedata.category(char).startswith("P")
        self[code] = None if drop else char
        return self[code]


@cache
def _punctuation() -> _Unpunctuated:
    return _Unpunctuated()


def normalised(text: str) -> str:
    """Return `text` in lower case, without punctuation, with single spaces.

    Punctuation is what Unicode calls so (categories P) and ASCII's symbols, as in SQuAD's script.
    """
    return " ".join(text.lower().translate(_punctuation()).split())


def survival(source: str, compressed: str, answers: Sequence[Sequence[str]]) -> list[bool | None]:
    """Say for every question's answers whether some one is still a contiguous string.

    An answer counts only where it stands in the normalised source; None where no answer does, and
    the question is then left out of the share.
    """
    return surviving(standing(source, answers), compressed)


def standing(source: str, answers: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return for every question those of its answers, normalised, that stand in the source."""
    before = normalised(source)
    return [[a for a in map(normalised, found) if a and a in before] for found in answers]


def surviving(wanted: Sequence[Sequence[str]], compressed: str) -> list[bool | None]:
    """Say what `survival` says, of answers that `standing` has found in the source."""
    after = normalised(compressed)
    return [any(a in after for a in some) if some else None for some in wanted]


@dataclass(frozen=True, slots=True)
class Kept:
    """How many of `called` are still there. `share` is None where there were none."""

    kept: int
    called: int

    @property
    def share(self) -> float | None:
        """Kept / called."""
        return self.kept / self.called if self.called else None


def item_recall(source: str, kept: Sequence[Span]) -> Mapping[str, Kept]:
    """Count, by kind, the items of `source` that are whole in the kept slices.

    Kinds: url (and e-mail), path, identifier, quote: every one is called for. `number`: those in
    clauses of which at least half of the other words are kept; without its clause a number is
    noise.
    """
    coverage = Coverage(kept)
    clauses: _Clauses | None = None
    counts = {kind: [0, 0] for kind in ("url", "path", "identifier", "quote", "number")}
    for match in _ITEMS.finditer(source):
        kind = str(match.lastgroup)
        if kind == "number":
            clauses = clauses or _Clauses(source, coverage)
            if not clauses.half_kept(match.start(), match.end()):
                continue
        counts[kind][1] += 1
        counts[kind][0] += coverage.whole(match.start(), match.end())
    return {kind: Kept(*count) for kind, count in counts.items() if count[1]}


def negation_retention(source: str, kept: Sequence[Span]) -> Kept:
    """Count the negations whose negated word is kept, and those of them that are kept themselves.

    The negated word is the first content word within four words after the negation in its clause;
    where there is none, the last content word before it. English, German, French and Spanish: in
    Japanese and Chinese a negation is part of the word it negates or stands in the same unit.
    """
    coverage = Coverage(kept)
    words = [(w.start, w.end, is_mark(source, w)) for w in split_words(source)]
    called = still = 0
    for index, (start, end, _) in enumerate(words):
        word = source[start:end].lower()
        if word not in _NEGATIONS and not _CONTRACTED.fullmatch(word):
            continue
        negated = _negated(source, words, index)
        if negated is None or not coverage.whole(*negated):
            continue
        called += 1
        still += coverage.whole(start, end)
    return Kept(still, called)


def _negated(
    source: str, words: Sequence[tuple[int, int, bool]], index: int
) -> tuple[int, int] | None:
    for start, end, mark in words[index + 1 : index + 1 + _NEGATED_WITHIN]:
        if mark and _CLAUSE_END.match(source, start):
            break
        if not mark and _is_content(source[start:end]):
            return start, end
    for start, end, mark in reversed(words[max(0, index - _NEGATED_WITHIN) : index]):
        if mark and _CLAUSE_END.match(source, start):
            break
        if not mark and _is_content(source[start:end]):
            return start, end
    return None


def _is_content(word: str) -> bool:
    lower = word.lower()
    return lower not in STOP_WORDS and lower not in _NEGATIONS


class Coverage:
    """Which characters of a source are in the kept slices."""

    def __init__(self, kept: Sequence[Span]) -> None:
        self._starts = [span.start for span in kept]
        self._ends = [span.end for span in kept]

    def whole(self, start: int, end: int) -> bool:
        """Whether one slice holds all of these characters."""
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and self._ends[index] >= end

    def any(self, start: int, end: int) -> bool:
        """Whether some slice holds one of these characters."""
        index = bisect_right(self._starts, end - 1) - 1
        return index >= 0 and self._ends[index] > start


class _Clauses:
    """The clauses of a source, and the share of their words that is kept."""

    def __init__(self, source: str, coverage: Coverage) -> None:
        self._ends = [match.end() for match in _CLAUSE_END.finditer(source)] + [len(source)]
        self._words: dict[int, list[tuple[int, int, bool]]] = {}
        for word in split_words(source):
            if not is_mark(source, word):
                row = (word.start, word.end, coverage.whole(word.start, word.end))
                self._words.setdefault(self._clause(word.start), []).append(row)

    def _clause(self, position: int) -> int:
        return bisect_right(self._ends, position)

    def half_kept(self, start: int, end: int) -> bool:
        """Whether at least half of the clause's words outside these characters are kept."""
        words = self._words.get(self._clause(start), [])
        others = [kept for s, e, kept in words if e <= start or s >= end]
        return bool(others) and sum(others) * 2 >= len(others)


def pooled(counts: Iterable[Mapping[str, Kept]]) -> dict[str, Kept]:
    """Add up counts by kind."""
    kept: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for mapping in counts:
        for kind, count in mapping.items():
            kept[kind] += count.kept
            called[kind] += count.called
    return {kind: Kept(kept[kind], called[kind]) for kind in called}
