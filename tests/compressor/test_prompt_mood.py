"""The shape of an imperative, whatever its verb."""

import pytest

from compressor.case_folding import fold_case
from compressor.prompt_mood import WISH, is_imperative


@pytest.mark.parametrize(
    "sentence",
    [
        "Rinse the beans.",
        "Propose 3 titles.",
        "Prüfen Sie den Vertrag.",
        "Relevez tous les chiffres.",
        "No reescribas todo, solo lo necesario.",
        "No me traduzcas los nombres.",
    ],
)
def test_an_imperative_is_told_by_its_shape(sentence: str) -> None:
    assert is_imperative(fold_case(sentence))


@pytest.mark.parametrize(
    "sentence",
    ["Room of the house", "No buses on Sundays.", "No houses left.", "No existe ninguna."],
)
def test_a_heading_with_a_number_is_none(sentence: str) -> None:
    assert not is_imperative(fold_case(sentence))


def test_a_wish_may_be_shortened() -> None:
    for it in ("it would", "it'd", "that’d"):
        assert WISH.search(f"{it} be a big help to have just the dates")
