import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.windows import CONTEXT_TOKENS, WINDOW_TOKENS, Window, plan_windows


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
