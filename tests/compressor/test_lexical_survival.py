"""On a made-up set, what answers a question survives where a question-blind cut would lose it."""

from collections.abc import Iterator

import numpy as np
import pytest

from compressor.engine import Compressor
from compressor.extract import extract
from compressor.lexical import LexicalRelevance
from compressor.scoring import word_probabilities
from compressor.types import Settings
from compressor.words import split_words
from tests.compressor.multi_document import MultiDocument, multi_document

SETS = [multi_document(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def bundled() -> Iterator[Compressor]:
    with Compressor() as compressor:
        yield compressor


def survival(compressor: Compressor, sets: list[MultiDocument], rate: float) -> tuple[float, float]:
    """Return the shares of answers that are still there question-blind and question-aware."""
    relevance, counter = LexicalRelevance(), compressor.counter("o200k_base")
    classified = compressor.classify([one.text for one in sets], Settings(rate=rate))
    blind, aware = [], []
    for one, seen in zip(sets, classified, strict=True):
        words = split_words(one.text)
        p = word_probabilities(words, seen.offsets, seen.probabilities)
        unasked = extract(one.text, words, p, Settings(rate=rate), counter).text
        for question, answer in one.questions:
            chosen = Settings(rate=rate, question=question)
            log_odds = relevance.scores(one.text, words, question)
            kept = extract(one.text, words, p, chosen, counter, log_odds=log_odds)
            assert kept.rate <= rate + 0.02
            blind.append(answer in unasked)
            aware.append(answer in kept.text)
    return float(np.mean(blind)), float(np.mean(aware))


@pytest.mark.parametrize("rate", [0.25, 0.33])
def test_more_answers_survive_with_the_question(bundled: Compressor, rate: float) -> None:
    blind, aware = survival(bundled, SETS, rate)
    assert aware >= 0.95
    assert blind <= aware - 0.2


def test_through_the_engine_it_is_the_same_bytes_every_time(bundled: Compressor) -> None:
    text, ((question, answer), *_) = SETS[0].text, SETS[0].questions
    chosen = Settings(rate=0.25, question=question)
    first = bundled.compress(text, chosen)
    assert answer in first.text
    assert bundled.compress(text, chosen) == first
    assert bundled.compress(text, Settings(rate=0.25)).text != first.text
    assert bundled.compress(text, chosen) == first  # whatever was asked in between


def test_a_question_in_the_text_itself_is_kept_and_is_no_passage(bundled: Compressor) -> None:
    text, (*_, (question, answer)) = SETS[1].text, SETS[1].questions
    prompt = f"Answer from these passages.\n\n{text}\n\nQuestion: {question}"
    asked = f"Answer from these passages.\nQuestion: {question}"
    kept = bundled.compress(prompt, rate=0.25, question=asked).text
    assert kept.startswith("Answer from these passages.")
    assert kept.endswith(f"Question: {question}")
    assert answer in kept
