"""Negations labelled by hand in six languages: none is lost where a word that it negates stays."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.engine import Compressor
from compressor.extract import extract
from compressor.protect.negation import negation_spans
from compressor.tokens import Tokenizers
from compressor.types import CompressionResult, Settings
from compressor.words import split_words

LABELLED = Path(__file__).parent / "labelled" / "negations.jsonl"
RATES = (0.75, 0.5, 0.33, 0.2)
AROUND = {
    "en": (
        "The weather station on the ridge sends a reading every ten minutes. ",
        " Later that week the results were posted on the door of the office.",
    ),
    "de": (
        "Die Wetterstation auf dem Grat sendet alle zehn Minuten einen Messwert. ",
        " Später hingen die Ergebnisse an der Tür des Büros.",
    ),
    "fr": (
        "La station météo de la crête envoie une mesure toutes les dix minutes. ",
        " Plus tard, les résultats ont été affichés sur la porte du bureau.",
    ),
    "es": (
        "La estación meteorológica envía una lectura cada diez minutos. ",
        " Más tarde se colgaron los resultados en la puerta de la oficina.",
    ),
    "ja": (
        "尾根の観測所は十分ごとに測定値を送っている。",
        "その後、結果は事務所の扉に貼り出された。",
    ),
    "zh": ("山脊上的气象站每十分钟发送一次数据。", "后来，结果贴在了办公室的门上。"),
}
COUNTER = Tokenizers().counter("o200k_base")


@dataclass(frozen=True)
class Negated:
    """Character ranges of one negation and of the words that it negates."""

    negation: tuple[tuple[int, int], ...]
    negates: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Sentence:
    id: str
    lang: str
    text: str
    negated: tuple[Negated, ...]


@cache
def sentences() -> tuple[Sentence, ...]:
    lines = [json.loads(line) for line in LABELLED.read_text("utf-8").splitlines()]
    return tuple(
        Sentence(
            line["id"],
            line["lang"],
            line["text"],
            tuple(
                Negated(
                    tuple((a, b) for a, b in n["negation"]),
                    tuple((a, b) for a, b in n["negates"]),
                )
                for n in line["negations"]
            ),
        )
        for line in lines
    )


def lost(sentence: Sentence, result: CompressionResult, at: int = 0) -> tuple[int, list[str]]:
    """Return how many negations have a negated word kept, and which of them are not whole.

    `at` is where the sentence starts in the compressed text.
    """
    kept = {i for span in result.kept for i in range(span.start - at, span.end - at)}
    called_for, missing = 0, []
    for negated in sentence.negated:
        if any(i in kept for a, b in negated.negates for i in range(a, b)):
            called_for += 1
            if not all(i in kept for a, b in negated.negation for i in range(a, b)):
                missing.append(f"{sentence.id}: {sentence.text} -> {result.text}")
    return called_for, missing


def scored(text: str, rate: float, seed: int) -> CompressionResult:
    """Compress with random keep probabilities, which no classifier is as careless as."""
    words = split_words(text)
    probabilities = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, probabilities, Settings(rate=rate), COUNTER)


def test_the_set_has_200_sentences_in_six_languages() -> None:
    languages = [s.lang for s in sentences()]
    assert len(languages) >= 200
    assert all(languages.count(lang) >= 30 for lang in AROUND)


@pytest.mark.parametrize("lang", sorted(AROUND))
@pytest.mark.parametrize("embedded", [False, True])
def test_no_negation_is_lost_at_any_rate(lang: str, embedded: bool) -> None:
    before, after = AROUND[lang] if embedded else ("", "")
    tested, missing = 0, []
    for sentence in (s for s in sentences() if s.lang == lang):
        for rate in RATES:
            for seed in range(3):
                result = scored(before + sentence.text + after, rate, seed)
                called_for, gone = lost(sentence, result, len(before))
                tested += called_for
                missing += gone
    assert tested > 30
    assert not missing


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(sentences()), min_size=2, max_size=8),
    st.sampled_from(["\n", "\n\n", " "]),
    st.floats(0.1, 0.9),
    st.integers(0, 999),
)
def test_none_is_lost_among_others(
    chosen: list[Sentence], between: str, rate: float, seed: int
) -> None:
    result = scored(between.join(s.text for s in chosen), rate, seed)
    at = 0
    for sentence in chosen:
        assert lost(sentence, result, at)[1] == []
        at += len(sentence.text) + len(between)


def test_a_question_goes_with_its_negative_answer_where_that_does_not_fit() -> None:
    by_id = {sentence.id: sentence for sentence in sentences()}
    chosen = [by_id[name] for name in ("es-008", "de-002", "en-035", "en-002")]
    result = scored("\n\n".join(s.text for s in chosen), 0.25, 0)
    assert lost(chosen[2], result, sum(len(s.text) + 2 for s in chosen[:2]))[1] == []


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rate", [0.3, 0.45, 0.6])
def test_a_turn_keeps_its_speaker_where_a_negation_of_it_does_not_fit(
    rate: float, seed: int
) -> None:
    text = (
        "Anna: The flight is covered by the plan that we have.\n\n"
        "Boris: Not yet. It leaves on Monday and comes back on Friday.\n\n"
        "Anna: Not now. The hotel is near the old harbour.\n\n"
        "Boris: Never. The fare is low this month."
    )
    turns = scored(text, rate, seed).text.split("\n\n")
    assert all(turn.startswith(("Anna:", "Boris:")) for turn in turns)


@pytest.mark.parametrize("lang", sorted(AROUND))
def test_none_is_lost_with_the_bundled_classifier(lang: str) -> None:
    chosen = [s for s in sentences() if s.lang == lang]
    text = "\n".join(s.text for s in chosen)
    with Compressor(workers=1) as compressor:
        results = [compressor.compress(text, rate=rate) for rate in RATES]
    for result in results:
        at = 0
        for sentence in chosen:
            assert lost(sentence, result, at)[1] == []
            at += len(sentence.text) + 1


@pytest.mark.parametrize(
    "text",
    [
        "See no. 5 and No. 12 on page 3.",
        "A notable knot of notes on nonfiction.",
        "Knots, nothingness, Norway and canoes.",
        "The non-profit sells non-fiction.",
        "Vive en la calle Mayor, n.º 5, piso no. 3.",
        "El nº 7 de la revista.",
        "A sans serif face and a pas de deux.",
        "A NE wind of 12 knots.",
        "Der Notar notiert die Noten.",
        "Une personne est venue en plus.",
        "不断增长，不同的意见，未来，特别的性别。",
        "少ない水でも危ないことがある。",
        "非常に広い。",
    ],
)
def test_what_only_looks_like_a_negation(text: str) -> None:
    assert [text[s.start : s.end] for s in negation_spans(text)] == []


def test_no_negation_is_kept_for_its_own_sake() -> None:
    text = " ".join(s.text for s in sentences() if s.lang == "en")
    assert all(span.conditional for span in negation_spans(text))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("It is not only cheap but fast.", "not only cheap"),
        ("The committee, which had not met since May, approved it.", "not met"),
        ("The API is no longer supported.", "no longer supported"),
        ("Le contrat ne contient aucune clause.", "ne contient aucune clause"),
        ("Der Zug fährt nicht mehr.", "nicht mehr"),
    ],
)
def test_the_word_that_a_negation_bears_on_stays_with_it(text: str, span: str) -> None:
    assert span in [text[s.start : s.end] for s in negation_spans(text)]


def test_a_clause_of_two_words_negates_the_one_before() -> None:
    text = "There is a wall clock, which is reset, and a monotonic clock, which is not."
    words = split_words(text)
    scores = np.linspace(0.3, 0.1, len(words), dtype=np.float32)
    scores[[text[w.start : w.end] in ("monotonic", "clock") for w in words]] = 0.9
    kept = extract(text, words, scores, Settings(target_tokens=7), COUNTER)
    assert kept.text.rstrip(".").endswith("monotonic clock not")
