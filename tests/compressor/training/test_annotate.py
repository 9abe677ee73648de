from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.training.annotate import annotate, content_key, degrees
from compressor.training.passage import SourcePassage
from compressor.words import is_mark, split_words
from tests.compressor.training.shortened_passages import BUDGET, PARAPHRASED


def passage(text: str, **shortened: str) -> SourcePassage:
    return SourcePassage("1", "s", "d", "en", "CC0", text, shortened)


def labels(annotated: dict[str, Any]) -> dict[str, Any]:
    text = annotated["text"]
    return {text[start:end]: label for start, end, label in annotated["words"]}


def budget() -> dict[str, Any]:
    return annotate(passage(BUDGET["text"], light=BUDGET["light"], heavy=BUDGET["heavy"])).as_dict()


def test_two_grades_give_three_degrees() -> None:
    found = labels(budget())
    for word in ("council", "not", "approve", "budget", "1,250", "dollars"):
        assert found[word] == 1
    for word in ("did", "of", "nobody", "had", "read", "it"):
        assert found[word] == 0.5
    for word in ("The", "because"):
        assert found[word] == 0
    assert found[","] is None
    assert found["."] is None


def test_the_line_has_no_shortened_text_and_says_where_it_is_from() -> None:
    line = budget()
    assert set(line) == {"id", "source", "doc", "lang", "licence", "text", "words", "metrics"}
    assert (line["id"], line["source"], line["licence"]) == ("1", "s", "CC0")


def test_one_grade_gives_kept_or_not() -> None:
    line = annotate(passage("a big red car", shortened="red car")).as_dict()
    assert labels(line) == {"a": 0, "big": 0, "red": 1, "car": 1}
    assert set(line["metrics"]) == {"shortened", "heavy_outside_light"}


def test_a_word_kept_only_by_the_heavy_grade_counts_as_kept_by_both() -> None:
    line = annotate(passage("a big red car", light="big car", heavy="red car")).as_dict()
    assert labels(line) == {"a": 0, "big": 0.5, "red": 1, "car": 1}
    assert line["metrics"]["heavy_outside_light"] == 0.5


def test_metrics_of_a_good_compression() -> None:
    metrics = budget()["metrics"]
    light, heavy = metrics["light"], metrics["heavy"]
    assert (
        light["rate"] == light["hitting"] == light["matching"] == pytest.approx(12 / 15, abs=1e-3)
    )
    assert heavy["rate"] == pytest.approx(6 / 15, abs=1e-3)
    for grade in (light, heavy):
        assert grade["match"] == 1
        assert grade["variation"] == grade["gap"] == 0
        assert grade["negations"] == 1
        assert grade["numbers"] == 1


def test_metrics_of_a_paraphrase_and_of_lost_negations() -> None:
    told = passage(PARAPHRASED["text"], light=PARAPHRASED["light"], heavy=PARAPHRASED["heavy"])
    light = annotate(told).metrics["light"]
    assert light.variation > 0.4
    assert light.match < 0.6
    assert light.numbers is None
    lost = annotate(passage(BUDGET["text"], shortened="The council did approve the budget"))
    assert lost.metrics["shortened"].negations == 0


def test_moved_words_are_found_and_not_aligned() -> None:
    moved = annotate(passage("one two three four five six", shortened="four five six one two"))
    found = moved.metrics["shortened"]
    assert found.variation == 0
    assert found.hitting == pytest.approx(5 / 6)
    assert found.matching == pytest.approx(3 / 6)
    assert found.gap == pytest.approx(2 / 6)


def test_a_number_is_lost_where_its_clause_is_kept() -> None:
    text = "We paid 1,250 dollars for it"
    assert (
        annotate(passage(text, shortened="We paid dollars for it")).metrics["shortened"].numbers
        == 0
    )


def test_the_key_follows_what_the_line_depends_on() -> None:
    one = passage("a b c", shortened="a")
    assert content_key(one, 60) == content_key(passage("a b c", shortened="a"), 60)
    assert content_key(one, 60) != content_key(one, 61)
    assert content_key(one, 60) != content_key(passage("a b c", shortened="b"), 60)


def test_degrees_are_counted_by_label() -> None:
    assert degrees([budget()]) == {"1": 6, "0.5": 6, "0": 3, "masked": 2}


@given(
    st.text(max_size=80),
    st.text(max_size=40),
    st.text(alphabet="ab c,.\n", max_size=40),
)
def test_every_word_has_a_label_whatever_the_texts_are(text: str, light: str, heavy: str) -> None:
    line = annotate(passage(text, light=light, heavy=heavy)).as_dict()
    words = split_words(text)
    assert [(start, end) for start, end, _ in line["words"]] == [(w.start, w.end) for w in words]
    for word, (_, _, label) in zip(words, line["words"], strict=True):
        assert label is None if is_mark(text, word) else label in (0, 0.5, 1)
