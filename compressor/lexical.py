"""How much each word bears on a question, from the words that texts and question share.

BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) over
sentences and passages of the one text. A second round asks for the names and numbers of the best
sentences, since the sentence that answers often shares a name with the one that matches and not a
word with the question (pseudo-relevance feedback).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from compressor.passages import Passages
from compressor.pool import Piece
from compressor.question import ReadSentence, read_sentences
from compressor.relevance import Asked, FloatArray
from compressor.terms import FUNCTION_WORDS, PROMPT_TERMS, terms
from compressor.words import Word

# Raise it with any change to this file, terms.py or passages.py that can change a number.
_REVISION = 1
_OWN_TERMS = 4  # a sentence of the text that is one of the question's and has as many is its own


@dataclass(frozen=True, slots=True)
class LexicalRelevance:
    """BM25 over sentences and passages, with one round of feedback.

    `sentence_weight` and `passage_weight` are the log-odds that the best sentence and the best
    passage of a long text gain. They are large on purpose: with a question at hand, where a
    sentence stands matters more than how its words read. In a text of `few_sentences` they count
    half, since a word in common tells little among so few. `feedback` is the share of the second
    round, asked of the `feedback_sentences` best; `neighbour` what the sentences beside a good one
    get of its score; `instruction` the weight of words about the prompt beside those of a question.
    """

    sentence_weight: float = 28.0
    passage_weight: float = 7.0
    few_sentences: float = 10.0
    feedback: float = 0.5
    feedback_sentences: int = 3
    neighbour: float = 0.25
    instruction: float = 0.1

    @property
    def revision(self) -> str:
        """The algorithm's, with its weights."""
        weights = (f"{getattr(self, field.name):g}" for field in fields(self))
        return f"bm25-{_REVISION}/{'/'.join(weights)}"

    def pieces(self, asked: Asked) -> Sequence[Piece[FloatArray]]:
        """Return nothing: no model is asked."""
        return ()

    def log_odds(self, asked: Asked, outputs: Sequence[FloatArray] = ()) -> FloatArray:
        """Return one number a word to add to the log-odds of its keep probability, at least 0.

        All zero where the question has no term of the text. Sentences of the text that are the
        question's own get none and count nowhere: they are kept as what they are.
        """
        return self.scores(asked.text, asked.words, asked.question)

    def scores(self, text: str, words: Sequence[Word], question: str) -> FloatArray:
        """Return the same for a text that no classifier has seen."""
        sentences = list(read_sentences(question))
        passages = Passages(text, words, _own(sentences))
        query = self._query(sentences, passages)
        if not words or not query:
            return np.zeros(len(words), np.float32)
        by_sentence, by_passage = _relevance(passages, query)
        together = by_sentence + by_passage[passages.of_sentence]
        best = np.argsort(-together, kind="stable")[: self.feedback_sentences]
        names = passages.names([i for i in best.tolist() if together[i] > 0]) - query.keys()
        sentence_again, passage_again = _relevance(passages, dict.fromkeys(names, 1.0))
        by_sentence = _spread(
            by_sentence + self.feedback * sentence_again, passages.of_sentence, self.neighbour
        )
        by_sentence[passages.own] = 0
        by_passage = by_passage + self.feedback * passage_again
        by_passage -= by_passage.min()  # one passage alone stands out from no other
        total = (
            self.sentence_weight * by_sentence
            + self.passage_weight * by_passage[passages.of_sentence]
        )
        total *= len(by_sentence) / (len(by_sentence) + self.few_sentences)
        return total[passages.sentence_of_word].astype(np.float32)

    def _query(self, sentences: Sequence[ReadSentence], passages: Passages) -> dict[str, float]:
        """Return the question's terms with their weights; none where nothing of it is in the text.

        Words about the prompt weigh little: "answer from the documents below" asks for nothing. So
        does an instruction beside a question, unless the question alone has no term of the text.
        """
        asks = [s for s in sentences if s.question or not s.instruction]
        for asked in (asks, sentences):
            query: dict[str, float] = {}
            for sentence in sentences:
                weight = 1.0 if sentence in asked else self.instruction
                for term in terms(sentence.text):
                    own = min(weight, self.instruction) if term in PROMPT_TERMS else weight
                    query[term] = max(query.get(term, 0.0), own)
            query = {t: w for t, w in query.items() if w > 0 and t not in FUNCTION_WORDS}
            if any(w >= 1 and passages.has(t) for t, w in query.items()):
                return query
        return {}


def _own(sentences: Sequence[ReadSentence]) -> frozenset[str]:
    """Return the sentences that can be told for the question's own, where a text holds them too.

    A short one that is no question could as well be a title that the question names.
    """
    return frozenset(
        " ".join(s.text.split())
        for s in sentences
        if s.question or len(terms(s.text)) >= _OWN_TERMS
    )


def _relevance(
    passages: Passages, query: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return BM25 by sentence and by passage, each as a share of its best, 0 to 1."""
    return (
        _share_of_best(bm25(passages.sentence_terms, query)),
        _share_of_best(bm25(passages.passage_terms, query)),
    )


def bm25(
    documents: Sequence[Counter[str]], query: Mapping[str, float], k1: float = 1.2, b: float = 0.75
) -> NDArray[np.float64]:
    """Return the BM25 score of every document for the query's terms, each times its weight."""
    lengths = np.array([max(1, c.total()) for c in documents], np.float64)
    norms = k1 * (1 - b + b * lengths / lengths.mean())
    scores = np.zeros(len(documents))
    for term, weight in sorted(query.items()):  # a set's order varies, and with it the rounding
        counts = np.array([c.get(term, 0) for c in documents], np.float64)
        matching = int(np.count_nonzero(counts))
        if matching:
            idf = math.log(1 + (len(documents) - matching + 0.5) / (matching + 0.5))
            scores += weight * idf * counts * (k1 + 1) / (counts + norms)
    return scores


def _share_of_best(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    best = scores.max()
    return scores / best if best > 0 else scores


def _spread(
    scores: NDArray[np.float64], passage: NDArray[np.intp], share: float
) -> NDArray[np.float64]:
    """Let neighbours in a passage share a score: an answer often follows what it answers."""
    spread = scores.copy()
    shared = share * (passage[1:] == passage[:-1])
    spread[1:] = np.maximum(spread[1:], shared * scores[:-1])
    spread[:-1] = np.maximum(spread[:-1], shared * scores[1:])
    return spread
