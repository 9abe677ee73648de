import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.windows import (
    CHUNK_TOKENS,
    CONTEXT_TOKENS,
    WINDOW_TOKENS,
    Window,
    chunk_ends,
    plan_chunks,
    plan_windows,
)


@given(st.integers(0, 20_000))
def test_used_ranges_partition_the_tokens(tokens: int) -> None:
    at = 0
    for window in plan_windows(tokens):
        assert window.used_start == at < window.used_end
        at = window.used_end
    assert at == tokens


@given(st.integers(1, 20_000))
def test_every_used_token_sees_its_context(tokens: int) -> None:
    for w in plan_windows(tokens):
        assert 0 <= w.fed_start <= w.used_start < w.used_end <= w.fed_end <= tokens
        assert w.tokens <= WINDOW_TOKENS
        assert w.fed_start == 0 or w.used_start - w.fed_start >= CONTEXT_TOKENS
        assert w.fed_end == tokens or w.fed_end - w.used_end >= CONTEXT_TOKENS


@given(st.integers(WINDOW_TOKENS + 1, 20_000))
def test_a_long_text_is_cut_evenly_into_full_windows(tokens: int) -> None:
    windows = plan_windows(tokens)
    used = [w.used_end - w.used_start for w in windows]
    assert max(used) - min(used) <= 1
    assert {w.tokens for w in windows} == {WINDOW_TOKENS}


def test_a_short_text_is_one_window() -> None:
    assert plan_windows(WINDOW_TOKENS) == [Window(0, WINDOW_TOKENS, 0, WINDOW_TOKENS)]
    assert plan_windows(0) == []


def test_context_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        plan_windows(100, size=20, context=10)


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
