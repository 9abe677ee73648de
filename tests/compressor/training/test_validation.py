import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.training.examples import Passage
from compressor.training.validation import (
    Ranking,
    area_under_curve,
    ranked,
    ranking,
    word_scores,
)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_the_chance_that_a_positive_scores_higher(
    scored: list[tuple[int, bool]],
) -> None:
    scores = np.array([score for score, _ in scored], np.float32)
    positive = np.array([is_positive for _, is_positive in scored])
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in scores[positive]
        for low in scores[~positive]
    ]
    found = area_under_curve(scores, positive)
    assert math.isnan(found) if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


def test_both_grades_are_ranked_and_marks_are_not() -> None:
    passage = Passage(
        "p",
        "made",
        "d",
        "en",
        "aa bb cc .",
        np.array([[0, 2], [3, 5], [6, 8], [9, 10]]),
        np.array([1, 0.5, 0, np.nan], np.float32),
    )
    offsets = passage.spans.astype(np.int32)
    right = ranking([passage], lambda text: (offsets, np.array([0.9, 0.5, 0.1, 1], np.float32)))
    assert (right.heavy, right.light, right.mean, right.words) == (1, 1, 1, 3)
    mixed = ranking([passage], lambda text: (offsets, np.array([0.5, 0.9, 0.1, 0], np.float32)))
    assert (mixed.heavy, mixed.light) == (0.5, 1)


def test_nothing_to_rank_is_not_a_number() -> None:
    assert math.isnan(ranking([], lambda text: pytest.fail("not called")).mean)


def test_words_are_ranked_by_language_and_by_source() -> None:
    spans = np.array([[0, 2], [3, 5], [6, 8]])
    labels = np.array([1, 0.5, 0], np.float32)

    def passage(lang: str, source: str) -> Passage:
        return Passage("p", source, "d", lang, "aa bb cc", spans, labels)

    falling = np.array([0.9, 0.5, 0.1], np.float32)
    scored = [
        (p, word_scores(p, lambda text, by=by: (spans.astype(np.int32), by)))
        for p, by in [
            (passage("en", "wiki"), falling),
            (passage("en", "law"), falling),
            (passage("de", "law"), -falling),
        ]
    ]
    rows = {
        row.name: (row.passages, row.ranking.words, row.ranking.light) for row in ranked(scored)
    }
    assert list(rows) == ["all", "de", "en", "law", "wiki"]
    assert rows["en"] == (2, 6, 1)
    assert rows["de"] == (1, 3, 0)
    assert rows["wiki"] == (1, 3, 1)
    assert rows["law"][0] == 2
    assert 0 < rows["all"][2] < 1


def test_what_is_not_known_is_left_out_of_the_mean() -> None:
    nan = float("nan")
    assert Ranking(nan, 0.75, 9).mean == 0.75  # soft labels, none of them a whole 1
    assert Ranking(nan, nan, 9).mean != Ranking(nan, nan, 9).mean
    assert Ranking(nan, 0.75, 9).as_dict() == {"heavy": None, "light": 0.75}
