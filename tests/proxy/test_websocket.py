import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.websocket import Closed, fitting


@pytest.mark.parametrize(
    ("closed", "told"),
    [
        (Closed(1000, "done"), Closed(1000, "done")),
        (Closed(4999), Closed(4999)),
        (Closed(1005), Closed(1000)),
        (Closed(1006), Closed(1001)),
    ],
)
def test_what_the_other_end_is_told(closed: Closed, told: Closed) -> None:
    assert closed.passed_on() == told


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_reason_fits_and_is_cut_between_characters(text: str) -> None:
    cut = fitting(text)
    assert text.startswith(cut)
    assert len(cut.encode()) <= 123
    assert cut == text or len(text[: len(cut) + 1].encode()) > 123
