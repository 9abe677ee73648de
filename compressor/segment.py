"""Cuts text written without spaces into words, with BudouX's small models.

BudouX (https://github.com/google/budoux) has a classifier over characters for each of Japanese,
Chinese in both scripts, and Thai; its models are in the package. Lao, Khmer and Myanmar, which it
does not know, are cut every few characters, so that nothing is all or nothing.
"""

import json
import re
from functools import cache
from importlib import resources

from budoux.parser import Parser

KATAKANA = "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HIRAGANA = "\u3041-\u309f"
HAN = "\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
THAI = "\u0e01-\u0e7f"
OTHERS = "\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3105-\u312f"

_RUN = re.compile(rf"(?P<cjk>[{KATAKANA}{HIRAGANA}{HAN}]+)|(?P<thai>[{THAI}]+)|[{OTHERS}]{{1,4}}")
_KANA = re.compile(f"[{KATAKANA}{HIRAGANA}]")
_HAN_CHAR = re.compile(f"[{HAN}]")
# Common characters that only one of the two Chinese scripts has.
_SIMPLIFIED = re.compile("[这个们来时会国说对学发经过还进种开长问间关现点动没样两从实业产为]")
_TRADITIONAL = re.compile("[這個們來時會國說對學發經過還進種開長問間關現點動沒樣兩從實業產為]")
_JAPANESE_SHARE = 0.1  # of kana among a text's Han and kana; a Japanese text has far more
# The models saw whole sentences: a run that begins with nothing before it is cut too early.
_LEAD = "。"
_LONGEST_WORD = 12
# A word of the models that is longer, a drawn-out cry for instance, is cut where the kind of
# character changes and then every few characters.
_UNIT = re.compile(rf"[{KATAKANA}]{{1,12}}|[{HIRAGANA}]{{1,4}}|[{HAN}]{{1,2}}|[{THAI}]{{1,4}}")


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
                found += self._words(model, run)
            elif run.lastgroup == "thai":
                found += self._words("th", run)
            else:
                found.append(run.span())
        return found

    def _words(self, model: str, run: re.Match[str]) -> list[tuple[int, int]]:
        lead = "" if model == "th" else _LEAD
        found: list[tuple[int, int]] = []
        at, start = run.start() - len(lead), run.start()
        for word in _parser(model).parse(lead + run.group()):
            at += len(word)
            if at - start > _LONGEST_WORD:
                found += [unit.span() for unit in _UNIT.finditer(self._text, start, at)]
            elif at > start:
                found.append((start, at))
            start = max(start, at)
        return found


def _han_model(text: str) -> str:
    """Return the model for runs without kana."""
    kana = len(_KANA.findall(text))
    if kana and kana >= _JAPANESE_SHARE * (kana + len(_HAN_CHAR.findall(text))):
        return "ja_word"
    traditional = len(_TRADITIONAL.findall(text)) > len(_SIMPLIFIED.findall(text))
    return "zh-hant" if traditional else "zh-hans"


@cache
def _parser(model: str) -> Parser:
    """Load a model, once; the first text in its script waits a millisecond for it."""
    file = resources.files("budoux") / "models" / f"{model}.json"
    return Parser(json.loads(file.read_text("utf-8")))
