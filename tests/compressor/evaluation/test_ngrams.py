import math

import pytest

from compressor.evaluation.ngrams import TrigramModel


def test_shares_are_interpolated() -> None:
    # Corpus: a b a b (4 words; contexts (s,s) (s,a) (a,b) (b,a); singles s a b a).
    model = TrigramModel([["a", "b", "a", "b"]])
    first, second = model.self_information(["a", "b"], seen=False)
    unigram = 3 / 7  # (2 + 1) / (4 + 2 kinds + 1 for what is unknown)
    assert first == pytest.approx(-math.log2(0.5 * 1 + 0.3 * 1 + 0.2 * unigram))
    assert second == pytest.approx(-math.log2(0.5 * 1 + 0.3 * 1 + 0.2 * unigram))
    [unknown] = model.self_information(["z"], seen=False)
    assert unknown == pytest.approx(-math.log2(0.2 / 7))


def test_probabilities_after_a_context_sum_to_one() -> None:
    model = TrigramModel([["a", "b", "a", "c"], ["a", "b"]])
    words = ["a", "b", "c", "unknown"]
    total = sum(2 ** -model.self_information(["a", "b", "a", w], seen=False)[-1] for w in words)
    assert total == pytest.approx(1)


def test_a_text_of_the_corpus_does_not_expect_itself() -> None:
    texts = [["the", "cat", "sat"], ["the", "dog", "ran"]]
    model = TrigramModel(texts)
    seen = model.self_information(texts[0], seen=True)
    fresh = TrigramModel(texts[1:]).self_information(texts[0], seen=False)
    # Only the vocabulary's size differs: what was taken out is still known to exist.
    assert seen == pytest.approx(fresh, abs=0.6)
    assert seen[1] > model.self_information(texts[0], seen=False)[1] + 2
