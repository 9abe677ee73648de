import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.evaluation.baselines import (
    RandomDeletion,
    SelfInformation,
    StopWordsFirst,
    TfIdf,
    keep_best,
    lower_words,
)
from compressor.tokens import load_counter
from compressor.types import Span
from tests.compressor.evaluation.sets import HARBOUR, ORCHARD

COUNTER = load_counter("o200k_base")


def test_random_scores_are_seeded() -> None:
    words, marks = ["a", "b", "c"], [False] * 3
    ranking = RandomDeletion()
    assert ranking.scores(words, marks, 7).tolist() == ranking.scores(words, marks, 7).tolist()
    assert ranking.scores(words, marks, 7).tolist() != ranking.scores(words, marks, 8).tolist()


def test_stop_words_and_marks_score_below_every_content_word() -> None:
    scores = StopWordsFirst().scores(["the", "harbour", ",", "and", "pier"], [0, 0, 1, 0, 0], 1)
    assert max(scores[[0, 2, 3]]) < min(scores[[1, 4]])


def test_tf_idf_by_hand() -> None:
    ranking = TfIdf([["cat", "the", "cat"], ["the", "dog"]])
    scores = ranking.scores(["cat", "the", "cat", "."], [False, False, False, True], 0)
    cat, the = 2 * math.log(3 / 2 + 1), 1 * math.log(3 / 3 + 1)
    assert scores.tolist() == pytest.approx([cat, the, cat, 0])


def test_a_phrase_of_content_words_has_the_mean_of_its_words() -> None:
    corpus = [["the", "red", "boat", "left", "."], ["the", "blue", "boat", "left"]]
    ranking = SelfInformation(corpus)
    words, marks = ["the", "green", "boat", "of", "left"], [False] * 5
    bits = ranking._model.self_information(words, seen=False)
    scores = ranking.scores(words, marks, 0)
    phrase = (bits[1] + bits[2]) / 2
    assert scores.tolist() == pytest.approx([bits[0], phrase, phrase, bits[3], bits[4]])


def test_lower_words() -> None:
    assert lower_words("The U.S. Navy!") == ["the", "u.s.", "navy", "!"]


@pytest.mark.parametrize("rate", [0.8, 0.5, 0.2])
@pytest.mark.parametrize(
    "ranking",
    [
        RandomDeletion(),
        StopWordsFirst(),
        TfIdf([lower_words(HARBOUR), lower_words(ORCHARD)]),
        SelfInformation([lower_words(HARBOUR), lower_words(ORCHARD)]),
    ],
    ids=lambda r: type(r).__name__,
)
def test_the_rate_is_a_cap_that_is_used(ranking: RandomDeletion, rate: float) -> None:
    text = (HARBOUR + ORCHARD) * 3
    shorter, kept = keep_best(text, ranking, rate, COUNTER)
    before, after = COUNTER.count(text), COUNTER.count(shorter)
    assert 0.97 * rate * before <= after <= rate * before + 1
    assert "".join(text[s.start : s.end] for s in kept) == shorter
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert keep_best(text, ranking, rate, COUNTER) == (shorter, kept)


def test_stop_words_go_first() -> None:
    def kept(rate: float) -> set[str]:
        return set(lower_words(keep_best(ORCHARD, StopWordsFirst(), rate, COUNTER)[0]))

    assert {"cherry", "gardener", "fence"} <= kept(0.8)
    assert not {"the", "that", "but"} & kept(0.4)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.floats(0.05, 1))
def test_any_text_becomes_slices_of_itself(text: str, rate: float) -> None:
    shorter, kept = keep_best(text, RandomDeletion(), rate, COUNTER)
    assert "".join(text[s.start : s.end] for s in kept) == shorter
    assert all(isinstance(s, Span) and s.start < s.end for s in kept)
    assert np.all(np.diff([x for s in kept for x in (s.start, s.end)]) >= 0)
