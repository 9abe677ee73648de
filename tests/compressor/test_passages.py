from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.passages import Passages
from compressor.words import split_words


def sentences(text: str) -> list[str]:
    words = split_words(text)
    numbers = Passages(text, words).sentence_of_word
    cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(words)]
    return [text[words[a].start : words[b - 1].end] for a, b in pairwise(cuts)]


def test_sentences_end_at_marks_titles_and_items() -> None:
    text = (
        "The Quay\nIt is old. Very old, e.g. the wall!\n- one thing\n- another\n\n"
        "富士山は高い。そう。"
    )
    assert sentences(text) == [
        "The Quay",
        "It is old.",
        "Very old, e.g. the wall!",
        "- one thing",
        "- another",
        "富士山は高い。",
        "そう。",
    ]


def test_a_wrapped_line_is_no_end() -> None:
    wrapped = (
        "The committee had not met since the spring of that last\n"
        "year, when it lost its chairman to a larger town across\nthe bay. It did not meet again."
    )
    assert sentences(wrapped) == [wrapped[: wrapped.index(" It did")], "It did not meet again."]
    assert sentences("a title of its own\nand what it heads") == [
        "a title of its own",
        "and what it heads",
    ]


def test_blank_lines_end_passages() -> None:
    text = "One. Two.\n\nThree.\nFour."
    found = Passages(text, split_words(text))
    assert found.of_sentence.tolist() == [0, 0, 1, 1]
    assert [sorted(counts) for counts in found.passage_terms] == [["one", "two"], ["four", "thre"]]
    assert found.has("thre")
    assert not found.has("five")


def test_own_sentences_have_no_terms() -> None:
    text = "Who  built it?\n\nMasons built it."
    found = Passages(text, split_words(text), {"Who built it?"})
    assert found.own.tolist() == [True, False]
    assert not found.passage_terms[0]
    assert found.has("mason")


def test_names_are_capitalised_words_and_numbers() -> None:
    text = "The ship Aurora left in 1911 with Captain Holm."
    found = Passages(text, split_words(text)).names([0])
    assert found == {"aurora", "1911", "captain", "holm"}


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300))
def test_every_word_is_in_one_sentence_of_one_passage(text: str) -> None:
    words = split_words(text)
    found = Passages(text, words)
    assert len(found.sentence_of_word) == len(words)
    assert (np.diff(found.sentence_of_word) >= 0).all()
    assert (np.diff(found.of_sentence) >= 0).all()
    assert len(found.own) == len(found.sentence_terms) == len(found.of_sentence)
