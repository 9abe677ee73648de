"""Scores of a model's answer against the right ones, as the published scripts have them.

Sources: SQuAD's evaluate-v1.1 (normalisation, exact match, F1); LongBench's metrics.py (Bai et
al., 2023); LLMLingua-2's experiments (substring, last number, option letter); ZeroSCROLLS (Shaham
et al., 2023) for its two aggregation scores. Each takes (prediction, gold) and returns 0 to 1.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import combinations

from compressor.evaluation.metrics import normalised
from compressor.words import is_mark, split_words

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUMBER = re.compile(r"\d*\.?\d+")
_INTEGER = re.compile(r"\d+")
_OPTION = re.compile(r"\(([A-Z])\)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%?")


def squad_normalised(text: str) -> str:
    """Return `text` lower-case, without ASCII punctuation and articles, with single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())


def first_line(text: str) -> str:
    """Return the first line that has something, as the scripts cut answers."""
    return text.lstrip("\n").split("\n")[0].strip()


def exact_match(prediction: str, gold: str) -> float:
    """Return 1.0 where both normalise to the same."""
    return float(squad_normalised(prediction) == squad_normalised(gold))


def contains(prediction: str, gold: str) -> float:
    """Return 1.0 where the normalised gold answer is in the answer's first line.

    MeetingBank QA's "EM" in the paper's tables.
    """
    return float(squad_normalised(gold) in squad_normalised(first_line(prediction)))


def f1(prediction: str, gold: str) -> float:
    """Return the F1 of normalised words."""
    return _f1(squad_normalised(prediction).split(), squad_normalised(gold).split())


def f1_unspaced(prediction: str, gold: str) -> float:
    """Return the F1 of words in Chinese and Japanese, cut by Tersely's segmenter (not jieba)."""
    return _f1(_unspaced_words(prediction), _unspaced_words(gold))


def last_number(prediction: str, gold: str) -> float:
    """Return 1.0 where the last numbers agree, in the answer up to its line with "answer is".

    GSM8K. Thousands' commas are dropped first.
    """
    lines = prediction.split("\n")
    stop = next((i for i, line in enumerate(lines) if "answer is" in line), len(lines) - 1)
    found, wanted = _last("\n".join(lines[: stop + 1])), _last(gold)
    return float(found is not None and found == wanted)


def option_or_text(prediction: str, gold: str) -> float:
    """Return 1.0 for the right option, "(B)", or the right words, after "answer is".

    BBH: the first option named; where the gold answer is none, the words up to the first full stop.
    """
    _, said, after = prediction.partition("answer is ")
    answer = (after if said else prediction).strip()
    wanted = _OPTION.fullmatch(gold.strip())
    if wanted:
        found = _OPTION.search(answer)
        return float(found is not None and found[1] == wanted[1])
    return float(answer.split(".")[0].strip() == gold.strip())


def classification(prediction: str, gold: str, classes: Sequence[str]) -> float:
    """Return 1/n where the gold class is among the n that are named (LongBench).

    A class whose name is a part of the gold one's is not counted.
    """
    named = [c for c in classes if c in prediction and (c == gold or c not in gold)]
    return 1 / len(named) if gold in named else 0.0


def share_of_numbers(prediction: str, gold: str) -> float:
    """Return the share of the answer's integers that are the gold one.

    LongBench's passage_count and passage_retrieval, whose gold answers are "Paragraph 7", "段落7".
    """
    wanted = _INTEGER.search(gold)
    numbers = _INTEGER.findall(prediction)
    return numbers.count(wanted[0]) / len(numbers) if wanted and numbers else 0.0


def code_similarity(prediction: str, gold: str) -> float:
    """Return the edit ratio of the answer's first line that is no comment or fence (LongBench)."""
    lines = prediction.lstrip("\n").split("\n")
    code = next((line for line in lines if not any(s in line for s in ("`", "#", "//"))), "")
    return round(100 * SequenceMatcher(None, code, gold).ratio()) / 100


def percent_similarity(prediction: str, gold: str) -> float:
    """Return 2^(-10 |p - g|) of two percentages as shares (ZeroSCROLLS, space_digest)."""
    found, wanted = _PERCENT.search(prediction), _PERCENT.search(gold)
    if found is None or wanted is None:
        return 0.0
    return float(2.0 ** (-abs(float(found[1]) - float(wanted[1])) / 10))


def concordance(prediction: str, gold: str) -> float:
    """Return the share of pairs in the right order (ZeroSCROLLS, book_sum_sort).

    Both are lists of integers; an answer that is no permutation of the gold one scores 0.
    """
    found = [int(n) for n in _INTEGER.findall(prediction)]
    wanted = [int(n) for n in _INTEGER.findall(gold)]
    if sorted(found) != sorted(wanted) or len(set(wanted)) != len(wanted) or len(wanted) < 2:
        return 0.0
    place = {n: i for i, n in enumerate(found)}
    pairs = list(combinations(wanted, 2))
    return sum(place[a] < place[b] for a, b in pairs) / len(pairs)


def _f1(prediction: Sequence[str], gold: Sequence[str]) -> float:
    same = (Counter(prediction) & Counter(gold)).total()
    return 2 * same / (len(prediction) + len(gold)) if same else 0.0


def _unspaced_words(text: str) -> list[str]:
    words = (normalised(text[w.start : w.end]) for w in split_words(text) if not is_mark(text, w))
    return [word for word in words if word]


def _last(text: str) -> float | None:
    found = _NUMBER.findall(text.replace(",", ""))
    return float(found[-1]) if found else None
