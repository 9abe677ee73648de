"""`tersely distill questions`: what somebody asks about passages, as labels."""

from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.distill_collect import refuse_same
from proxy.commands.evaluate import refusals

_SOURCE = "Annotated passages; the answers' words are labelled on top of their labels."

Conditioned = Annotated[
    bool,
    typer.Option(
        "--conditioned",
        help="For every question, write the passage that answers it and one that only looks as if "
        "it did, with the question and with labels that depend on it. Without, every passage is "
        "written once, with the words of answers labelled as kept.",
    ),
]
Questions = Annotated[
    list[Path],
    typer.Option(
        metavar="QUESTIONS.jsonl",
        help="Lines of `id`, `question` and `answer`, or of `passages`, `gold` and `answers`.",
    ),
]
Weight = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Without --conditioned, what passages that are asked about count in training; by "
        "default what their lines say, else 1.",
    ),
]
PerPassage = Annotated[
    int,
    typer.Option(min=1, help="With --conditioned, how many questions about each passage at most."),
]
Share = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Without --conditioned, what share of its label a word keeps that answers nothing, in "
        "passages that are asked about.",
    ),
]
Every = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Without --conditioned, change held-out documents too: for files that `tersely "
        "train` gets after its first, of which it holds none out.",
    ),
]

Seed = Annotated[
    int,
    typer.Option(min=0, help="With --conditioned, another number draws other questions."),
]


def questions(
    annotated: Annotated[list[Path], typer.Argument(metavar="ANNOTATED.jsonl...", help=_SOURCE)],
    *,
    asked: Questions,
    out: Annotated[Path, typer.Option(metavar="OUT.jsonl", help="Annotated passages to write.")],
    conditioned: Conditioned = False,
    per_passage: PerPassage = 2,
    weight: Weight = None,
    share: Share = 1.0,
    every: Every = False,
    seed: Seed = 1,
) -> None:
    """Label the words that answer questions about a passage as kept.

    Questions about documents that `tersely train` holds out change nothing, unless --all is given.
    """
    with refusals():
        from compressor.evaluation.result_lines import write_lines  # noqa: PLC0415
        from compressor.training.examples import annotated_lines  # noqa: PLC0415
        from compressor.training.manifest import write_manifest  # noqa: PLC0415
        from compressor.training.questions import (  # noqa: PLC0415
            Grades,
            blind_lines,
            conditioned_lines,
            read_questions,
        )

        for path in annotated:
            refuse_same(path, out)
        lines = [line for path in annotated for line in annotated_lines(path)]
        known = [question for path in asked for question in read_questions(path)]
        if conditioned:
            made = conditioned_lines(lines, known, Grades(), per_passage=per_passage, seed=seed)
        else:
            made = list(blind_lines(lines, known, weight, share, every=every))
        write_lines(out, made)
        write_manifest(
            out,
            "questions",
            inputs=[*annotated, *asked],
            settings={
                "conditioned": conditioned,
                "per_passage": per_passage if conditioned else None,
                "weight": weight,
                "share": share,
                "every": every,
                "seed": seed,
            },
            counts={"passages": len(lines), "questions": len(known), "written": len(made)},
        )
    typer.echo(f"{len(made):,} passages written to {out}, by {len(known):,} questions")
