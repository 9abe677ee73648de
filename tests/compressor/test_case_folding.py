"""Lower case stands in for patterns that ignore case."""

import re
import sys

import pytest

from compressor.case_folding import fold_case

EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))
CASED = "".join(c for c in EVERY_CHARACTER if c != c.lower() or c != c.upper())
LETTERS = (
    "abcdefghijklmnopqrstuvwxyzßàáâãäåæçèéêëìíîïñòóôõöøùúûüýœąćęłńśźżğşčďěňřšťůžőűăîșț"
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ"
    "αβγδεζηθκλνξοπρστυφχψωάέήίόύώ"
)


def test_every_character_stays_one() -> None:
    assert len(fold_case(EVERY_CHARACTER)) == len(EVERY_CHARACTER)


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_is_found_where_it_is_found_when_case_is_ignored(letter: str) -> None:
    found = {m.start() for m in re.finditer(letter, CASED, re.IGNORECASE)}
    assert {m.start() for m in re.finditer(letter, fold_case(CASED))} == found


@pytest.mark.parametrize("kind", [r"\w", r"\d", r"\s", r"[^\W\d_]"])
def test_a_character_stays_of_its_kind(kind: str) -> None:
    found = {m.start() for m in re.finditer(kind, CASED)}
    assert {m.start() for m in re.finditer(kind, fold_case(CASED))} == found


@pytest.mark.parametrize("text", ["ΟΔΟΣ", "ΟΔΟΣ ΜΑΣ", "Οδος"])
def test_a_sigma_is_the_same_at_the_end_of_a_word(text: str) -> None:
    assert fold_case(text).startswith("οδοσ")
