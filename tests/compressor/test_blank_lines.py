import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.blank_lines import outside, without
from compressor.extract import extract
from compressor.tokens import load_counter
from compressor.types import CompressionResult, Settings, Span
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
PAGE = "The harbour was closed because a storm had come over the islands. " * 4


def cut(text: str, rate: float) -> CompressionResult:
    words = split_words(text)
    chances = np.random.default_rng(0).random(len(words), np.float32)
    return extract(text, words, chances, Settings(rate=rate), COUNTER)


@pytest.mark.parametrize("gap", ["\n" * 40, " \n" * 30, "\n\t\n\r\n  \n\n", "\r\n" * 9])
@pytest.mark.parametrize("rate", [0.3, 0.6, 0.9])
def test_of_a_long_run_of_blank_lines_one_stays(gap: str, rate: float) -> None:
    text = gap.join([PAGE] * 4)
    result = cut(text, rate)
    assert result.text.count("\n") == 6
    assert [len(part.split()) > 3 for part in result.text.split("\n\n")] == [True] * 4
    assert result.tokens_after >= 0.97 * min(rate * result.tokens_before, 4 * COUNTER.count(PAGE))
    assert "".join(text[s.start : s.end] for s in result.kept) == result.text


def test_the_indentation_behind_it_stays() -> None:
    text = PAGE + "\n \n \n\n\n    - The pier was open.\n    - The lock was shut." + PAGE
    assert "\n\n    - " in cut(text, 0.9).text


@pytest.mark.parametrize("gap", ["\n\n", "\n\n\n", " \n \n\n"])
def test_up_to_two_blank_lines_stay_as_they_are(gap: str) -> None:
    assert gap in cut(gap.join([PAGE] * 3), 0.9).text


def test_blank_lines_in_code_stay() -> None:
    code = "```\nfirst()\n\n\n\n\n\n\nsecond()\n```"
    assert code in cut(f"{PAGE}\n\n{code}\n\n{PAGE}", 0.5).text


def test_hundreds_of_thousands_of_line_breaks_take_no_words_place() -> None:
    text = PAGE * 5 + "\n" * 100_000 + PAGE * 5
    assert cut(text, 0.5).tokens_after > 0.9 * 10 * COUNTER.count(PAGE)


RUNS = st.lists(st.integers(0, 200), unique=True, max_size=8).map(
    lambda edges: np.asarray(sorted(edges[: len(edges) // 2 * 2]), np.int64).reshape(-1, 2)
)
SPANS = st.lists(st.integers(0, 200), unique=True, max_size=8).map(
    lambda edges: [Span(a, b) for a, b in zip(*[iter(sorted(edges))] * 2, strict=False)]
)


@given(RUNS, SPANS)
def test_what_is_left_is_in_the_slices_and_in_no_run(runs: np.ndarray, spans: list[Span]) -> None:
    dropped = {at for first, stop in runs.tolist() for at in range(first, stop)}
    held = [at for span in spans for at in range(span.start, span.end)]
    left = without(runs, spans)
    assert [at for span in left for at in range(span.start, span.end)] == [
        at for at in held if at not in dropped
    ]
    assert outside(runs, held).tolist() == [at for at in held if at not in dropped]
