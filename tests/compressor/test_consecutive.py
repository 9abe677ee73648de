import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.extract import extract
from compressor.protect import find_protected
from compressor.tokens import Tokenizers
from compressor.types import Kind, Settings
from compressor.words import split_words

COUNTER = Tokenizers().counter("o200k_base")
ONLY_FORCED = frozenset({Kind.FORCED})


def shortened(text: str, keep: set[str], **options: object) -> str:
    """Compress with the words in `keep` likely and the others not."""
    words = split_words(text)
    likely = np.array([text[w.start : w.end] in keep for w in words], np.float32)
    options = {"threshold": 0.5, "drop_consecutive": True, "protect": ONLY_FORCED} | options
    chosen = Settings(**options)  # type: ignore[arg-type]
    return extract(text, words, likely, chosen, COUNTER).text


def test_a_repeated_forced_word_stays_once() -> None:
    text = "Alpha and then and again and Omega and so and so on"
    assert shortened(text, {"Alpha", "Omega"}, force_tokens=("and",)) == "Alpha and Omega and"
    all_of_them = shortened(text, {"Alpha", "Omega"}, force_tokens=("and",), drop_consecutive=False)
    assert all_of_them == "Alpha and and and Omega and and"


def test_a_phrase_counts_as_one() -> None:
    text = "First the answer is maybe the answer is surely three"
    forced = ("the answer is",)
    assert shortened(text, {"First", "three"}, force_tokens=forced) == "First the answer is three"


def test_a_phrase_over_a_line_break_is_the_same_phrase() -> None:
    text = "First the answer is maybe the answer\nis surely three"
    forced = ("the  answer is",)
    assert shortened(text, {"First", "three"}, force_tokens=forced) == "First the answer is\nthree"


def test_a_word_between_that_stays_keeps_both() -> None:
    text = "one and two and three and four"
    assert shortened(text, {"one", "two", "four"}, force_tokens=("and",)) == "one and two and four"
    others = shortened("one and x or y and two", {"one", "two"}, force_tokens=("and", "or"))
    assert others == "one and or and two"


@pytest.mark.parametrize(
    ("text", "force", "options"),
    [
        ("See 5 and 5 and 5 rooms there", ("5",), {"force_digits": True}),
        ("It is not here, is not there now", ("not",), {"protect": frozenset(Kind)}),
        ("v1.2.3 then 1.2 again v1.2.3 now", (".",), {}),
    ],
)
def test_what_is_kept_for_another_reason_stays(
    text: str, force: tuple[str, ...], options: dict[str, object]
) -> None:
    keep = {"rooms", "here", "there", "v1.2.3", "1.2"}
    once = shortened(text, keep, force_tokens=force, **options)
    assert once == shortened(text, keep, force_tokens=force, drop_consecutive=False, **options)


def test_force_digits_keeps_every_word_with_a_digit() -> None:
    text = "Room B12 or room 7b, on floor 3.5 of x86_64, and 東京3776メートル too"
    for protect in (ONLY_FORCED, frozenset[Kind]()):
        result = shortened(text, set(), force_digits=True, protect=protect)
        for word in ("B12", "7b", "3.5", "x86_64", "3776"):
            assert word in result
        assert "floor" not in result
    assert shortened(text, {"floor"}) == "floor"


def test_digits_over_the_cap_are_kept_and_said() -> None:
    text = "at 1 then 22 then 333 then 4444 then 55555 then 666666"
    words = split_words(text)
    chosen = Settings(target_tokens=4, force_digits=True, protect=ONLY_FORCED)
    result = extract(text, words, np.zeros(len(words), np.float32), chosen, COUNTER)
    assert result.budget_unmet
    assert result.text.split() == ["1", "22", "333", "4444", "55555", "666666"]


SMALL_WORDS = st.lists(st.sampled_from(["and", "of", "x", "y.", "(z)", "5", "not"]), max_size=30)


@settings(deadline=None, max_examples=150)
@given(SMALL_WORDS, st.floats(0.1, 0.9), st.integers(0, 99), st.booleans())
def test_only_repeats_go_and_no_cap_is_broken(
    words: list[str], rate: float, seed: int, everything: bool
) -> None:
    text = " ".join(words)
    split = split_words(text)
    chance = np.random.default_rng(seed).random(len(split), np.float32)
    protect = frozenset(Kind) if everything else ONLY_FORCED
    both = [
        Settings(rate=rate, protect=protect, force_tokens=("and", "of"), drop_consecutive=drop)
        for drop in (False, True)
    ]
    plain, dropped = (extract(text, split, chance, chosen, COUNTER) for chosen in both)
    # Other words may have the room.
    assert dropped.tokens_after <= max(plain.tokens_after, rate * plain.tokens_before)
    assert dropped.tokens_after == COUNTER.count(dropped.text)
    if plain.unchanged is None:
        forced = [set(re.findall(r"\b(?:and|of)\b", found.text)) for found in (plain, dropped)]
        assert forced[0] == forced[1]
    protected = [s for s in find_protected(text, both[0]) if not s.conditional]
    rest = [s for s in protected if s.kind is not Kind.FORCED]
    assert all(text[s.start : s.end].strip() in dropped.text for s in rest)
