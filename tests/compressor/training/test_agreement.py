from math import nan

import pytest

from compressor.training.agreement import Agreement, agreement
from compressor.training.validation import Ranking
from tests.compressor.scripted_classifier import ScriptedClassifier
from tests.compressor.training.labelled_passages import knowing, passages, turned


def test_a_form_agrees_with_itself() -> None:
    steps: list[None] = []
    found = agreement(knowing(), knowing(), passages(), lambda: steps.append(None))
    assert found.original.heavy == found.exported.heavy == 1.0
    assert found.original.light == 1.0
    assert found.auc_difference == 0
    assert found.kept == 1.0
    assert found.passages == 4
    assert found.faults() == []
    assert len(steps) == 8


def test_a_form_that_ranks_the_other_way_round_does_not() -> None:
    found = agreement(knowing(), turned(), passages())
    assert found.exported.heavy < 0.1
    assert found.kept < 0.6
    auc, kept = found.faults()
    assert "AUC differs by 1.0000" in auc
    assert "at least 98.00% are wanted" in kept
    assert found.faults(max_auc_difference=1, min_kept=0) == []


def test_a_form_that_differs_in_a_word_or_two_is_told_apart() -> None:
    other = knowing()
    swapped = other.likely["Monday"], other.likely["town"]
    other.likely["town"], other.likely["Monday"] = swapped
    found = agreement(knowing(), other, passages())
    assert 0.8 < found.kept < 0.98
    assert 0.003 < found.auc_difference < 0.2
    assert len(found.faults()) == 2


def test_without_passages_nothing_can_be_said() -> None:
    with pytest.raises(ValueError, match="no passage"):
        agreement(ScriptedClassifier(), ScriptedClassifier(), [])


def test_an_auc_that_only_one_form_has_is_a_fault() -> None:
    """NaN is what a classifier that returns NaN ranks by, and no difference with it is small."""
    known, unknown = Ranking(0.8, 0.8, 10), Ranking(nan, 0.8, 10)
    assert Agreement(known, unknown, 1.0, 1).faults()
    assert Agreement(unknown, unknown, 1.0, 1).faults() == []  # one grade only, or no such word
