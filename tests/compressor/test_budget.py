"""A budget is a cap that is never exceeded, and is used; what is protected comes first."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compressor
from compressor.engine import Compressor
from compressor.extract import extract
from compressor.lexical import LexicalRelevance
from compressor.llmlingua import PromptCompressor
from compressor.protect import find_protected
from compressor.tokens import Tokenizers
from compressor.types import CompressionResult, Settings
from compressor.words import split_words
from tests.compressor.long_texts import LONG_TEXTS, WORDS
from tests.compressor.mixed_texts import CharacterPairs
from tests.compressor.scripted_classifier import ScriptedClassifier

TOKENIZERS = Tokenizers()
TOKENIZER_FILE = Path(compressor.__file__).parent / "models" / "tokenizer.json"
COUNTERS = {
    name: TOKENIZERS.counter(name) for name in ("o200k_base", "cl100k_base", str(TOKENIZER_FILE))
} | {"pairs": CharacterPairs()}
QUESTIONS = st.none() | st.sampled_from(["Who wanted measurements near the bridges?", "予算は？"])
CAPS = st.integers(20, 1000) | st.integers(20, 60)
ENCODINGS = st.sampled_from(sorted(COUNTERS))
any_budget = settings(deadline=None, max_examples=40)


def compress(text: str, chosen: Settings, seed: int, encoding: str) -> CompressionResult:
    """Extract with random probabilities and, where there is a question, its lexical relevance."""
    words = split_words(text)
    probabilities = np.random.default_rng(seed).random(len(words), np.float32)
    log_odds = None
    if chosen.question is not None:
        log_odds = LexicalRelevance().scores(text, words, chosen.question)
    return extract(text, words, probabilities, chosen, COUNTERS[encoding], log_odds=log_odds)


@any_budget
@given(LONG_TEXTS, CAPS, QUESTIONS, st.integers(0, 99), ENCODINGS)
def test_a_cap_is_used_to_97_percent_and_never_exceeded(
    text: str, cap: int, question: str | None, seed: int, encoding: str
) -> None:
    result = compress(text, Settings(target_tokens=cap, question=question), seed, encoding)
    assert result.tokens_after == COUNTERS[encoding].count(result.text)
    if result.unchanged is None and not result.budget_unmet:
        # A word takes up to three tokens: beside protected text of nearly the cap none may fit.
        assert min(0.97 * cap, cap - 3) <= result.tokens_after <= cap


@any_budget
@given(LONG_TEXTS, st.floats(0.1, 0.95), QUESTIONS, st.integers(0, 99), ENCODINGS)
def test_a_rate_is_met_within_two_percent_and_never_exceeded(
    text: str, rate: float, question: str | None, seed: int, encoding: str
) -> None:
    result = compress(text, Settings(rate=rate, question=question), seed, encoding)
    if result.unchanged is None and not result.budget_unmet and result.tokens_before > 500:
        share = rate * result.tokens_before
        assert 0.98 * share <= result.tokens_after <= share + 1e-6  # rounding


@any_budget
@given(LONG_TEXTS, st.integers(1, 120), st.integers(0, 99))
def test_where_the_budget_is_not_met_what_is_protected_is_over_it(
    text: str, cap: int, seed: int
) -> None:
    chosen = Settings(target_tokens=cap)
    result = compress(text, chosen, seed, "o200k_base")
    if not result.budget_unmet:
        return
    # All of it is there, and no word besides, except the labels of its lines.
    required = [s for s in find_protected(text, chosen) if not s.conditional]
    assert required
    for span in required:
        assert text[span.start : span.end].strip() in result.text


NEGATED = [
    "Under no circumstances should the valve be opened while the pump is running at full speed.",
    "Der Vertrag kommt weder durch Schweigen noch durch eine bloße Anfrage zustande.",
    "Note: it was never, not even once, opened.",
    "- - - !!! ... ???",
]


@any_budget
@given(st.sampled_from(NEGATED), st.integers(1, 15), st.integers(0, 99))
def test_something_is_always_kept(text: str, cap: int, seed: int) -> None:
    result = compress(text, Settings(target_tokens=cap), seed, "o200k_base")
    assert result.text.strip()
    assert result.budget_unmet == (result.tokens_after > cap)


@any_budget
@given(st.sampled_from(NEGATED), st.floats(0, 1), st.integers(0, 99))
def test_something_is_above_every_threshold(text: str, threshold: float, seed: int) -> None:
    assert compress(text, Settings(threshold=threshold), seed, "o200k_base").text.strip()


@pytest.mark.parametrize("rate", [0.29, 0.5, 0.7])
def test_a_whole_number_of_tokens_is_not_lost_to_binary_fractions(rate: float) -> None:
    spaced = " a" * 100  # one token each for a counter of character pairs
    result = compress(spaced, Settings(rate=rate), 1, "pairs")
    assert result.tokens_after == round(100 * rate)


def statements(count: int, seed: int) -> str:
    """Return sentences none of which is protected."""
    chance = random.Random(seed)
    words = WORDS["en"].split()
    sentences = [" ".join(chance.choices(words, k=chance.randint(6, 14))) for _ in range(count)]
    return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


@pytest.fixture(scope="module")
def lingua() -> Iterator[PromptCompressor]:
    likely = dict.fromkeys(WORDS["en"].split()[::2], 0.9)
    with Compressor(ScriptedClassifier(likely), TOKENIZERS, workers=1) as engine:
        yield PromptCompressor(compressor=engine)


@pytest.mark.parametrize("target", [500, 300, 101, 60])
def test_one_cap_over_several_contexts_is_used(lingua: PromptCompressor, target: int) -> None:
    contexts = [statements(12, seed) for seed in range(5)]
    whole = lingua.compress_prompt(contexts, "Answer this.", "Who did?", target_token=target)
    tagged = lingua.structured_compress_prompt(
        [f"{text}<llmlingua, compress=False> Kept: 7.</llmlingua>" for text in contexts],
        target_token=target,
    )
    data = {str(number): {"at": [number], "text": text} for number, text in enumerate(contexts)}
    values = lingua.compress_json(data, {key: {} for key in data}, target_token=target + 120)
    for found, cap in ((whole, target), (tagged, target), (values, target + 120)):
        assert not found["budget_unmet"]
        assert 0.97 * cap <= found["compressed_tokens"] <= cap


@pytest.mark.parametrize("rate", [0.8, 0.5, 0.2])
def test_a_rate_of_several_contexts_is_met(lingua: PromptCompressor, rate: float) -> None:
    contexts = [statements(12, seed) for seed in range(5)]
    found = lingua.compress_prompt(contexts, rate=rate)
    share = rate * found["origin_tokens"]
    assert 0.98 * share <= found["compressed_tokens"] <= share
    each = {key: {"rate": rate} for key in "abc"}
    data = {key: statements(50, ord(key)) for key in each}
    for key, text in lingua.compress_json(data, each)["compressed_prompt"].items():
        share = rate * COUNTERS["cl100k_base"].count(data[key])
        assert 0.98 * share <= COUNTERS["cl100k_base"].count(text) <= share
