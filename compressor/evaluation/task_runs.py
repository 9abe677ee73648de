"""Asks a model the paper's tasks with shortened contexts, and scores what it says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from compressor.evaluation import scores
from compressor.evaluation.answers import first_line
from compressor.evaluation.ask import Ask, AskFailed, AskRefused, Prompt, all_at_once
from compressor.evaluation.methods import Method
from compressor.evaluation.tasks import ROUGE, ROUGE_MEAN, Example
from compressor.types import TokenCounter

PROMPT_TOKENS = 8100  # the paper's cap on prompt and answer together


@dataclass(frozen=True, slots=True)
class Answered:
    """One example with one method at one rate.

    `score` is None where the endpoint gave up, `bert` (BERTScore's F1) where it was not asked for.
    """

    example: Example
    method: str
    rate: float
    prompt_tokens: int
    prediction: str
    score: float | None
    detail: str = ""
    bert: float | None = None


@dataclass(frozen=True, slots=True)
class TaskScore:
    """A task's mean score, with how many examples have one and the mean length of the prompts.

    `bert` is the mean BERTScore of a task of summaries, where it was asked for.
    """

    task: str
    method: str
    rate: float
    scored: int
    failed: int
    score: float | None
    prompt_tokens: float
    bert: float | None = None


def is_summary(example: Example) -> bool:
    """Whether what the example asks for is scored as a summary."""
    return example.metric in {ROUGE, ROUGE_MEAN}


def gradable(examples: Sequence[Example]) -> list[Example]:
    """Return the examples without those that have no gold answer to score by."""
    return [example for example in examples if any(gold.strip() for gold in example.answers)]


async def ask_all(
    examples: Sequence[Example],
    methods: Sequence[Method],
    rates: Sequence[float],
    ask: Ask,
    counter: TokenCounter,
    *,
    model: str,
    prompt_tokens: int = PROMPT_TOKENS,
    reasoning_tokens: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> list[Answered]:
    """Ask every example by every method at every rate. Raises AskRefused and MissingExtra.

    Identical contexts (the examples of GSM8K) are shortened once by question-blind methods.
    `reasoning_tokens` is how many more a model may use before it answers.
    """
    if any(map(is_summary, examples)):
        scores.require_rouge()  # before anything is asked
    known: dict[tuple[str, float, str, str | None], str] = {}
    planned: list[tuple[Example, str, float, str]] = []
    for method in methods:
        for rate in rates:
            for example in examples:
                asked = example.question if method.question_aware else None
                key = (method.name, rate, example.context, asked)
                if key not in known:
                    known[key] = method.shorten(example.context, asked, rate).text
                text = prompt(example, known[key], counter, prompt_tokens)
                planned.append((example, method.name, rate, text))

    async def one(example: Example, method: str, rate: float, text: str) -> Answered:
        length = counter.count(text)
        try:
            reply = await ask(Prompt(model, text, example.max_tokens + reasoning_tokens))
            answered = Answered(
                example, method, rate, length, reply.text, score(example, reply.text)
            )
        except AskFailed as error:
            answered = Answered(example, method, rate, length, "", None, str(error))
        advance()
        return answered

    return await all_at_once(one(*plan) for plan in planned)


def prompt(example: Example, context: str, counter: TokenCounter, limit: int) -> str:
    """Return the whole prompt, its context cut where prompt and answer would pass `limit` tokens.

    The context loses its middle, or its end where the task keeps the head.
    """
    around = counter.count(example.before) + counter.count(example.after)
    room = max(limit - example.max_tokens - around, 0)
    starts = counter.starts(context)
    if len(starts) > room:
        if example.keep_head:
            context = context[: starts[room]]
        else:
            head, tail = (room + 1) // 2, room // 2
            ending = context[starts[len(starts) - tail] :] if tail else ""
            context = context[: starts[head]] + ending
    return example.before + context + example.after


def score(example: Example, prediction: str) -> float:
    """Return the best score against the example's answers, 0 to 1. Raises MissingExtra."""
    prediction = _cut(example, prediction)
    if example.metric == ROUGE:
        return scores.rouge(prediction, example.answers)["rougeL"]
    if example.metric == ROUGE_MEAN:
        return scores.rouge_mean(scores.rouge(prediction, example.answers))
    metric = example.metric
    if isinstance(metric, str):
        raise ValueError(f"there is no metric '{metric}'")
    return max((metric(prediction, gold) for gold in example.answers), default=0.0)


def _cut(example: Example, prediction: str) -> str:
    return first_line(prediction) if example.first_line else prediction


def with_bert_scores(answered: Sequence[Answered], scorer: scores.BertScorer) -> list[Answered]:
    """Return the same, summaries that have a reply with their BERTScore."""
    asked = [one for one in answered if one.score is not None and is_summary(one.example)]
    predictions = [_cut(one.example, one.prediction) for one in asked]
    golds = [[gold for gold in one.example.answers if gold.strip()] for one in asked]
    found = iter(scorer(predictions, golds) if asked else [])
    return [
        replace(one, bert=next(found)) if one.score is not None and is_summary(one.example) else one
        for one in answered
    ]


def require_answer(answered: Sequence[Answered]) -> None:
    """Raise AskRefused where not one question got an answer, with the first one's reason."""
    if answered and all(one.score is None for one in answered):
        raise AskRefused(
            f"none of the {len(answered):,} questions got an answer; the first: "
            f"{answered[0].detail}"
        )


def task_scores(answered: Sequence[Answered]) -> list[TaskScore]:
    """Return the mean score of every task, method and rate, in the order asked."""
    groups: dict[tuple[str, str, float], list[Answered]] = {}
    for one in answered:
        groups.setdefault((one.example.task, one.method, one.rate), []).append(one)
    found = []
    for (task, method, rate), own in groups.items():
        scored = [one.score for one in own if one.score is not None]
        length = fmean(one.prompt_tokens for one in own)
        mean = fmean(scored) if scored else None
        failed = len(own) - len(scored)
        bert = [one.bert for one in own if one.bert is not None]
        found.append(
            TaskScore(
                *(task, method, rate, len(scored), failed, mean, length),
                bert=fmean(bert) if bert else None,
            )
        )
    return found
