import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.training.cut import cut_passages, read_pieces
from compressor.words import is_mark, split_words


def sentence(words: int, last: str = "end") -> str:
    return " ".join(["Word", *["word"] * (words - 2), last]) + "."


def size(text: str) -> int:
    return sum(not is_mark(text, word) for word in split_words(text))


def test_a_short_text_is_one_passage_and_a_very_short_one_is_none() -> None:
    text = f"{sentence(60)}\n\n{sentence(40)}"
    assert cut_passages(text) == [text]
    assert cut_passages(sentence(60)) == []
    assert cut_passages("") == []


def test_a_passage_ends_with_a_paragraph_where_enough_stands_before_it() -> None:
    first = " ".join([sentence(50)] * 3)
    second = " ".join([sentence(50)] * 5)
    assert cut_passages(f"{first}\n\n{second}") == [first, second]


def test_else_it_ends_with_a_sentence() -> None:
    text = " ".join([sentence(50)] * 9)
    found = cut_passages(text)
    assert [size(passage) for passage in found] == [300, 150]
    assert all(passage.endswith("end.") for passage in found)


def test_a_short_rest_is_shared_with_the_passage_before() -> None:
    text = " ".join([sentence(40)] * 9)  # 7 x 40 and 2 x 40
    assert sorted(size(passage) for passage in cut_passages(text)) == [160, 200]
    assert [size(p) for p in cut_passages(" ".join([sentence(40)] * 7), most=250)] == [120, 160]


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    found = cut_passages(sentence(700))
    assert [size(passage) for passage in found] == [300, 300, 100]


def test_a_heading_goes_with_what_follows() -> None:
    first = " ".join([sentence(50)] * 5)
    second = " ".join([sentence(50)] * 4)
    assert cut_passages(f"{first}\n\n## Next\n\n{second}") == [first, f"## Next\n\n{second}"]


def test_a_fenced_block_is_not_cut() -> None:
    code = "```python\n" + "\n".join(f"value_{i} = compute(a, b)" for i in range(20)) + "\n```"
    text = f"{' '.join([sentence(50)] * 5)}\n\n{code}\n\n{' '.join([sentence(50)] * 4)}"
    assert sum(code in passage for passage in cut_passages(text)) == 1


@pytest.mark.parametrize("least", [1, 90])
def test_japanese_is_cut_at_its_full_stops(least: int) -> None:
    text = "私たちは昨日の会議で新しい予算について話し合いました。" * 40
    found = cut_passages(text, least=least)
    assert len(found) > 1
    assert all(passage.endswith("。") for passage in found)


@given(
    st.text(alphabet="ab .\n#`é漢", max_size=400),
    st.integers(1, 10),
    st.integers(0, 20),
)
def test_passages_are_slices_in_order_and_within_bounds(text: str, least: int, more: int) -> None:
    most, at = least + more, 0
    for passage in cut_passages(text, least=least, most=most):
        at = text.index(passage, at) + len(passage)
        assert least <= size(passage) <= most
    pieces = read_pieces(text, most)
    assert sum(piece.words for piece in pieces) == size(text)
    if least == 1:  # then nothing is lost
        kept = "".join(cut_passages(text, least=1, most=most))
        assert size(text) == sum(size(p) for p in cut_passages(text, least=1, most=most)), kept
