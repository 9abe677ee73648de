import pytest

from compressor.evaluation.ask import AskFailed, AskRefused, Prompt, Reply
from compressor.evaluation.datasets import Document, QASet, Question
from compressor.evaluation.judge import (
    Case,
    Judged,
    Verdict,
    gradable,
    grades,
    judge,
    require_grade,
    ungraded,
)

QUESTION = Question("q", "Who signed?", ("Okafor", "Miriam Okafor"))


def case(doc: str, text: str, method: str = "tersely") -> Case:
    return Case("set", method, 0.5, Document(doc, "source", (QUESTION,)), QUESTION, text)


async def model(prompt: Prompt) -> Reply:
    """Answer with the text's last word; grade by comparing with the right answers."""
    if prompt.model == "judge":
        given = prompt.text.split("Given answer: ")[1].split("\n")[0]
        right = prompt.text.split("Right answers: ")[1].split("\n")[0].split(" | ")
        return Reply("Perhaps" if given == "odd" else "Yes." if given in right else "no")
    text = prompt.text.split("Text:\n")[1].split("\n")[0]
    assert "Question: Who signed?" in prompt.text
    if text.endswith("silence"):
        return Reply("  ")
    if text.endswith("broken"):
        raise AskFailed("the endpoint answered 500", retry=True)
    if text.endswith("locked"):
        raise AskRefused("the endpoint answered 401")
    return Reply(text.split()[-1])


def test_questions_without_a_gold_answer_are_left_out() -> None:
    none, blank = Question("n", "Who came?", ()), Question("b", "Who left?", ("", " "))
    mixed = Document("a", "text", (none, QUESTION, blank))
    left = gradable(QASet("set", (mixed, Document("b", "other", (none,)))))
    assert left == QASet("set", (Document("a", "text", (QUESTION,)), Document("b", "other", ())))


async def test_every_verdict() -> None:
    cases = [
        case("a", "signed by Okafor"),
        case("b", "signed by Lindqvist"),
        case("c", "odd"),
        case("d", "silence"),
        case("e", "broken"),
    ]
    steps: list[None] = []
    found = await judge(
        cases, model, model="answers", judge_model="judge", advance=lambda: steps.append(None)
    )
    assert [one.case for one in found] == cases
    assert [one.verdict for one in found] == [
        Verdict.RIGHT,
        Verdict.WRONG,
        Verdict.UNREADABLE,
        Verdict.WRONG,
        Verdict.FAILED,
    ]
    assert found[0].answer == "Okafor"
    assert found[2].detail == "Perhaps"
    assert "500" in found[4].detail
    assert len(steps) == 5


async def test_a_refusal_ends_the_run() -> None:
    cases = [case("a", "signed by Okafor"), case("b", "locked"), case("c", "locked")]
    with pytest.raises(AskRefused, match="401"):
        await judge(cases, model, model="answers", judge_model="judge")


async def test_accuracy_is_of_the_graded_cases() -> None:
    cases = [
        case("a", "Okafor"),
        case("b", "nobody"),
        case("c", "odd"),
        case("a", "broken", "random"),
    ]
    found = grades(await judge(cases, model, model="answers", judge_model="judge"))
    [one] = found  # nothing of `random` was graded
    assert (one.set, one.method, one.rate) == ("set", "tersely", 0.5)
    assert (one.graded, one.ungraded) == (2, 1)
    assert one.accuracy.value == 0.5


def test_a_run_without_any_grade_is_refused() -> None:
    silent = Judged(case("a", ""), "x", Verdict.UNREADABLE)
    failed = Judged(case("b", ""), "", Verdict.FAILED, "the endpoint answered 400")
    wrong = Judged(case("c", ""), "x", Verdict.WRONG)
    assert ungraded([silent, wrong, failed]) == [silent, failed]
    require_grade([silent, wrong])
    with pytest.raises(AskRefused, match="none of the 2 cases has a grade; the first: failed: the"):
        require_grade([failed, silent])
    with pytest.raises(AskRefused, match="the first: unreadable: an empty answer"):
        require_grade([silent])
