"""A relevance that reads question and text together, over a scripted classifier."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from compressor.classifier.base import Encoded, QuestionClassifier
from compressor.conditioned import ConditionedRelevance
from compressor.engine import Compressor
from compressor.lexical import LexicalRelevance
from compressor.relevance import Asked
from compressor.types import Settings
from compressor.windows import QUESTION_TOKENS, WINDOW_TOKENS, Window
from compressor.words import split_words
from tests.compressor.scripted_classifier import ScriptedClassifier

SILENT = LexicalRelevance(sentence_weight=0, passage_weight=0)


class Reader(ScriptedClassifier):
    """Keeps words that are spelled as one of the question's, and remembers what it was fed."""

    separator = 7

    def __init__(self) -> None:
        super().__init__()
        self.fed: list[tuple[list[int], Window]] = []

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        ids = encoded.ids.tolist()
        self.fed.append((ids, window))
        if self.separator not in ids:
            return super().keep_probabilities(encoded, window)
        question = ids[: ids.index(self.separator)]
        used = ids[window.used_start : window.used_end]
        return np.array([0.9 if i in question else 0.1 for i in used], np.float32)


def asked_of(reader: Reader, text: str, question: str) -> Asked:
    return Asked(text, split_words(text), reader.encode(text), question)


@given(st.integers(0, 900), st.integers(1, 90))
def test_every_token_is_answered_for_once_behind_the_question(tokens: int, question: int) -> None:
    reader = Reader()
    relevance = ConditionedRelevance(reader, lexical=SILENT)
    text = " ".join(f"w{i % 50}" for i in range(tokens))
    asked = asked_of(reader, text, " ".join(f"w{i}" for i in range(question)))
    outputs = [piece.run() for piece in relevance.pieces(asked)]
    assert sum(len(output) for output in outputs) == tokens
    for ids, window in reader.fed:
        assert len(ids) <= WINDOW_TOKENS
        assert ids.index(reader.separator) == min(question, QUESTION_TOKENS)
        assert window.used_start > ids.index(reader.separator)
    scores = relevance.log_odds(asked, outputs)
    known = {f"w{i}" for i in range(min(question, QUESTION_TOKENS))}
    words = [text[w.start : w.end] for w in asked.words]
    assert [score > 0 for score in scores] == [word in known for word in words]


def test_the_compressor_keeps_what_the_classifier_says_answers() -> None:
    reader = Reader()
    assert isinstance(reader, QuestionClassifier)
    text = " ".join(f"alpha{i} beta{i} gamma{i}" for i in range(40))
    settings = Settings(rate=0.1, question="beta7 gamma7")
    with Compressor(reader, relevance=ConditionedRelevance(reader, lexical=SILENT)) as compressor:
        kept = compressor.compress(text, settings).text.split()
    assert {"beta7", "gamma7"} <= set(kept)


def test_the_lexical_part_counts_beside_it_and_both_are_in_the_revision() -> None:
    reader = Reader()
    asked = asked_of(reader, "Rome is here. Bread is there.", "Where is Rome?")
    lexical = LexicalRelevance()
    both = ConditionedRelevance(reader, weight=0.0, lexical=lexical)
    outputs = [piece.run() for piece in both.pieces(asked)]
    np.testing.assert_allclose(both.log_odds(asked, outputs), lexical.log_odds(asked))
    assert reader.revision in both.revision
    assert lexical.revision in both.revision
    assert ConditionedRelevance(reader, weight=2.0).revision != both.revision
