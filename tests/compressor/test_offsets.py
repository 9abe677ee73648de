"""Offsets of a view and of its text lead to each other."""

import json

from hypothesis import given
from hypothesis import strategies as st

from compressor.protect.json_prose import json_prose
from compressor.types import Span

WORDS = st.lists(st.sampled_from(["não", "is", "日本", "😀", "a/b", "\n", '"x"']), min_size=99)


@given(WORDS.map(" ".join), st.booleans())
def test_a_slice_of_a_view_is_the_slice_of_the_text_that_says_the_same(
    value: str, ascii_only: bool
) -> None:
    text = json.dumps({"head": "né", "value": value, "n": [1]}, ensure_ascii=ascii_only)
    prose = json_prose(text)
    assert prose is not None
    view, offsets = prose.view, prose.offsets
    each = offsets.spans_in_text([Span(i, i + 1) for i in range(len(view))])
    assert "".join(text[span.start : span.end] for span in each) == text
    for at, span in enumerate(each):
        assert set(offsets.in_view(range(span.start, span.end)).tolist()) == {at}
        if len(view[at].encode()) > 1 and view[at] not in "“”":
            assert json.loads(f'"{text[span.start : span.end]}"') == view[at]
