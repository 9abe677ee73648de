"""Thresholds found on a sample, with classifiers that are told what to say."""

from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.engine import Compressor
from compressor.extract import extract
from compressor.training.calibrate import (
    RATES,
    Labelled,
    NothingToCalibrate,
    Sample,
    draw,
    suggest,
)
from compressor.training.texts import Text
from compressor.types import Settings
from compressor.words import split_words
from tests.compressor.mixed_texts import COUNTERS, PIECES
from tests.compressor.scripted_classifier import ScriptedClassifier
from tests.compressor.training.labelled_passages import knowing, passages

_MARKS = 4


def text(words: list[str], source: str = "prompts") -> Text:
    return Text(source, "", "", "", " ".join(words))


def sample_of(*texts: Text, likely: dict[str, float] | None = None) -> Sample:
    with Compressor(ScriptedClassifier(likely)) as compressor:
        return Sample(texts, compressor)


@pytest.fixture(scope="module")
def spread() -> Sample:
    """Four hundred words with keep probabilities spread evenly from 0 to 1."""
    random = np.random.default_rng(0).permutation(400)
    words = [chr(97 + n // 26 % 26) + chr(97 + n % 26) + "ol" for n in range(400)]
    likely = {word: float(rank) / 400 for word, rank in zip(words, random, strict=True)}
    return sample_of(text(words[:200], "first"), text(words[200:], "second"), likely=likely)


def test_a_threshold_for_a_rate_keeps_about_so_much(spread: Sample) -> None:
    for rate in (0.8, 0.6, 0.4, 0.2):
        threshold = spread.threshold_for(rate)
        assert spread.rate(threshold) == pytest.approx(rate, abs=0.01)
        assert threshold == pytest.approx(1 - rate, abs=0.03)


def test_the_usual_names_are_in_order(spread: Sample) -> None:
    steps: list[None] = []
    found = suggest(spread, RATES, lambda: steps.append(None))
    assert list(found) == ["gentle", "balanced", "aggressive"]
    assert 0 < found["gentle"] < found["balanced"] < found["aggressive"] < 1
    assert len(steps) == 3


def test_where_only_some_rates_can_be_the_nearest_is_taken() -> None:
    """Half of the words are kept or none: there is nothing in between."""
    words = [f"a{chr(97 + n // 26)}{chr(97 + n % 26)}x" for n in range(100)]
    likely = {word: 0.3 if n % 2 else 0.7 for n, word in enumerate(words)}
    sample = sample_of(text(words), likely=likely)
    assert sample.rate(sample.threshold_for(0.6)) == pytest.approx(0.5, abs=0.03)
    assert 0.3 <= sample.threshold_for(0.6) < 0.7
    assert sample.rate(sample.threshold_for(0.95)) == 1.0


@pytest.mark.parametrize("rate", [0, 1, -0.5, 1.5])
def test_a_rate_that_is_none_is_refused(spread: Sample, rate: float) -> None:
    with pytest.raises(NothingToCalibrate, match="'mine'"):
        suggest(spread, {"mine": rate})


def test_a_point_counts_the_whole_sample_and_each_source(spread: Sample) -> None:
    point = spread.point(0.5)
    assert point.rate == spread.rate(0.5) == pytest.approx(0.5, abs=0.03)
    assert point.low <= point.rate <= point.high
    # the likelier half of the words, whose probabilities are 3/4 of all
    assert point.expected == pytest.approx(0.75, abs=0.02)
    assert point.by_source.keys() == {"first", "second"}
    sizes = {read.source: read.tokens for read in spread.texts}
    kept = sum(sizes[source] * rate for source, rate in point.by_source.items())
    assert kept / spread.tokens == pytest.approx(point.rate)
    everything = spread.point(0.0)
    assert everything.rate == pytest.approx(1, abs=0.01)  # one word has 0, which is not above
    assert everything.expected == 1.0


def test_what_must_not_be_lost_is_counted() -> None:
    line = "The office did not pay 4,250 euros, as one reads at https://example.com/a by now. "
    point = sample_of(text([line * 3]), likely={"pay": 0.9, "euros": 0.9}).point(0.5)
    assert 0.3 < point.rate < 0.9
    assert point.items.called >= 3
    assert point.negations.called == 3
    assert point.items.share == point.negations.share == 1.0


def test_thresholds_of_the_curve_follow_the_words(spread: Sample) -> None:
    found = spread.quantiles()
    assert found == sorted(found)
    assert found[0] == pytest.approx(0.05, abs=0.02)
    assert found[-1] == pytest.approx(0.95, abs=0.02)


class TestDraw:
    texts: ClassVar = [text([f"word{n}"]) for n in range(50)]

    def test_it_is_a_sample_in_order_the_same_each_time(self) -> None:
        chosen = draw(self.texts, 10, seed=1)
        assert chosen == draw(self.texts, 10, seed=1)
        assert chosen != draw(self.texts, 10, seed=2)
        assert [self.texts.index(one) for one in chosen] == sorted(map(self.texts.index, chosen))
        assert len(chosen) == 10

    def test_of_fewer_all_are_taken(self) -> None:
        assert draw(self.texts, 100, seed=1) == self.texts

    def test_repeated_and_empty_texts_are_left_out(self) -> None:
        assert draw([*self.texts[:2], text([" "]), self.texts[0]], 9, seed=1) == self.texts[:2]

    def test_without_words_there_is_nothing_to_do(self) -> None:
        with pytest.raises(NothingToCalibrate, match="no text with words"):
            draw([text([])], 9, seed=1)


def test_labelled_words_are_counted_by_grade() -> None:
    with Compressor(knowing()) as compressor:
        labelled = Labelled(passages(), compressor)
    assert labelled.ranking().heavy == 1.0
    heavy, light = labelled.recall(0.0)
    assert (heavy.share, light.share) == (1.0, 1.0)
    assert 0 < heavy.called < light.called
    heavy, light = labelled.recall(0.55)  # words of more than five letters have more
    assert heavy.share == 1.0
    assert light.share is not None
    assert heavy.called <= light.kept < light.called


@given(
    st.lists(PIECES, max_size=10).map("".join),
    st.integers(0, 10_000),
    st.lists(st.floats(0, 1), min_size=2, max_size=3, unique=True),
)
@settings(deadline=None)
def test_a_higher_threshold_keeps_no_more(mixed: str, seed: int, thresholds: list[float]) -> None:
    """Of words. A mark may come in where the one that it stood beside goes."""
    words = split_words(mixed)
    likely = np.random.default_rng(seed).random(len(words)).astype(np.float32)
    kept = [
        extract(mixed, words, likely, Settings(threshold=threshold), COUNTERS[1]).tokens_after
        for threshold in sorted(thresholds)
    ]
    assert all(after <= before + _MARKS for before, after in pairwise(kept))
