from collections.abc import Sequence
from dataclasses import replace

import pytest

from compressor.evaluation import answers, scores
from compressor.evaluation.ask import AskFailed, AskRefused, Prompt, Reply
from compressor.evaluation.extra import MissingExtra
from compressor.evaluation.methods import Original, Shortened
from compressor.evaluation.task_runs import (
    Answered,
    ask_all,
    gradable,
    prompt,
    require_answer,
    score,
    task_scores,
    with_bert_scores,
)
from compressor.evaluation.tasks import ROUGE, ROUGE_MEAN, Example
from compressor.types import Span
from tests.fakes import FakeCounter

COUNTER = FakeCounter()


def example(name: str = "e", **more: object) -> Example:
    fields: dict[str, object] = {
        "task": "task",
        "id": name,
        "before": "Read. ",
        "context": "one two three four five six seven eight",
        "after": f" Question {name} ?",
        "question": "which?",
        "answers": ("three", "nine"),
        "metric": answers.exact_match,
        "max_tokens": 2,
        **more,
    }
    return Example(**fields)  # type: ignore[arg-type]


class Half:
    name = "half"
    revision = "1"
    question_aware = False

    def __init__(self) -> None:
        self.calls = 0

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        self.calls += 1
        end = len(text) // 2
        return Shortened(text[:end], (Span(0, end),))


def test_a_prompt_that_is_too_long_loses_the_middle_of_its_context() -> None:
    # 1 + 8 + 3 words and 2 for the answer; 10 leave room for 4 of the context.
    assert prompt(example(), example().context, COUNTER, 14) == (
        "Read. one two three four five six seven eight Question e ?"
    )
    assert prompt(example(), example().context, COUNTER, 10) == (
        "Read. one two seven eight Question e ?"
    )
    assert prompt(example(keep_head=True), example().context, COUNTER, 10) == (
        "Read. one two three four Question e ?"
    )
    assert prompt(example(), example().context, COUNTER, 3) == "Read.  Question e ?"


def test_the_best_of_the_answers_counts() -> None:
    assert score(example(), "nine") == 1
    assert score(example(), "nine\nten") == 0
    assert score(example(first_line=True), "nine\nten") == 1
    assert score(example(answers=()), "nine") == 0
    with pytest.raises(ValueError, match="no metric 'classes'"):
        score(example(metric="classes"), "nine")


async def test_contexts_are_shortened_and_answers_scored() -> None:
    seen: list[Prompt] = []

    async def ask(asked: Prompt) -> Reply:
        seen.append(asked)
        if "Question c" in asked.text:
            raise AskFailed("the endpoint answered 400", retry=False)
        return Reply("three" if "three" in asked.text else "unknown")

    half = Half()
    examples = [example("a"), example("b", context="none of it here"), example("c")]
    answered = await ask_all(examples, [Original(), half], [0.5], ask, COUNTER, model="m")
    assert half.calls == 2  # the context that two examples share is shortened once
    assert [(one.method, one.score) for one in answered] == [
        ("original", 1),
        ("original", 0),
        ("original", None),
        ("half", 1),
        ("half", 0),
        ("half", None),
    ]
    assert "400" in answered[2].detail
    assert {p.max_tokens for p in seen} == {2}
    whole, shorter = task_scores(answered)
    assert (whole.task, whole.method, whole.scored, whole.failed, whole.score) == (
        "task",
        "original",
        2,
        1,
        0.5,
    )
    assert shorter.prompt_tokens < whole.prompt_tokens


def test_summaries_that_have_a_reply_get_a_bert_score() -> None:
    seen: list[tuple[str, list[str]]] = []

    def scorer(predictions: Sequence[str], golds: Sequence[Sequence[str]]) -> list[float]:
        seen.extend((p, list(g)) for p, g in zip(predictions, golds, strict=True))
        return [0.1 * (i + 1) for i in range(len(predictions))]

    def answered(metric: object, score: float | None, **more: object) -> Answered:
        return Answered(example(metric=metric, **more), "half", 0.5, 9, "so it\nis", score)

    given = [
        answered(ROUGE, 0.5, first_line=True),
        answered(answers.exact_match, 1.0, task="other"),
        answered(ROUGE, None),
        answered(ROUGE_MEAN, 0.2, answers=("that", " ")),
    ]
    found = with_bert_scores(given, scorer)
    assert [one.bert for one in found] == [0.1, None, None, 0.2]
    assert seen == [("so it", ["three", "nine"]), ("so it\nis", ["that"])]
    assert [s.bert for s in task_scores(found)] == [pytest.approx(0.15), None]
    assert with_bert_scores(given[1:3], scorer) == given[1:3]


async def test_all_failed_is_no_score_and_a_refusal_ends_the_run() -> None:
    async def failing(asked: Prompt) -> Reply:
        raise AskFailed("busy", retry=True)

    answered = await ask_all([example()], [Original()], [1.0], failing, COUNTER, model="m")
    [nothing] = task_scores(answered)
    assert nothing.score is None
    with pytest.raises(AskRefused, match="none of the 1 questions got an answer; the first: busy"):
        require_answer(answered)
    require_answer([*answered, replace(answered[0], score=0.0)])

    async def refusing(asked: Prompt) -> Reply:
        raise AskRefused("a wrong key")

    with pytest.raises(AskRefused, match="a wrong key"):
        await ask_all([example()], [Original()], [1.0], refusing, COUNTER, model="m")


def test_an_example_without_a_gold_answer_cannot_be_scored() -> None:
    golds: list[tuple[str, ...]] = [("three",), (), ("",), (" ", "nine")]
    examples = [example(str(i), answers=gold) for i, gold in enumerate(golds)]
    assert gradable(examples) == [examples[0], examples[3]]


async def test_a_score_whose_library_is_missing_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(module: str, purpose: str, extra: str = "eval") -> None:
        raise MissingExtra(f"{purpose} needs {module}")

    async def ask(asked: Prompt) -> Reply:
        raise AssertionError("asked")

    monkeypatch.setattr(scores, "load", missing)
    examples = [example("a"), example("b", metric=ROUGE)]
    with pytest.raises(MissingExtra, match="ROUGE"):
        await ask_all(examples, [Original()], [0.5], ask, COUNTER, model="small")
