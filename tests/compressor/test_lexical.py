from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.lexical import LexicalRelevance, bm25, terms
from compressor.words import split_words

PASSAGES = (
    "The bakery on Mill Street opens at six. Its bread sells out before noon.\n\n"
    "The harbour master is called Ingrid Solheim. She has kept the log since 1994.\n\n"
    "Ferries leave every hour. In winter they leave every two hours."
)


def scores_by_word(text: str, question: str) -> dict[str, float]:
    words = split_words(text)
    scores = LexicalRelevance().scores(text, words, question)
    return {text[w.start : w.end]: float(s) for w, s in zip(words, scores, strict=True)}


def test_the_sentence_that_shares_words_with_the_question_scores_highest() -> None:
    scores = scores_by_word(PASSAGES, "How often do they leave in winter?")
    assert scores["winter"] == max(scores.values())
    assert scores["winter"] > scores["Ferries"] > scores["bakery"] == 0


def test_an_ending_does_not_hide_a_match() -> None:
    scores = scores_by_word(PASSAGES, "Which ferry is leaving?")
    assert scores["Ferries"] > scores["harbour"]


def test_names_of_the_best_sentence_are_followed_to_other_passages() -> None:
    text = (
        "Lena Ortiz directed the film Salt Road.\n\n"
        "The city of Bergen has many bridges.\n\n"
        "Ortiz was born in Valparaiso."
    )
    scores = scores_by_word(text, "Where was the director of Salt Road born?")
    assert scores["Valparaiso"] > scores["Bergen"]


@pytest.mark.parametrize(
    ("text", "question", "wanted", "other"),
    [
        (
            "東京の人口は多い。\n\n富士山の高さは三千七百メートル。",
            "富士山の高さは？",
            "三千",
            "人口",
        ),
        ("北京是首都。\n\n长江的长度是六千公里。", "长江有多长？", "六千", "首都"),
    ],
)
def test_scripts_without_spaces_match_by_character_pairs(
    text: str, question: str, wanted: str, other: str
) -> None:
    words = split_words(text)
    scores = LexicalRelevance().scores(text, words, question)

    def score_at(phrase: str) -> float:
        at = text.index(phrase)
        return next(float(s) for w, s in zip(words, scores, strict=True) if w.start <= at < w.end)

    assert score_at(wanted) > score_at(other)


@pytest.mark.parametrize("question", ["", "?", "the of and", "zyx qwv"])
def test_a_question_that_matches_nothing_changes_nothing(question: str) -> None:
    words = split_words(PASSAGES)
    assert not LexicalRelevance().scores(PASSAGES, words, question).any()


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300), st.text(max_size=60))
def test_scores_are_finite_not_negative_and_the_same_every_time(text: str, question: str) -> None:
    words = split_words(text)
    first = LexicalRelevance().scores(text, words, question)
    assert first.shape == (len(words),)
    assert np.isfinite(first).all()
    assert (first >= 0).all()
    assert (LexicalRelevance().scores(text, words, question) == first).all()


def test_bm25_by_hand() -> None:
    documents = [Counter(["cat", "sat"]), Counter(["dog", "sat"])]
    # one of two documents matches: idf = ln(1 + 1.5 / 1.5) = ln 2, and the length norm is 1
    assert bm25(documents, ["cat"]) == pytest.approx([np.log(2) * 2.2 / 2.2, 0])


def test_terms_stem_words_and_pair_characters() -> None:
    assert terms("Ferries ended") == ["ferr", "end"]
    assert terms("富士山") == ["富士", "士山"]
