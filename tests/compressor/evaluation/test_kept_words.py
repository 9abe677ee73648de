from compressor.evaluation.kept_words import kept_words, share_kept_too
from compressor.types import Span

TEXT = "one two three four"


def test_words_are_kept_where_one_slice_holds_all_of_them() -> None:
    assert kept_words(TEXT, [Span(0, len(TEXT))]) == {0, 1, 2, 3}
    assert kept_words(TEXT, [Span(0, 3), Span(8, 18)]) == {0, 2, 3}
    assert kept_words(TEXT, [Span(0, 6), Span(6, 7)]) == {0}  # `two` is cut in halves
    assert kept_words(TEXT, []) == set()


def test_the_share_is_of_the_first_ones_words() -> None:
    pairs = [({0, 1, 2}, {0, 1}), ({0}, {0, 1, 2, 3})]
    assert share_kept_too(pairs) == 3 / 4
    assert share_kept_too([({0}, set())]) == 0
    assert share_kept_too([(set(), {1})]) == 1
