from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.contexts import (
    CompressedContexts,
    ContextFilter,
    choose_contexts,
    compress_contexts,
)
from compressor.engine import Compressor
from compressor.tokens import Tokenizers
from compressor.types import Settings
from tests.compressor.scripted_classifier import ScriptedClassifier

TOKENIZERS = Tokenizers()
COUNTER = TOKENIZERS.counter("o200k_base")
CONTEXTS = [
    "Members of the public asked for a new library near the old bridge in the centre of the town.",
    "The harbour was closed because a storm had come over the islands during the night.",
    "An open market for vegetables is held in the square when the weather allows it to be held.",
    "Roads to the north are wide and a train goes there now and again in the summer months.",
]
# The second scores best, then the third, the first and the last.
LIKELY = {"harbour": 0.9, "storm": 0.9, "islands": 0.9, "market": 0.9, "library": 0.5}


@pytest.fixture
def compressor() -> Iterator[Compressor]:
    with Compressor(ScriptedClassifier(LIKELY), TOKENIZERS, workers=1) as compressor:
        yield compressor


def filtered(compressor: Compressor, **wanted: object) -> CompressedContexts:
    return compress_contexts(
        compressor,
        CONTEXTS,
        Settings(rate=1),
        context_filter=ContextFilter(**wanted),  # type: ignore[arg-type]
    )


def test_without_a_filter_all_survive_under_one_budget(compressor: Compressor) -> None:
    whole = compress_contexts(compressor, CONTEXTS, Settings(rate=0.4))
    assert whole.survived == (0, 1, 2, 3)
    assert whole.result.tokens_before == COUNTER.count("\n\n".join(CONTEXTS))
    assert whole.result.tokens_after == COUNTER.count(whole.result.text)
    assert whole.result.rate == pytest.approx(0.4, abs=0.02)
    # One budget: the likely words of any context come before the others of all.
    less = compress_contexts(compressor, CONTEXTS, Settings(rate=0.15))
    assert all(word in less.texts[1] for word in ("harbour", "storm", "islands"))
    assert len(less.texts[1]) > len(less.texts[0]) > len(less.texts[3])


def test_the_best_by_mean_over_their_words_survive(compressor: Compressor) -> None:
    two = filtered(compressor, target_contexts=2)
    assert two.survived == (1, 2)
    assert two.texts == ("", CONTEXTS[1], CONTEXTS[2], "")
    assert two.result.text == CONTEXTS[1] + "\n\n" + CONTEXTS[2]
    assert two.result.unchanged is None
    assert two.scores[1] > two.scores[2] > two.scores[0] > two.scores[3]


@pytest.mark.parametrize("budget", [1, 17, 20, 35, 50, 60, 1000])
def test_the_contexts_budget_is_kept_to_in_tokens(compressor: Compressor, budget: int) -> None:
    found = filtered(compressor, target_tokens=budget)
    joined = COUNTER.count("\n\n".join(CONTEXTS[i] for i in found.survived))
    assert joined <= budget or found.survived == (1,)
    missing = [i for i in range(4) if i not in found.survived]
    for index in missing:
        more = sorted([*found.survived, index])
        assert COUNTER.count("\n\n".join(CONTEXTS[i] for i in more)) > budget


def test_a_rate_of_contexts_is_one_of_their_tokens(compressor: Compressor) -> None:
    found = filtered(compressor, rate=0.6)
    assert found.result.tokens_after <= 0.6 * found.result.tokens_before + 0.5
    assert found.survived == (1, 2)


def test_one_text_is_no_list_of_contexts(compressor: Compressor) -> None:
    with pytest.raises(TypeError, match="give a list"):
        compress_contexts(compressor, CONTEXTS[0], Settings(rate=0.5))


def test_a_blank_context_that_is_forced_takes_no_others_place(compressor: Compressor) -> None:
    for wanted in (
        ContextFilter(target_contexts=1, force=frozenset({4})),
        ContextFilter(target_tokens=5, force=frozenset({4})),
    ):
        half = Settings(rate=0.5)
        found = compress_contexts(compressor, [*CONTEXTS, " "], half, context_filter=wanted)
        assert found.survived == (1, 4)
        assert found.result.text


def test_forced_contexts_stay_and_count(compressor: Compressor) -> None:
    found = filtered(compressor, target_contexts=2, force=frozenset({3}))
    assert found.survived == (1, 3)
    everything = filtered(compressor, target_tokens=5, force=frozenset({0, 3}))
    assert everything.survived == (0, 3)


def test_words_are_chosen_in_the_survivors_under_the_budget_of_all(compressor: Compressor) -> None:
    found = compress_contexts(
        compressor,
        CONTEXTS,
        Settings(target_tokens=20),
        context_filter=ContextFilter(target_contexts=2),
    )
    assert found.survived == (1, 2)
    assert found.result.tokens_after <= 20
    assert found.result.tokens_before == COUNTER.count("\n\n".join(CONTEXTS))
    for index in (1, 2):
        kept = "".join(CONTEXTS[index][s.start : s.end] for s in found.kept[index])
        assert kept == found.texts[index] != ""


def test_scores_can_come_from_elsewhere(compressor: Compressor) -> None:
    found = compress_contexts(
        compressor,
        CONTEXTS,
        Settings(rate=1),
        context_filter=ContextFilter(target_contexts=1),
        scores=[0, 0, 0, 7],
    )
    assert found.survived == (3,)
    assert found.scores == (0, 0, 0, 7)


@pytest.mark.parametrize("contexts", [[], [""], ["", " \n"], ["One only, and it is short."]])
def test_empty_and_single_contexts_work(compressor: Compressor, contexts: list[str]) -> None:
    for wanted in (None, ContextFilter(rate=0.5), ContextFilter(target_contexts=1)):
        found = compress_contexts(
            compressor, contexts, Settings(target_tokens=4), context_filter=wanted
        )
        assert len(found.texts) == len(contexts)
        assert found.result.tokens_after <= 4
        assert not any(t for t, c in zip(found.texts, contexts, strict=True) if not c.strip())


def test_an_empty_context_between_others_leaves_no_gap(compressor: Compressor) -> None:
    contexts = [CONTEXTS[0], "", CONTEXTS[1], "  "]
    whole = compress_contexts(compressor, contexts, Settings(rate=1))
    assert whole.survived == (0, 1, 2, 3)
    assert whole.result.text == CONTEXTS[0] + "\n\n" + CONTEXTS[1]
    best = compress_contexts(
        compressor,
        contexts,
        Settings(rate=1),
        context_filter=ContextFilter(target_contexts=2, force=frozenset({1})),
    )
    assert best.survived == (1, 2)


def test_a_fence_left_open_ends_with_its_context(compressor: Compressor) -> None:
    contexts = ["Look:\n```\nx = 1", CONTEXTS[0]]
    found = compress_contexts(compressor, contexts, Settings(rate=0.6))
    assert "x = 1" in found.texts[0]
    assert len(found.texts[1]) < len(CONTEXTS[0])


def test_contexts_are_classified_each_by_itself_and_once() -> None:
    classifier = ScriptedClassifier(LIKELY)
    with Compressor(classifier, TOKENIZERS, workers=1) as compressor:
        compress_contexts(
            compressor, CONTEXTS, Settings(rate=0.5), context_filter=ContextFilter(rate=0.5)
        )
    assert classifier.encoded == CONTEXTS


def test_what_cannot_be_is_refused(compressor: Compressor) -> None:
    half = Settings(rate=0.5)
    with pytest.raises(ValueError, match="no context 4"):
        compress_contexts(
            compressor, CONTEXTS, half, context_filter=ContextFilter(force=frozenset({4}))
        )
    with pytest.raises(ValueError, match="3 scores for 4"):
        compress_contexts(compressor, CONTEXTS, half, scores=[1, 2, 3])
    for wrong in ({"rate": 0}, {"rate": 1.2}, {"target_tokens": 0}, {"target_contexts": 0}):
        with pytest.raises(ValueError, match=r"at (least|most) 1"):
            ContextFilter(**wrong)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), min_size=1, max_size=12),
    st.integers(0, 200) | st.none(),
    st.integers(1, 6) | st.none(),
    st.sets(st.integers(0, 11), max_size=3),
)
def test_choices_keep_their_budget(
    contexts: list[tuple[float, int]], budget: int | None, most: int | None, force: set[int]
) -> None:
    scores, tokens = zip(*contexts, strict=True)
    force = {i for i in force if i < len(tokens)}
    chosen = choose_contexts(scores, tokens, budget=budget, most=most, force=force)
    assert list(chosen) == sorted(set(chosen))
    assert force <= set(chosen)
    if len(chosen) > max(1, len(force)):
        assert budget is None or sum(tokens[i] for i in chosen) <= budget
        assert most is None or len(chosen) <= most
    assert chosen
    # What was left out for something worse did not fit.
    worst = min((scores[i] for i in chosen if i not in force), default=2)
    for index in set(range(len(tokens))) - set(chosen):
        assert scores[index] <= worst or budget is not None


def test_with_a_question_contexts_and_words_are_chosen_by_relevance(
    compressor: Compressor,
) -> None:
    asked = Settings(rate=0.5, question="Which trains go to the north in summer?")
    one = ContextFilter(target_contexts=1)
    found = compress_contexts(compressor, CONTEXTS, asked, context_filter=one)
    assert found.survived == (3,)  # the last by its words alone
    assert found.scores[3] == max(found.scores)
    whole = compress_contexts(compressor, CONTEXTS, asked)
    assert whole.result.rate == pytest.approx(0.5, abs=0.02)
    assert whole.texts[3] == CONTEXTS[3]
    unasked = compress_contexts(compressor, CONTEXTS, Settings(rate=0.5))
    assert unasked.texts[3] != CONTEXTS[3]
    assert unasked.scores == compress_contexts(compressor, CONTEXTS, Settings(rate=0.3)).scores


@pytest.mark.parametrize("contexts", [[], [""], ["", " "]])
def test_a_question_to_nothing(compressor: Compressor, contexts: list[str]) -> None:
    found = compress_contexts(compressor, contexts, Settings(rate=0.5, question="Who?"))
    assert found.result.text == ""


PIECES = st.sampled_from([*CONTEXTS, "", " ", "```\nopen", "日本語の文です。", '{"a": [1]}', "x"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(PIECES, max_size=6),
    st.integers(1, 80),
    st.floats(0.1, 1),
    st.sampled_from([None, "Which trains go north?", "文は？"]),
)
def test_the_cap_holds_over_all_contexts(
    contexts: list[str], cap: int, rate: float, question: str | None
) -> None:
    with Compressor(ScriptedClassifier(LIKELY), TOKENIZERS, workers=1) as compressor:
        found = compress_contexts(
            compressor,
            contexts,
            Settings(target_tokens=cap, question=question),
            context_filter=ContextFilter(rate=rate),
        )
    assert found.result.budget_unmet or found.result.tokens_after <= cap
    assert found.result.tokens_after == COUNTER.count(found.result.text)
    for text, kept, context in zip(found.texts, found.kept, contexts, strict=True):
        assert "".join(context[s.start : s.end] for s in kept) == text
