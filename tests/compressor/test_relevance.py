"""What is done with a question's verdict, and that the protocol fits a query-conditioned model."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.classifier.base import Encoded
from compressor.engine import Compressor
from compressor.pool import Piece
from compressor.relevance import Asked, FloatArray, add_log_odds
from compressor.scoring import word_probabilities
from compressor.types import Settings
from compressor.windows import Window, plan_windows
from tests.compressor.scripted_classifier import ScriptedClassifier

TEXT = " ".join(
    f"Clerk {name} counted the crates in shed {shed} before the ferry came that evening."
    for name, shed in zip(
        ["Abel", "Berit", "Cyrus", "Dagny", "Edda", "Folke"] * 5, range(30), strict=True
    )
)


@dataclass
class QueryConditioned:
    """Reads `question [SEP] window`, as a cross-encoder would: the question takes window tokens.

    Its opinion of a token is high where the token is one of the question's, and nought elsewhere.
    """

    encode: Callable[[str], Encoded]
    revision: str = "conditioned/1"
    size: int = 40
    fed: list[list[int]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def pieces(self, asked: Asked) -> Sequence[Piece[FloatArray]]:
        query = self.encode(asked.question).ids
        windows = plan_windows(len(asked.encoded.ids), size=self.size - len(query), context=4)

        def run(window: Window) -> FloatArray:
            self.threads.add(threading.current_thread().name)
            own = asked.encoded.ids[window.fed_start : window.fed_end]
            self.fed.append([*query.tolist(), -1, *own.tolist()])
            used = asked.encoded.ids[window.used_start : window.used_end]
            return np.isin(used, query).astype(np.float32)

        return [Piece(window.tokens + len(query), partial(run, window)) for window in windows]

    def log_odds(self, asked: Asked, outputs: Sequence[FloatArray]) -> FloatArray:
        tokens = np.concatenate(outputs)
        return 10 * word_probabilities(asked.words, asked.encoded.offsets, tokens)


def test_a_query_conditioned_classifier_plugs_in() -> None:
    classifier = ScriptedClassifier()
    conditioned = QueryConditioned(classifier.encode)
    question = "What did Dagny count?"
    with Compressor(classifier, workers=2, relevance=conditioned) as compressor:
        blind = compressor.compress(TEXT, rate=0.3)
        assert not conditioned.fed
        asked = compressor.compress(TEXT, rate=0.3, question=question)
    assert asked.text.count("Dagny") == TEXT.count("Dagny") == 5
    assert blind.text.count("Dagny") < 5
    query = classifier.encode(question).ids.tolist()
    assert all(len(window) <= 41 for window in conditioned.fed)
    assert all(window[: len(query)] == query for window in conditioned.fed)
    # on the pool's threads, where the deadline's cancelling and other texts' turns reach it
    assert threading.current_thread().name not in conditioned.threads
    assert asked.timings_ms["relevance"] >= 0
    assert "relevance" not in blind.timings_ms


def test_its_revision_counts_where_there_is_a_question_and_only_there() -> None:
    blind, asked = Settings(rate=0.5), Settings(rate=0.5, question="Who?")
    classifier = ScriptedClassifier()
    conditioned = QueryConditioned(classifier.encode)
    with (
        Compressor(classifier) as lexical,
        Compressor(classifier, relevance=conditioned) as other,
    ):
        assert lexical.revision_for(blind) == other.revision_for(blind) == lexical.revision
        assert lexical.revision_for(asked) != other.revision_for(asked)
        assert "conditioned/1" in other.revision_for(asked)


def test_adding_log_odds_keeps_the_order_of_near_certain_words() -> None:
    p = np.array([0.5, 0.6, 0.9999], np.float32)
    raised = add_log_odds(p, np.full(3, 30.0, np.float32))
    assert raised[0] < raised[1] < raised[2] <= 1


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_adding_nothing_changes_no_order(values: list[float]) -> None:
    p = np.array(values, np.float32)
    same = add_log_odds(p, np.zeros(len(p), np.float32))
    assert same == pytest.approx(p, abs=2e-4)
    assert (np.diff(same[np.argsort(p, kind="stable")]) >= 0).all()


def test_scores_stay_probabilities() -> None:
    raised = add_log_odds(
        np.array([0.0, 0.5, 1.0], np.float32), np.array([500, -500, 500], np.float32)
    )
    assert ((raised >= 0) & (raised <= 1)).all()
