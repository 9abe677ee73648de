import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.extract import extract
from compressor.types import ALL_KINDS, CompressionResult, Kind, Settings
from compressor.words import split_words
from tests.compressor.mixed_texts import AMOUNTS, COUNTERS, TEXTS

WHY = re.compile(
    rf"(?:protected|restored):(?:{'|'.join(ALL_KINDS)})|"
    "classifier|budget|question|label|mark|repeated|unchanged"
)
TEXT = (
    "# Minutes\n\n- Alice: the treasurer did not pay the 12 euros, as she said.\n"
    "- Bob: see /etc/hosts and `ls`.\n\nThe rest of the evening was spent on the weather."
)


def explained(
    text: str, chosen: Settings, probabilities: dict[str, float] | None = None, odds: str = ""
) -> CompressionResult:
    """Compress with these probabilities (others: 0.2); words of `odds` bear on a question."""
    words = split_words(text)
    known = probabilities or {}
    given_ = np.array([known.get(text[w.start : w.end], 0.2) for w in words], np.float32)
    bearing = np.array([9.0 * (text[w.start : w.end] in odds.split()) for w in words], np.float32)
    log_odds = bearing if odds else None
    return extract(text, words, given_, chosen, COUNTERS[1], log_odds=log_odds, explain=True)


def why(result: CompressionResult, text: str = TEXT) -> dict[str, tuple[bool, str]]:
    return {word.of(text): (word.kept, word.why) for word in result.words}


@settings(deadline=None, max_examples=150)
@given(TEXTS, AMOUNTS, st.integers(0, 99))
def test_explaining_names_every_word_and_changes_nothing(
    text: str, chosen: Settings, seed: int
) -> None:
    words = split_words(text)
    probabilities = np.random.default_rng(seed).random(len(words), np.float32)
    plain = extract(text, words, probabilities, chosen, COUNTERS[1])
    result = extract(text, words, probabilities, chosen, COUNTERS[1], explain=True)
    assert plain.words == ()
    assert replace(result, words=()) == plain
    assert [(w.start, w.end) for w in result.words] == [(w.start, w.end) for w in words]
    kept = {i for span in result.kept for i in range(span.start, span.end)}
    for word, probability in zip(result.words, probabilities.tolist(), strict=True):
        assert word.probability == probability
        assert word.kept == (word.start in kept)
        assert WHY.fullmatch(word.why)


@settings(deadline=None, max_examples=150)
@given(TEXTS, AMOUNTS, st.integers(0, 99))
def test_the_counts_agree_with_the_text(text: str, chosen: Settings, seed: int) -> None:
    words = split_words(text)
    probabilities = np.random.default_rng(seed).random(len(words), np.float32)
    result = extract(text, words, probabilities, chosen, COUNTERS[1])
    for counted in result.verified.values():
        assert 0 <= counted.restored <= counted.whole <= counted.called_for <= counted.spans
    assert set(result.verified) == set() or result.unchanged is None


def test_protected_words_say_of_what_kind_they_are() -> None:
    said = why(explained(TEXT, Settings(rate=0.7), {"treasurer": 0.9, "pay": 0.9, "euros": 0.1}))
    assert said["etc/hosts"] == (True, "protected:path")
    assert said["ls"] == (True, "protected:code")
    assert said["not"] == (True, "protected:negation")
    assert said["treasurer"] == (True, "classifier")


def test_labels_and_marks_go_with_their_words() -> None:
    said = why(explained(TEXT, Settings(threshold=0.5), {"treasurer": 0.9}))
    assert said["Alice"] == (True, "label")
    assert said["weather"] == (False, "classifier")
    assert said[","] == (False, "mark")


def test_the_budget_keeps_unlikely_words_and_drops_likely_ones() -> None:
    text = "Rain fell on many small towns in the far north of the old country last autumn"
    few = why(explained(text, Settings(target_tokens=3), dict.fromkeys(text.split(), 0.8)), text)
    assert (False, "budget") in few.values()
    assert (True, "classifier") in few.values()
    many = why(explained(text, Settings(rate=0.8)), text)
    assert (True, "budget") in many.values()
    assert (False, "classifier") in many.values()


def test_a_question_is_named_where_it_made_the_difference() -> None:
    text = "Rain fell on many small towns in the far north of the old country last autumn"
    said = why(explained(text, Settings(rate=0.4), {"Rain": 0.9}, odds="Rain towns"), text)
    assert said["towns"] == (True, "question")
    assert said["Rain"] == (True, "classifier")


def test_a_repetition_that_goes_is_named() -> None:
    chosen = Settings(threshold=0.99, force_tokens=("so",), drop_consecutive=True)
    result = explained("and so so we went on to the town", chosen)
    assert [(w.kept, w.why) for w in result.words if w.of("and so so") == "so"] == [
        (True, "protected:forced"),
        (False, "repeated"),
    ]
    assert result.verified[Kind.FORCED].lost == 0


@pytest.mark.parametrize("chosen", [Settings(rate=1), Settings(target_tokens=1000)])
def test_a_text_left_as_it_is_says_so(chosen: Settings) -> None:
    assert {word.why for word in explained(TEXT, chosen).words} == {"unchanged"}
