import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.windows import (
    CHUNK_TOKENS,
    CONTEXT_TOKENS,
    MOST_CONTEXT_TOKENS,
    WINDOW_TOKENS,
    Window,
    chunk_ends,
    plan_chunks,
    plan_windows,
    sentence_ends,
)


@st.composite
def texts_in_tokens(draw: st.DrawFn) -> tuple[int, np.ndarray | None]:
    """How many tokens a text has, and which of them end a sentence: many, few, none, not known."""
    count = draw(st.integers(0, 20_000))
    every = draw(st.sampled_from([None, 1, 2, 12, 40, 300, 30_000]))
    if every is None:
        return count, None
    return count, np.random.default_rng(draw(st.integers(0, 9))).random(count) < 1 / every


@given(texts_in_tokens())
def test_used_ranges_partition_the_tokens(text: tuple[int, np.ndarray | None]) -> None:
    tokens, ends = text
    at = 0
    for window in plan_windows(tokens, ends):
        assert window.used_start == at < window.used_end
        at = window.used_end
    assert at == tokens


@given(st.integers(0, 500), st.integers(3, 60), st.integers(0, 29), st.integers(0, 9))
def test_windows_of_any_size_partition_the_tokens(
    tokens: int, size: int, context: int, seed: int
) -> None:
    context = min(context, size - 1)
    windows = plan_windows(
        tokens, np.random.default_rng(seed).random(tokens) < 0.3, size=size, context=context
    )
    assert [i for w in windows for i in range(w.used_start, w.used_end)] == [*range(tokens)]
    assert all(w.used_start < w.used_end and w.tokens <= size for w in windows)


@given(texts_in_tokens(), st.sampled_from([0, 1, CONTEXT_TOKENS, MOST_CONTEXT_TOKENS]))
def test_a_window_sees_what_stands_before_it(
    text: tuple[int, np.ndarray | None], context: int
) -> None:
    tokens, ends = text
    windows = plan_windows(tokens, ends, context=context)
    for w in windows:
        assert 0 <= w.fed_start <= w.used_start < w.used_end <= w.fed_end <= tokens
        assert w.tokens <= WINDOW_TOKENS
        assert w.fed_start == 0 or w.used_start - w.fed_start >= context
        if len(windows) < 8:  # few are filled up
            assert w.tokens == min(tokens, WINDOW_TOKENS)
        else:
            assert w.fed_end == w.used_end
            assert w.used_start - w.fed_start == min(w.used_start, context)


@given(texts_in_tokens())
def test_a_long_text_is_cut_evenly_but_for_the_way_to_a_sentence_end(
    text: tuple[int, np.ndarray | None],
) -> None:
    tokens, ends = text
    windows = plan_windows(tokens, ends)
    for before, window in pairwise(windows):
        cut = window.used_start
        even = tokens * windows.index(window) // len(windows)
        assert abs(cut - even) <= CONTEXT_TOKENS
        if ends is None:
            assert cut == even
            continue
        longest = before.used_start + WINDOW_TOKENS - CONTEXT_TOKENS
        near = [
            at
            for at in range(even - CONTEXT_TOKENS, min(even + CONTEXT_TOKENS, longest) + 1)
            if ends[at - 1]
        ]
        assert cut in near or (cut == even and not near)
        assert all(abs(cut - even) <= abs(at - even) for at in near)
    assert len(windows) < 8 or len(windows) % 2 == 0


def test_a_short_text_is_one_window() -> None:
    assert plan_windows(WINDOW_TOKENS) == [Window(0, WINDOW_TOKENS, 0, WINDOW_TOKENS)]
    assert plan_windows(0) == []


def test_context_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        plan_windows(100, size=20, context=20)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 9))
def test_chunks_partition_the_tokens_and_end_as_late_as_they_may(
    ends: list[bool], size: int
) -> None:
    at = 0
    for chunk in plan_chunks(np.array(ends, np.bool_), size=size):
        assert (chunk.fed_start, chunk.fed_end) == (chunk.used_start, chunk.used_end)
        assert chunk.used_start == at < chunk.used_end
        assert chunk.tokens <= size
        if chunk.used_end < len(ends):
            later = ends[chunk.used_end : at + size]
            assert not any(later)
            assert ends[chunk.used_end - 1] or (chunk.tokens == size and not any(ends[at:size]))
        at = chunk.used_end
    assert at == len(ends)


def test_a_chunk_takes_what_the_checkpoints_take() -> None:
    assert plan_chunks(np.zeros(600, np.bool_))[0].tokens == CHUNK_TOKENS == 510


@pytest.mark.parametrize("pattern", [r"\w+|[^\w\s]", r"\s*(?:\w+|[^\w\s])", r"\S+", r"\s*\S+"])
@pytest.mark.parametrize(
    ("text", "last_words"),
    [
        ('He said "no!" She left. Then 3.14 of it', ["no", "left"]),
        ("One\n\n\ntwo three\nfour", ["One", "three"]),
        ("\n first line\r\nsecond", ["line"]),
        ("nothing ends", []),
        ("", []),
    ],
)
def test_sentences_and_lines_end_with_a_token(
    pattern: str, text: str, last_words: list[str]
) -> None:
    offsets = tokens(text, pattern)
    ends = sentence_ends(text, offsets)
    assert len(ends) == len(offsets)
    until = [text[:end] for (_, end), here in zip(offsets, ends, strict=True) if here]
    assert [re.findall(r"\w+", before)[-1] for before in until] == last_words


def test_chinese_and_japanese_sentences_end_without_a_space() -> None:
    text = "\u4f60\u597d\u3002\u300c\u306f\u3044\uff01\u300d\u518d\u89c1"
    ends = sentence_ends(text, tokens(text, "."))
    assert np.flatnonzero(ends).tolist() == [2, 7]


def tokens(text: str, pattern: str) -> np.ndarray:
    return np.array([m.span() for m in re.finditer(pattern, text)], np.int32).reshape(-1, 2)


@pytest.mark.parametrize("pattern", [r"\w+|[^\w\s]", r"\s*(?:\w+|[^\w\s])"])
def test_end_tokens_and_line_breaks_end_chunks(pattern: str) -> None:
    text = "One two. Three\n four.five\tsix"
    offsets = tokens(text, pattern)
    ends = chunk_ends(text, offsets, (".", "\n"))
    assert [text[s:e].strip() for (s, e), end in zip(offsets, ends, strict=True) if end] == [
        ".", "Three", ".",
    ]  # fmt: skip
    assert not chunk_ends(text, offsets, ()).any()
    assert len(chunk_ends("", np.empty((0, 2), np.int32), (".",))) == 0
