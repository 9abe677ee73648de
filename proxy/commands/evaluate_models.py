"""The parts of `tersely eval` that ask a language model: `judge` and `tasks`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.evaluate import (
    Classifier,
    Data,
    Encoding,
    Limit,
    Out,
    Sets,
    of_set,
    once,
    progress,
    read_sets,
    refusals,
    write,
)
from proxy.commands.model_endpoint import (
    TIMEOUT_SECONDS,
    TRIES,
    ApiKeyEnv,
    BaseUrl,
    Concurrency,
    PriceIn,
    PriceOut,
    Reasoning,
    Timeout,
    Tries,
    endpoint_at,
)

if TYPE_CHECKING:
    from compressor.evaluation.datasets import QASet
    from compressor.evaluation.judge import Case, Grade, Judged
    from compressor.evaluation.methods import Method
    from compressor.evaluation.registry import Bench
    from compressor.evaluation.scores import BertScorer
    from compressor.evaluation.task_runs import Answered, TaskScore
    from compressor.evaluation.tasks import Example
    from compressor.types import TokenCounter
    from proxy.commands.model_endpoint import ModelEndpoint

Model = Annotated[str, typer.Option(help="The model that answers.")]
JudgeModel = Annotated[
    str | None, typer.Option(help="The model that grades; the one that answers by default.")
]
QuestionsEach = Annotated[
    int,
    typer.Option(
        min=1, help="Questions asked about each document, the first that have a gold answer."
    ),
]
AskedMethods = Annotated[
    list[str] | None,
    typer.Option("--method", help="Take this method instead of those above; may be repeated."),
]
AskedRates = Annotated[
    list[float] | None,
    typer.Option(
        "--rate",
        min=0.01,
        max=1,
        help="Tokens kept / tokens before; may be repeated. Without any: 0.5 and 0.33.",
    ),
]
Task = Annotated[
    str,
    typer.Argument(
        help="meetingbank-qa, meetingbank-summary, longbench, zeroscrolls, gsm8k or bbh."
    ),
]
TaskFiles = Annotated[Path, typer.Argument(help="Its published files: a file or a folder.")]
Examples = Annotated[int | None, typer.Option(min=1, help="Only the first N examples.")]
PromptTokens = Annotated[
    int, typer.Option(min=1, help="Most tokens of prompt and answer; longer contexts are cut.")
]
BertModel = Annotated[
    str | None,
    typer.Option(
        "--bert-score",
        metavar="MODEL",
        help="Score summaries by BERTScore too, with this model: a hub name like roberta-large, "
        "or a folder (needs the eval and torch extras).",
    ),
]
BertLayers = Annotated[
    int | None,
    typer.Option(
        "--bert-layers",
        min=1,
        help="So many layers of that model; where BERTScore does not know its best one.",
    ),
]
_JUDGED = ("original", "tersely", "reference-matched", "random")


def judge(  # noqa: PLR0917 - typer reads the options off the signature
    data: Data,
    base_url: BaseUrl,
    model: Model,
    judge_model: JudgeModel = None,
    api_key_env: ApiKeyEnv = None,
    sets: Sets = None,
    method: AskedMethods = None,
    rate: AskedRates = None,
    limit: Limit = 20,
    questions: QuestionsEach = 1,
    out: Out = Path("eval-results"),
    classifier: Classifier = "bundled",
    encoding: Encoding = "o200k_base",
    concurrency: Concurrency = 8,
    timeout: Timeout = TIMEOUT_SECONDS,
    tries: Tries = TRIES,
    reasoning: Reasoning = False,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
) -> None:
    """Let a model answer questions from the shortened texts, and a model grade the answers.

    Writes judged.md and judged.json, and prints the table. Replies are kept in replies.jsonl by
    content, so an interrupted run goes on where it was and a finished one costs nothing to repeat.
    Methods are original, tersely, reference-matched and random unless others are given.
    """
    with refusals():
        from compressor.evaluation import judge as judging  # noqa: PLC0415
        from compressor.evaluation import registry  # noqa: PLC0415

        endpoint = endpoint_at(
            *(base_url, api_key_env, concurrency, reasoning, price_in, price_out),
            timeout=timeout,
            tries=tries,
        )
        names, rates = once(method or _JUDGED), once(rate or (0.5, 0.33))
        chosen = read_sets(data, sets)
        asked = _with_answers(data, [qa_set.first(limit) for qa_set in chosen])
        cases: list[Case] = []
        with registry.workbench(classifier, encoding, out / "windows.db") as bench:
            for qa_set, cut in zip(chosen, asked, strict=True):
                cases += _cases(cut, of_set(bench, qa_set), names, rates, questions)
        judged = _ask(endpoint, cases, out, model, judge_model or model)
        judging.require_grade(judged)
        found = judging.grades(judged)
        report = _grades_table(found)
        write(out / "judged.json", json.dumps([asdict(grade) for grade in found], indent=1))
        write(out / "judged.md", report + "\n")
    typer.echo(report)
    _tell_shortfalls(judged)


def _with_answers(data: Path, sets: Sequence["QASet"]) -> list["QASet"]:
    """Return the sets without questions that cannot be graded, and say how many those are.

    Raises DatasetError where no question is left.
    """
    from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
    from compressor.evaluation.judge import gradable  # noqa: PLC0415

    left = [gradable(qa_set) for qa_set in sets]
    if not any(qa_set.questions for qa_set in left):
        raise DatasetError(
            f"{data}: no question about the documents that are looked at (--limit) has a gold "
            "answer (`answers`) to grade by"
        )
    for before, after in zip(sets, left, strict=True):
        if after.questions < before.questions:
            typer.echo(
                f"{before.name}: {before.questions - after.questions:,} of {before.questions:,} "
                "questions have no gold answer and are left out",
                err=True,
            )
    return left


def _ask(
    endpoint: "ModelEndpoint", cases: Sequence["Case"], out: Path, model: str, judge_model: str
) -> list["Judged"]:
    from compressor.evaluation.judge import judge as judge_all  # noqa: PLC0415

    with progress("asking", len(cases)) as advance:
        return endpoint.run(
            out / "replies.jsonl",
            lambda ask: judge_all(
                cases,
                ask,
                model=model,
                judge_model=judge_model,
                reasoning_tokens=endpoint.reasoning_tokens,
                advance=advance,
            ),
        )


def _tell_shortfalls(judged: Sequence["Judged"]) -> None:
    from compressor.evaluation.judge import Verdict, ungraded  # noqa: PLC0415

    if left := ungraded(judged):
        typer.echo(
            f"{len(left)} of {len(judged)} cases have no grade; the first: {left[0].reason}",
            err=True,
        )
    silent = sum(one.verdict is not Verdict.FAILED and not one.answer for one in judged)
    if silent:
        typer.echo(
            f"{silent} of {len(judged)} answers are empty and count as wrong; a model that "
            "reasons needs --reasoning",
            err=True,
        )


def _cases(
    qa_set: "QASet", bench: "Bench", names: Sequence[str], rates: Sequence[float], questions: int
) -> list["Case"]:
    from compressor.evaluation.judge import Case  # noqa: PLC0415
    from compressor.evaluation.registry import build  # noqa: PLC0415

    cases = []
    for method in build(names, bench):
        for rate in rates:
            for document in qa_set.documents:
                blind = None
                for question in document.questions[:questions]:
                    if method.question_aware:
                        text = method.shorten(document.text, question.text, rate).text
                    else:
                        blind = blind or method.shorten(document.text, None, rate).text
                        text = blind
                    cases.append(Case(qa_set.name, method.name, rate, document, question, text))
    return cases


def _grades_table(grades: Sequence["Grade"]) -> str:
    lines = [
        "| set | rate | method | graded | no grade | right |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {g.set} | {g.rate:g} | {g.method} | {g.graded} | {g.ungraded} "
        f"| {g.accuracy.value:.3f} ({g.accuracy.low:.2f} to {g.accuracy.high:.2f}) |"
        for g in grades
    ]
    return "\n".join(lines)


def tasks(  # noqa: PLR0917 - typer reads the options off the signature
    task: Task,
    path: TaskFiles,
    base_url: BaseUrl,
    model: Model,
    api_key_env: ApiKeyEnv = None,
    method: AskedMethods = None,
    rate: AskedRates = None,
    limit: Examples = None,
    prompt_tokens: PromptTokens = 8100,
    out: Out = Path("eval-results"),
    classifier: Classifier = "bundled",
    encoding: Encoding = "o200k_base",
    concurrency: Concurrency = 8,
    timeout: Timeout = TIMEOUT_SECONDS,
    tries: Tries = TRIES,
    reasoning: Reasoning = False,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    bert_score: BertModel = None,
    bert_layers: BertLayers = None,
) -> None:
    """Ask a model one of the LLMLingua-2 paper's tasks with shortened contexts, and score it.

    Writes TASK.md and prints the table. Summaries need the eval extra (ROUGE). Replies are kept in
    replies.jsonl by content. Methods are original, tersely and reference-matched unless others are
    given.
    """
    with refusals():
        from compressor.evaluation import registry, task_runs  # noqa: PLC0415
        from compressor.evaluation.tasks import read_task  # noqa: PLC0415

        endpoint = endpoint_at(
            *(base_url, api_key_env, concurrency, reasoning, price_in, price_out),
            timeout=timeout,
            tries=tries,
        )
        examples = read_task(task, path)
        shown = _scorable(path, examples[:limit])
        scorer = _bert_scorer(path, shown, bert_score, bert_layers)
        corpus = list(dict.fromkeys(example.context for example in examples))
        names, rates = once(method or _JUDGED[:3]), once(rate or (0.5, 0.33))
        with registry.workbench(classifier, encoding, out / "windows.db") as bench:
            methods = registry.build(names, bench.of(corpus))
            answered = _ask_task(
                *(endpoint, shown, methods, rates, bench.counter),
                task=task,
                out=out,
                model=model,
                prompt_tokens=prompt_tokens,
            )
        task_runs.require_answer(answered)
        if scorer is not None:
            answered = task_runs.with_bert_scores(answered, scorer)
        report = _scores_table(task_runs.task_scores(answered))
        write(out / f"{task}.md", report + "\n")
    typer.echo(report)


def _ask_task(
    endpoint: "ModelEndpoint",
    examples: Sequence["Example"],
    methods: Sequence["Method"],
    rates: Sequence[float],
    counter: "TokenCounter",
    *,
    task: str,
    out: Path,
    model: str,
    prompt_tokens: int,
) -> list["Answered"]:
    from compressor.evaluation.task_runs import ask_all  # noqa: PLC0415

    with progress(task, len(examples) * len(methods) * len(rates)) as advance:
        return endpoint.run(
            out / "replies.jsonl",
            lambda ask: ask_all(
                examples,
                methods,
                rates,
                ask,
                counter,
                model=model,
                prompt_tokens=prompt_tokens,
                reasoning_tokens=endpoint.reasoning_tokens,
                advance=advance,
            ),
        )


def _bert_scorer(
    path: Path, examples: Sequence["Example"], model: str | None, layers: int | None
) -> "BertScorer | None":
    """Return the scorer that was asked for, loaded before a model is paid for its answers."""
    from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
    from compressor.evaluation.scores import bert_scorer  # noqa: PLC0415
    from compressor.evaluation.task_runs import is_summary  # noqa: PLC0415

    if model is None:
        return None
    if not any(map(is_summary, examples)):
        raise DatasetError(f"{path}: no example asks for a summary, which --bert-score is for")
    return bert_scorer(model, layers)


def _scorable(path: Path, examples: Sequence["Example"]) -> list["Example"]:
    """Return the examples that can be scored, and say how many are not.

    Raises DatasetError where no example is left.
    """
    from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
    from compressor.evaluation.task_runs import gradable  # noqa: PLC0415

    left = gradable(examples)
    if not left:
        raise DatasetError(
            f"{path}: no example that is looked at (--limit) has a gold answer to score by"
        )
    if missing := len(examples) - len(left):
        typer.echo(
            f"{missing:,} of {len(examples):,} examples have no gold answer and are left out",
            err=True,
        )
    return left


def _scores_table(scores: Sequence["TaskScore"]) -> str:
    bert = any(s.bert is not None for s in scores)
    columns = "score | BERTScore" if bert else "score"
    lines = [
        f"| task | method | rate | scored | failed | {columns} | prompt tokens |",
        "|---|---|---|---|---|---|---|" + "---|" * bert,
    ]
    for s in scores:
        both = [s.score, s.bert] if bert else [s.score]
        shown = " | ".join("none" if one is None else f"{100 * one:.2f}" for one in both)
        lines.append(
            f"| {s.task} | {s.method} | {s.rate:g} | {s.scored} | {s.failed} | {shown} "
            f"| {s.prompt_tokens:,.0f} |"
        )
    return "\n".join(lines)
