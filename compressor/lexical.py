"""How much each word bears on a question, as log-odds to add to its keep probability.

Lexical: BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
2009) over sentences and passages of the one text. A second round asks for the names and numbers of
the best sentences, since the sentence that answers often shares a name with the one that matches
and not a word with the question (pseudo-relevance feedback).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from compressor.pool import Piece
from compressor.relevance import Asked, FloatArray
from compressor.words import UNSPACED, Word

# Raise it with any change to this file that can change a number.
_REVISION = 1

_TERM = re.compile(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+")
_UNSPACED_CHAR = re.compile(f"[{UNSPACED}]")
_SENTENCE_END = re.compile(r"[.!?。！？…]+[\"'”’)\]」』]*$")
_SUFFIX = re.compile(r"(?<=\w{3})(?:ations?|ments?|ings?|ie[sd]|ers?|ed|es|ly|s|e)$")

# Function words of the languages the detector of questions knows; they match everywhere.
_FUNCTION_WORDS_BY_LANGUAGE = """
    a an the of in on at to for from by with and or is are was were be been being it its this that
    these those as what which who whom whose when where why how do does did has have had not no but
    if than then so such can could will would should may might must there here he she they them his
    her their we our you your i me my about into over after before during between also both each
    any some all most more other
    der die das den dem des ein eine einen einem einer und oder ist sind war waren wird werden wurde
    in im auf an am zu zum zur von vom mit für bei aus nach was wer wie wo wann warum welche welcher
    welches nicht kein es sie er wir ihr hat haben hatte als auch
    le la les un une des du de et ou est sont était ont a au aux en dans sur pour par avec que qui
    quoi quel quelle quels quelles où quand comment pourquoi ne pas il elle ils elles ce cette ces
    el los las una unos unas del y o es son fue era con por para qué quién cuál cuáles dónde cuándo
    cómo se su sus no al lo
    の に は を が と で も か た る て な だ です ます した から まで より 的 了 是 在 和 有 吗 呢
    什么 哪 谁 多少
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_BY_LANGUAGE.split())


@dataclass(frozen=True, slots=True)
class LexicalRelevance:
    """BM25 over sentences and passages, with one round of feedback.

    The weights are log-odds that the best sentence and the best passage gain. They are large on
    purpose: with a question at hand, where a sentence stands matters more than how its words read.
    """

    sentence_weight: float = 24.0
    passage_weight: float = 6.0
    feedback: float = 0.5
    feedback_sentences: int = 3
    neighbour: float = 0.15

    @property
    def revision(self) -> str:
        """The algorithm's, with its weights."""
        weights = (f"{getattr(self, field.name):g}" for field in fields(self))
        return f"bm25-{_REVISION}/{'/'.join(weights)}"

    def pieces(self, asked: Asked) -> Sequence[Piece[FloatArray]]:
        """Return nothing: no model is asked."""
        return ()

    def log_odds(self, asked: Asked, outputs: Sequence[FloatArray] = ()) -> FloatArray:
        """Return one number a word to add to the log-odds of its keep probability.

        All zero where the question has no term of the text.
        """
        return self.scores(asked.text, asked.words, asked.question)

    def scores(self, text: str, words: Sequence[Word], question: str) -> FloatArray:
        """Return the same for a text that no classifier has seen."""
        query = {t for t in terms(question) if t not in _FUNCTION_WORDS}
        if not words or not query:
            return np.zeros(len(words), np.float32)
        units = _Units(text, words)
        by_sentence, by_passage = units.relevance(query)
        seeds = by_sentence + by_passage[units.passage_of_sentence]
        best = np.argsort(-seeds, kind="stable")[: self.feedback_sentences]
        names = units.names(i for i in best if seeds[i] > 0) - query
        sentence_again, passage_again = units.relevance(names)
        by_sentence = _spread(by_sentence + self.feedback * sentence_again, self.neighbour)
        by_passage = by_passage + self.feedback * passage_again
        total = (
            self.sentence_weight * by_sentence[units.sentence_of_word]
            + self.passage_weight * by_passage[units.passage_of_sentence[units.sentence_of_word]]
        )
        return total.astype(np.float32)


def terms(text: str) -> list[str]:
    """Return what of a text can match: lower-case stems, or character pairs where no spaces are."""
    found: list[str] = []
    for match in _TERM.finditer(text.lower()):
        run = match.group()
        if not _UNSPACED_CHAR.match(run):
            found.append(run if run in _FUNCTION_WORDS else _stem(run))
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


def _stem(word: str) -> str:
    """Cut a common ending, so that `ended` meets `end`; the same for text and question."""
    return _SUFFIX.sub("", word)


class _Units:
    """The sentences and passages of one text, with their terms."""

    def __init__(self, text: str, words: Sequence[Word]) -> None:
        self._text = text
        sentence_of_word = np.zeros(len(words), np.intp)
        starts = [0]
        passage_of_sentence = [0]
        for i in range(1, len(words)):
            gap = text[words[i - 1].end : words[i].start]
            if "\n" in gap or _ends_sentence(text, words[i - 1], words[i]):
                starts.append(i)
                passage_of_sentence.append(passage_of_sentence[-1] + (gap.count("\n") > 1))
            sentence_of_word[i] = len(starts) - 1
        self.sentence_of_word = sentence_of_word
        self.passage_of_sentence = np.array(passage_of_sentence, np.intp)
        ends = [*starts[1:], len(words)]
        self._sentences = [
            text[words[a].start : words[b - 1].end] for a, b in zip(starts, ends, strict=True)
        ]
        self._sentence_terms = [Counter(terms(s)) for s in self._sentences]
        self._passage_terms = [Counter[str]() for _ in range(passage_of_sentence[-1] + 1)]
        for passage, counts in zip(passage_of_sentence, self._sentence_terms, strict=True):
            self._passage_terms[passage].update(counts)

    def relevance(self, query: Iterable[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return BM25 by sentence and by passage, each as a share of its best, 0 to 1."""
        asked = sorted(query)  # a set's order varies from run to run, and with it the rounding
        return (
            _share_of_best(bm25(self._sentence_terms, asked)),
            _share_of_best(bm25(self._passage_terms, asked)),
        )

    def names(self, sentences: Iterable[int]) -> set[str]:
        """Return the terms of capitalised words and numbers in the given sentences."""
        found: set[str] = set()
        for index in sentences:
            for word in _TERM.findall(self._sentences[index]):
                if word[0].isupper() or word[0].isdigit():
                    found.update(t for t in terms(word) if len(t) > 2 and t not in _FUNCTION_WORDS)
        return found


def _ends_sentence(text: str, word: Word, following: Word) -> bool:
    tail = text[max(0, word.end - 4) : word.end]
    if not _SENTENCE_END.search(tail):
        return False
    first = text[following.start]
    # A full stop before a small letter is an abbreviation; scripts without case end all the same.
    return not first.islower() or tail[-1] in "。！？"


def bm25(
    documents: Sequence[Counter[str]], query: Sequence[str], k1: float = 1.2, b: float = 0.75
) -> NDArray[np.float64]:
    """Return the BM25 score of every document for the query's terms."""
    lengths = np.array([max(1, c.total()) for c in documents], np.float64)
    norms = k1 * (1 - b + b * lengths / lengths.mean())
    scores = np.zeros(len(documents))
    for term in query:
        counts = np.array([c.get(term, 0) for c in documents], np.float64)
        matching = int(np.count_nonzero(counts))
        if matching:
            idf = math.log(1 + (len(documents) - matching + 0.5) / (matching + 0.5))
            scores += idf * counts * (k1 + 1) / (counts + norms)
    return scores


def _share_of_best(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    best = scores.max()
    return scores / best if best > 0 else scores


def _spread(scores: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Let neighbours share a sentence's score: an answer often follows what it answers."""
    spread = scores.copy()
    spread[1:] = np.maximum(spread[1:], share * scores[:-1])
    spread[:-1] = np.maximum(spread[:-1], share * scores[1:])
    return spread
