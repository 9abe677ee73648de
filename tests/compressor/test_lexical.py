from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.lexical import LexicalRelevance, bm25
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
    assert bm25(documents, {"cat": 1.0}) == pytest.approx([np.log(2) * 2.2 / 2.2, 0])


def test_the_questions_own_sentence_in_the_text_is_no_match() -> None:
    question = "How often do ferries leave in winter?"
    alone = scores_by_word(PASSAGES, question)
    words = split_words(f"{PASSAGES}\n\n{question}")
    scores = LexicalRelevance().scores(f"{PASSAGES}\n\n{question}", words, question)
    text = f"{PASSAGES}\n\n{question}"
    by_word = [(text[w.start : w.end], float(s)) for w, s in zip(words, scores, strict=True)]
    assert dict(by_word[:-8])["winter"] >= 0.9 * alone["winter"]  # a sentence more, of ten
    assert {score for word, score in by_word[-8:] if word != "?"} == {0.0}


def test_a_title_that_is_the_question_is_no_sentence_of_its_own() -> None:
    text = "Harbour master\nShe is called Ingrid Solheim.\n\nBakery\nIt opens at six."
    scores = scores_by_word(text, "harbour master")
    assert scores["Solheim"] > scores["Bakery"] == 0


PROMPT = (
    "You are a helpful assistant. Answer the question using only the documents below. If the log "
    "does not say, say that you do not know.\nQuestion: {}"
)


@pytest.mark.parametrize("question", ["Who is the harbour master?", "When does the bakery open?"])
def test_instructions_beside_a_question_hardly_count(question: str) -> None:
    bare, dressed = (
        scores_by_word(PASSAGES, asked) for asked in (question, PROMPT.format(question))
    )
    best = max(bare, key=lambda word: bare[word])
    assert dressed[best] == max(dressed.values())
    assert dressed["log"] < dressed[best]


def test_an_instruction_alone_is_what_is_asked() -> None:
    scores = scores_by_word(PASSAGES, "Summarize what the text says about ferries.")
    assert scores["Ferries"] == max(scores.values()) > 0


def test_a_question_without_a_term_of_the_text_leaves_it_to_the_instruction() -> None:
    scores = scores_by_word(PASSAGES, "Look at the ferries. Anything odd?")
    assert scores["Ferries"] > scores["bakery"]


def test_words_about_the_prompt_alone_ask_for_nothing() -> None:
    text = PASSAGES + "\n\nThe document has two sentences."
    words = split_words(text)
    assert not LexicalRelevance().scores(text, words, "Summarize the document briefly.").any()


def test_one_passage_alone_is_no_better_than_none() -> None:
    text = "The wall is old. Ferries leave every hour. The bakery opens at six."
    scores = LexicalRelevance(neighbour=0).scores(text, split_words(text), "When do ferries leave?")
    assert scores.min() == 0 < scores.max()


def test_other_weights_are_another_revision() -> None:
    assert LexicalRelevance().revision == LexicalRelevance().revision
    assert LexicalRelevance(neighbour=0.5).revision != LexicalRelevance().revision
