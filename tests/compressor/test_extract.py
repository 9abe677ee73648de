"""The invariants of everything after the classifier, on any text and any probabilities."""

import json
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compressor.extract import extract
from compressor.lexical import LexicalRelevance
from compressor.protect import find_protected
from compressor.types import ALL_KINDS, CompressionResult, Kind, Settings
from compressor.words import split_words
from tests.compressor.mixed_texts import AMOUNTS, COUNTERS, QUESTIONS, TEXTS


def compress(text: str, chosen: Settings, seed: int, counter: int = 0) -> CompressionResult:
    """Extract with random probabilities and, where there is a question, its lexical relevance."""
    words = split_words(text)
    probabilities = np.random.default_rng(seed).random(len(words), np.float32)
    log_odds = None
    if chosen.question is not None:
        log_odds = LexicalRelevance().scores(text, words, chosen.question)
    return extract(text, words, probabilities, chosen, COUNTERS[counter], log_odds=log_odds)


any_case = given(TEXTS, AMOUNTS, st.integers(0, 99), st.integers(0, 1))
thoroughly = settings(deadline=None, max_examples=200)


@thoroughly
@any_case
def test_the_text_is_slices_of_the_source_in_order(
    text: str, chosen: Settings, seed: int, counter: int
) -> None:
    result = compress(text, chosen, seed, counter)
    assert "".join(text[s.start : s.end] for s in result.kept) == result.text
    at = 0
    for span in result.kept:
        assert at <= span.start < span.end <= len(text)
        at = span.end


@thoroughly
@any_case
def test_the_same_call_gives_the_same_result(
    text: str, chosen: Settings, seed: int, counter: int
) -> None:
    assert compress(text, chosen, seed, counter) == compress(text, chosen, seed, counter)


@thoroughly
@any_case
def test_counts_are_true_and_never_higher_than_before(
    text: str, chosen: Settings, seed: int, counter: int
) -> None:
    result = compress(text, chosen, seed, counter)
    assert result.tokens_before == COUNTERS[counter].count(text)
    assert result.tokens_after == COUNTERS[counter].count(result.text)
    assert (result.text == text) == (result.unchanged is not None)
    assert result.unchanged or result.tokens_after < result.tokens_before


@thoroughly
@given(TEXTS, st.integers(1, 120), QUESTIONS, st.integers(0, 99), st.integers(0, 1))
def test_a_cap_is_never_exceeded_but_by_what_is_protected(
    text: str, cap: int, question: str | None, seed: int, counter: int
) -> None:
    result = compress(text, Settings(target_tokens=cap, question=question), seed, counter)
    if not result.budget_unmet and result.unchanged is None:
        assert result.tokens_after <= cap


@thoroughly
@given(TEXTS, st.floats(0.1, 0.9), QUESTIONS, st.integers(0, 99))
def test_protected_text_is_byte_for_byte(
    text: str, rate: float, question: str | None, seed: int
) -> None:
    chosen = Settings(rate=rate, question=question)
    result = compress(text, chosen, seed)
    for span in find_protected(text, chosen):
        if not span.conditional:
            assert text[span.start : span.end].strip() in result.text


@thoroughly
@given(TEXTS, st.floats(0.1, 0.9), st.integers(0, 99))
def test_no_runs_of_spaces_or_blank_lines_that_the_source_did_not_have(
    text: str, rate: float, seed: int
) -> None:
    result = compress(text, Settings(rate=rate), seed)
    for run in re.findall(r"[^\S\n]{2,}|\n{3,}", result.text):
        assert run in text


@thoroughly
@given(TEXTS, AMOUNTS, st.integers(0, 99))
def test_kept_words_are_whole_words_of_the_source(text: str, chosen: Settings, seed: int) -> None:
    result = compress(text, chosen, seed)
    kept = {i for s in result.kept for i in range(s.start, s.end)}
    for word in split_words(text):
        inside = [i in kept for i in range(word.start, word.end)]
        assert all(inside) or not any(inside)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "word", "。", "\ud800 lone", "x" * 5000])
@pytest.mark.parametrize("rate", [0.01, 0.5, 1.0])
def test_odd_texts(text: str, rate: float) -> None:
    result = compress(text, Settings(rate=rate), 0)
    assert result.tokens_after <= result.tokens_before
    if rate == 1.0 or not text.strip():
        assert result.text == text


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(st.characters(codec="utf-8"), max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
        ),
        max_leaves=12,
    ).filter(lambda v: isinstance(v, dict) and v),
    st.integers(0, 99),
)
@example({"a": {"b": [1, "x not y", None]}}, 1)
def test_json_stays_byte_for_byte_amid_prose(value: object, seed: int) -> None:
    dumped = json.dumps(value)
    text = f"Here is what the tool said at last:\n\n{dumped}\n\nIt was a long and tedious wait."
    result = compress(text, Settings(rate=0.3), seed)
    assert dumped in result.text


LONG = (
    "The committee met on Tuesday to discuss the new harbour wall, which several members had "
    "opposed from the beginning. The engineer explained that the foundations were older than "
    "anyone had assumed, and that the work could hardly begin before spring. A visitor from the "
    "neighbouring town asked about the noise, the dust and the lorries in the narrow streets. "
) * 12


@pytest.mark.parametrize("question", [None, "What about the noise and the dust?"])
@pytest.mark.parametrize("rate", [0.8, 0.66, 0.5, 0.33, 0.2])
def test_the_rate_is_met_within_two_percent(rate: float, question: str | None) -> None:
    result = compress(LONG, Settings(rate=rate, question=question), 5, counter=1)
    assert result.rate == pytest.approx(rate, abs=0.02)


@pytest.mark.parametrize("question", [None, "What about the noise and the dust?"])
@pytest.mark.parametrize("target", [600, 400, 200, 100])
def test_a_target_is_used_to_97_percent(target: int, question: str | None) -> None:
    result = compress(LONG, Settings(target_tokens=target, question=question), 5, counter=1)
    assert 0.97 * target <= result.tokens_after <= target


def test_protected_text_over_the_cap_is_kept_and_said() -> None:
    code = "```\n" + "x = compute(alpha, beta)\n" * 40 + "```"
    result = compress(
        f"Some prose that may go away.\n\n{code}\n\nMore prose was here.",
        Settings(target_tokens=20),
        0,
    )
    assert result.budget_unmet
    assert result.text == code


@pytest.mark.parametrize("kind", sorted(ALL_KINDS - {Kind.FORCED}))
def test_each_protection_can_be_switched_off(kind: Kind) -> None:
    text = (
        "You are a clerk. Summarize the text below in one sentence.\n\n" + LONG[:400] + "\n\n"
        'See `code()` or {"a": [1, 2, 3]} at https://example.com/x, in /etc/app/conf.d, ABC-123, '
        "12 km away, not here, “so they say”.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        + LONG[:300]
        + "\n\nWhat did the engineer explain?"
    )
    on = [s for s in find_protected(text, Settings(rate=0.5)) if s.kind is kind]
    off = [
        s
        for s in find_protected(text, Settings(rate=0.5, protect=ALL_KINDS - {kind}))
        if s.kind is kind
    ]
    assert on
    assert not off


def test_ten_thousand_numbers_in_one_clause_end() -> None:
    result = compress("1 " * 10_000, Settings(rate=0.5), 0)
    assert result.tokens_after <= 0.5 * result.tokens_before
    assert not any(counts.lost for counts in result.verified.values())
