import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.scoring import word_probabilities
from compressor.words import Word

WORDS = [Word(0, 4), Word(5, 9), Word(9, 10), Word(11, 15)]
# "play|ing ." as tokens 0-2, 2-4, 5-10 (which runs into the third word); nothing for the fourth
OFFSETS = np.array([[0, 2], [2, 4], [5, 10]], np.int32)
PROBABILITIES = np.array([0.2, 0.6, 0.3], np.float32)


@pytest.mark.parametrize(
    ("how", "expected"), [("mean", [0.4, 0.3, 0.3, 1.0]), ("first", [0.2, 0.3, 0.3, 1.0])]
)
def test_a_word_is_its_tokens_mean_or_the_first_of_them(how: str, expected: list[float]) -> None:
    assert word_probabilities(WORDS, OFFSETS, PROBABILITIES, how) == pytest.approx(expected)


@pytest.mark.parametrize("how", ["mean", "first"])
def test_without_words_or_tokens(how: str) -> None:
    assert len(word_probabilities([], OFFSETS, PROBABILITIES, how)) == 0
    nothing = np.empty((0, 2), np.int32)
    assert word_probabilities(WORDS, nothing, np.empty(0, np.float32), how).tolist() == [1] * 4


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20), st.integers(0, 99))
def test_first_is_the_first_token_of_every_word(sizes: list[int], seed: int) -> None:
    ends = np.cumsum(sizes)
    words = [Word(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]
    offsets = np.array([[i, i + 1] for i in range(int(ends[-1]))], np.int32)
    tokens = np.random.default_rng(seed).random(len(offsets), np.float32)
    first = word_probabilities(words, offsets, tokens, "first")
    assert first.tolist() == [tokens[word.start] for word in words]
    mean = word_probabilities(words, offsets, tokens)
    assert mean == pytest.approx([tokens[w.start : w.end].mean() for w in words], abs=1e-6)
