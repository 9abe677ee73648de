"""Words that everybody knows, of languages written without spaces: where they stand in a run.

Chinese words are simplified; traditional characters are looked up in their simplified form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import log

_LONGEST_CHINESE = 4
_LONGEST_THAI = 14
# Fewest words first: among as many, the ones with the lower ranks. A character that is no part of
# a known word costs like a word of middling rank.
_WORD_COST = 5.0
_RANK_WEIGHT = 0.1
_FIRST_RANK = 50
_SINGLE_COST = 5.6


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What each known word costs, how many characters they have at most, and what stands for what.

    `forms` are the simplified forms of traditional characters.
    """

    costs: dict[str, float]
    longest: int
    forms: dict[int, str]

    def breaks(self, run: str) -> list[int]:
        """Return where words end that cover `run`, of its characters or known: ascending."""
        run = run.translate(self.forms)
        known = self.costs.get
        best = [0.0]
        back = [0]
        for end in range(1, len(run) + 1):
            lowest, start = best[-1] + _SINGLE_COST, end - 1
            for begin in range(end - 2, max(end - self.longest, 0) - 1, -1):
                cost = known(run[begin:end])
                if cost is not None and best[begin] + cost < lowest:
                    lowest, start = best[begin] + cost, begin
            best.append(lowest)
            back.append(start)
        ends: list[int] = []
        end = len(run)
        while end:
            ends.append(end)
            end = back[end]
        ends.reverse()
        return ends


@cache
def chinese_lexicon() -> Lexicon:
    """Load the Chinese words, once; the first Chinese text waits some milliseconds for it."""
    pairs = _lines("traditional_characters.txt")
    forms = {ord(pair[0]): pair[1] for pair in pairs}
    return Lexicon(_costs(_lines("chinese_words.txt")), _LONGEST_CHINESE, forms)


@cache
def thai_lexicon() -> Lexicon:
    """Load the Thai words, once."""
    return Lexicon(_costs(_lines("thai_words.txt")), _LONGEST_THAI, {})


def _lines(name: str) -> list[str]:
    return resources.files("compressor.vocabulary").joinpath(name).read_text("utf-8").split()


def _costs(words: Sequence[str]) -> dict[str, float]:
    return {
        word: _WORD_COST + _RANK_WEIGHT * log(rank + _FIRST_RANK) for rank, word in enumerate(words)
    }
