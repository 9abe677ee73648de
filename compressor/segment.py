"""Cuts text written without spaces into words, with BudouX's small models.

BudouX (https://github.com/google/budoux) has a classifier over characters for each of Japanese,
Chinese in both scripts, and Thai; its models are in the package. Those for Chinese and Thai cut
many words in two, so that known words are looked up there as well. Lao, Khmer and Myanmar, which
it does not know, are cut every few syllables, so that nothing is all or nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import ClassVar

from compressor.lexicon import chinese_lexicon, thai_lexicon

KATAKANA = "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HIRAGANA = "\u3041-\u309f"
HAN = "\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
# Letters and what stands on them: digits and the marks that end sentences are none of these.
THAI = "\u0e01-\u0e3a\u0e40-\u0e4e"
_LAO = "\u0e81-\u0ece\u0edc-\u0edf"
_MYANMAR = "\u1000-\u103f\u104c-\u108f\u109a-\u109f"
_KHMER = "\u1780-\u17d3\u17d7\u17dc\u17dd"
OTHERS = _LAO + _MYANMAR + _KHMER + "\u3105-\u312f"

_RUN = re.compile(
    rf"(?P<cjk>[{KATAKANA}{HIRAGANA}{HAN}]+)|(?P<thai>[{THAI}]+)|(?P<lao>[{_LAO}]+)|"
    rf"(?P<myanmar>[{_MYANMAR}]+)|(?P<khmer>[{_KHMER}]+)|[{OTHERS}]{{1,4}}"
)
# Where a syllable begins. In Khmer and Lao a consonant without a vowel of its own mostly ends one;
# in Khmer it can also be one, and nothing is cut beside it.
_SYLLABLES = {
    "lao": re.compile(
        "[ເ-ໄ]|(?<![ເ-ໄຫ])[ກ-ຮໜໝ](?=[\u0eb0-\u0ebd\u0ec8-\u0ecd])|"
        "(?<![ເ-ໄ])ຫ(?=[ກ-ຮ]?[\u0eb0-\u0ebd\u0ec8-\u0ecd])"
    ),
    "myanmar": re.compile("(?<!\u1039)[\u1000-\u102a\u103f\u104c-\u104f](?!\u1037?\u103a|\u1039)"),
    "khmer": re.compile(
        "(?<![\u17d2\u1780-\u17b3])[\u1780-\u17b3](?=[\u17b6-\u17ca\u17cc-\u17d2])"
    ),
}
_SHORTEST_UNIT = 5  # characters of such scripts that are cut off together, at a syllable
_LONGEST_UNIT = 24  # of these and of Thai
_KANA = re.compile(f"[{KATAKANA}{HIRAGANA}]")
_HAN_CHAR = re.compile(f"[{HAN}]")
_TWO_HAN = re.compile(f"[{HAN}]{{2}}")
# Common characters that only one of the two Chinese scripts has.
_SIMPLIFIED = re.compile("[这个们来时会国说对学发经过还进种开长问间关现点动没样两从实业产为]")
_TRADITIONAL = re.compile("[這個們來時會國說對學發經過還進種開長問間關現點動沒樣兩從實業產為]")
_JAPANESE_SHARE = 0.1  # of kana among a text's Han and kana; a Japanese text has far more
# The models saw whole sentences: a run that begins with nothing before it is cut too early.
_LEAD = "。"
_PADDING = 3  # characters on either side of a place that a model looks at
# What a model must score for a cut between two Han characters where nothing else speaks for one:
# they are mostly parts of a name or of a compound.
_MARGIN = 500
_LONGEST_WORD = 12
# A word of the models that is longer, a drawn-out cry for instance, is cut where the kind of
# character changes and then every few characters.
_UNIT = re.compile(
    rf"[{KATAKANA}]{{1,12}}|[{HIRAGANA}]{{1,4}}|[{HAN}]{{1,2}}|[{THAI}]{{1,4}}|[{OTHERS}]{{1,12}}"
)
_KATAKANA_LETTER = "[\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f]"
_KATAKANA_WORD = re.compile(
    f"(?<!{_KATAKANA_LETTER}){_KATAKANA_LETTER}{{2,12}}+(?!{_KATAKANA_LETTER})"
)
# The counter of a number is a word, whatever follows it.
_COUNTED = re.compile(r"\d[年月日时時分秒元个個名件台岁歲回度次支条條张張只隻位层層天周週号號]")


class Segmenter:
    """Cuts the unspaced runs of one text.

    A run with kana is Japanese; one of Han characters alone goes by the whole text's script.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._han_model = _han_model(text)

    def cut(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the words of a run of unspaced characters as half-open character ranges."""
        found: list[tuple[int, int]] = []
        for run in _RUN.finditer(self._text, start, end):
            if run.lastgroup == "cjk":
                model = "ja_word" if _KANA.search(run.group()) else self._han_model
                found += self._words(self._model_cuts(model, run), run)
            elif run.lastgroup == "thai":
                found += self._words(self._model_cuts("th", run), run, _LONGEST_UNIT)
            elif run.lastgroup in _SYLLABLES:
                found += self._words(_syllable_cuts(run.lastgroup, run.group()), run, _LONGEST_UNIT)
            else:
                found.append(run.span())
        return found

    def _words(
        self, cuts: Sequence[int], run: re.Match[str], longest: int = _LONGEST_WORD
    ) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        start = run.start()
        for cut in [*cuts, len(run.group())]:
            end = run.start() + cut
            if end - start > longest:
                found += [unit.span() for unit in _UNIT.finditer(self._text, start, end)]
            else:
                found.append((start, end))
            start = end
        return found

    def _model_cuts(self, model: str, run: re.Match[str]) -> list[int]:
        """Return the places inside a run where one word ends and another begins, ascending."""
        lead = "" if model == "th" else _LEAD
        scores = _boundaries(model).scores(lead + run.group())[len(lead) :]
        if model == "th":
            return [at for at in thai_lexicon().breaks(run.group())[:-1] if scores[at - 1] > 0]
        if model == "ja_word":
            return _japanese_cuts(run.group(), scores)
        ends = chinese_lexicon().breaks(run.group())
        cuts = _agreed(ends, scores)
        if (
            ends[0] == 1 < len(ends)
            and cuts[:1] != [1]
            and _COUNTED.match(self._text, run.start() - 1)
        ):
            cuts.insert(0, 1)
        return cuts


def _japanese_cuts(run: str, scores: Sequence[float]) -> list[int]:
    """Return where the model's scores say that words meet, but in no katakana word.

    Where that leaves a Han character by itself, they must be sure.
    """
    inside = {
        at for word in _KATAKANA_WORD.finditer(run) for at in range(word.start() + 1, word.end())
    }
    found = [at for at, score in enumerate(scores, 1) if score > 0 and at not in inside]
    cuts: list[int] = []
    for before, at, after in zip([0, *found], found, [*found[1:], len(run)], strict=False):
        alone = (at - 1 == before or at + 1 == after) and _TWO_HAN.match(run, at - 1)
        if scores[at - 1] > (_MARGIN if alone else 0):
            cuts.append(at)
    return cuts


def _syllable_cuts(script: str, run: str) -> list[int]:
    """Return the beginnings of syllables between which at least a few characters stand."""
    cuts: list[int] = []
    for syllable in _SYLLABLES[script].finditer(run, _SHORTEST_UNIT):
        if syllable.start() - (cuts[-1] if cuts else 0) >= _SHORTEST_UNIT:
            cuts.append(syllable.start())
    return cuts


def _agreed(ends: Sequence[int], scores: Sequence[float]) -> list[int]:
    """Return those ends of the lexicon's words at which the model's scores say that words meet.

    Two known words always meet; two characters that are in none only where it is sure.
    """
    cuts: list[int] = []
    for before, at, after in zip([0, *ends], ends, ends[1:], strict=False):
        known = (at - before > 1) + (after - at > 1)
        if known == 2 or scores[at - 1] > (0 if known else _MARGIN):
            cuts.append(at)
    return cuts


def _han_model(text: str) -> str:
    """Return the model for runs without kana."""
    kana = len(_KANA.findall(text))
    if kana and kana >= _JAPANESE_SHARE * (kana + len(_HAN_CHAR.findall(text))):
        return "ja_word"
    traditional = len(_TRADITIONAL.findall(text)) > len(_SIMPLIFIED.findall(text))
    return "zh-hant" if traditional else "zh-hans"


class _Boundaries:
    """A model of BudouX: weights for the characters around a place, by their distance from it."""

    # The stretch that each feature looks at, from the place between two characters.
    _FEATURES: ClassVar[Mapping[str, tuple[int, int]]] = {
        "UW1": (-3, -2), "UW2": (-2, -1), "UW3": (-1, 0), "UW4": (0, 1), "UW5": (1, 2),
        "UW6": (2, 3), "BW1": (-2, 0), "BW2": (-1, 1), "BW3": (0, 2), "TW1": (-3, 0),
        "TW2": (-2, 1), "TW3": (-1, 2), "TW4": (0, 3),
    }  # fmt: skip

    def __init__(self, weights: Mapping[str, Mapping[str, int]]) -> None:
        self._base = -sum(sum(group.values()) for group in weights.values()) / 2
        self._groups = [
            (weights[name].get, first + _PADDING, stop + _PADDING)
            for name, (first, stop) in self._FEATURES.items()
            if name in weights
        ]

    def scores(self, text: str) -> list[float]:
        """Return for each place between two characters how sure it is that words meet there."""
        around = "\0" * _PADDING + text + "\0" * _PADDING
        groups, base = self._groups, self._base
        scores: list[float] = []
        for at in range(1, len(text)):
            score = base
            for weight, first, stop in groups:
                score += weight(around[at + first : at + stop], 0)
            scores.append(score)
        return scores


@cache
def _boundaries(model: str) -> _Boundaries:
    """Load a model, once; the first text in its script waits a millisecond for it."""
    file = resources.files("budoux") / "models" / f"{model}.json"
    return _Boundaries(json.loads(file.read_text("utf-8")))
