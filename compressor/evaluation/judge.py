"""LLM-judged question answering: a model answers from the shortened text, a model grades it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from compressor.evaluation.ask import Ask, AskFailed, AskRefused, Prompt, all_at_once
from compressor.evaluation.bootstrap import Interval, counted, shares
from compressor.evaluation.datasets import Document, QASet, Question

_ANSWER = """\
Answer the question from the text below, which may be shortened. Give only the answer, in as few \
words as possible. If the text does not hold the answer, say: unknown

Text:
{text}

Question: {question}
Answer:"""
_GRADE = """\
You grade answers. Say whether the given answer means the same as one of the right answers. More \
detail is fine as long as nothing contradicts; a missing or different fact is wrong.

Question: {question}
Right answers: {answers}
Given answer: {given}

Is the given answer right? Reply with one word, yes or no."""
_VERDICT = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)
_ANSWER_TOKENS = 100  # as in the paper's evaluation
_GRADE_TOKENS = 5


class Verdict(StrEnum):
    """What became of one question."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"  # the judge said neither yes nor no
    FAILED = "failed"  # the endpoint gave no reply


@dataclass(frozen=True, slots=True)
class Case:
    """One question on one shortened text."""

    set: str
    method: str
    rate: float
    document: Document
    question: Question
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with the model's answer and the judge's verdict; `detail` says why one failed."""

    case: Case
    answer: str
    verdict: Verdict
    detail: str = ""

    @property
    def reason(self) -> str:
        """The verdict, with what the endpoint or the judge said instead of a grade."""
        return f"{self.verdict}: {self.detail or 'an empty answer'}"


def gradable(qa_set: QASet) -> QASet:
    """Return the set without the questions that have no gold answer to grade by."""
    documents = (
        replace(document, questions=tuple(q for q in document.questions if _has_answer(q)))
        for document in qa_set.documents
    )
    return QASet(qa_set.name, tuple(documents))


def _has_answer(question: Question) -> bool:
    return any(answer.strip() for answer in question.answers)


async def judge(
    cases: Sequence[Case],
    ask: Ask,
    *,
    model: str,
    judge_model: str,
    reasoning_tokens: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> list[Judged]:
    """Answer and grade every case, in the order given.

    `reasoning_tokens` is how many more a model may use before it answers. A case whose endpoint
    gives up is `failed` and the others go on; AskRefused (a wrong key, an
    unknown model) ends the run, since every other case would meet the same.
    """

    async def one(case: Case) -> Judged:
        try:
            judged = await _judged(case, ask, model, judge_model, reasoning_tokens)
        except AskFailed as error:
            judged = Judged(case, "", Verdict.FAILED, str(error))
        advance()
        return judged

    return await all_at_once(one(case) for case in cases)


async def _judged(
    case: Case, ask: Ask, model: str, judge_model: str, reasoning_tokens: int
) -> Judged:
    prompt = _ANSWER.format(text=case.text, question=case.question.text)
    given = (await ask(Prompt(model, prompt, _ANSWER_TOKENS + reasoning_tokens))).text.strip()
    if not given:
        return Judged(case, given, Verdict.WRONG)
    grade = _GRADE.format(
        question=case.question.text, answers=" | ".join(case.question.answers), given=given
    )
    said = (await ask(Prompt(judge_model, grade, _GRADE_TOKENS + reasoning_tokens))).text
    found = _VERDICT.match(said)
    if found is None:
        return Judged(case, given, Verdict.UNREADABLE, said)
    right = found[1].lower() == "yes"
    return Judged(case, given, Verdict.RIGHT if right else Verdict.WRONG)


@dataclass(frozen=True, slots=True)
class Grade:
    """One method on one set at one rate: the share of right answers among the graded ones."""

    set: str
    method: str
    rate: float
    graded: int
    ungraded: int
    accuracy: Interval


def grades(judged: Sequence[Judged]) -> list[Grade]:
    """Return accuracies with paired bootstrap intervals over documents; ungraded cases are apart.

    Cells without a graded case are left out.
    """
    groups: dict[tuple[str, float], dict[str, list[Judged]]] = {}
    for one in judged:
        methods = groups.setdefault((one.case.set, one.case.rate), {})
        methods.setdefault(one.case.method, []).append(one)
    found: list[Grade] = []
    for (name, rate), methods in groups.items():
        for method, own in methods.items():
            by_document: dict[str, list[bool | None]] = {}
            for one in own:
                by_document.setdefault(one.case.document.id, []).append(_graded(one))
            count = counted(list(by_document.values()))
            total = int(count.counted.sum())
            if total:
                accuracy = shares({method: count})[0][method]
                found.append(Grade(name, method, rate, total, len(own) - total, accuracy))
    return found


def ungraded(judged: Sequence[Judged]) -> list[Judged]:
    """Return the cases that the endpoint or the judge left without a grade."""
    return [one for one in judged if _graded(one) is None]


def require_grade(judged: Sequence[Judged]) -> None:
    """Raise AskRefused where not one case has a grade, with the first one's reason."""
    failed = ungraded(judged)
    if judged and len(failed) == len(judged):
        raise AskRefused(
            f"none of the {len(judged):,} cases has a grade; the first: {failed[0].reason}"
        )


def _graded(judged: Judged) -> bool | None:
    known = {Verdict.RIGHT: True, Verdict.WRONG: False}
    return known.get(judged.verdict)
