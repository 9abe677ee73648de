"""`tersely tune`: a classifier tuned by what its choices are worth to a task."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.distill_collect import refuse_same
from proxy.commands.evaluate import Advance, progress, refusals

if TYPE_CHECKING:
    from compressor.training.reinforce import TuningProgress
    from compressor.training.settings import TuningSettings

_LINES = 10  # that a run says how far it is; the bar is for terminals only

RewardName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="`survival`: the share of questions of which an answer survives; or a function of "
        "yours, `module:function`, called with source, shortened text and questions.",
    ),
]


def tune(
    classifier: Annotated[
        Path, typer.Argument(help="A classifier's folder, as of `tersely train`.")
    ],
    questions: Annotated[
        Path,
        typer.Argument(
            metavar="QA.jsonl", help="Documents and questions, as `tersely eval` has them."
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="The folder to write the tuned classifier to.")],
    reward: RewardName = "survival",
    rate: Annotated[float, typer.Option(min=0.01, max=0.99, help="Share of words to keep.")] = 0.33,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the documents.")] = 1,
    samples: Annotated[int, typer.Option(min=2, help="Choices drawn for each text.")] = 8,
    batch: Annotated[int, typer.Option(min=1, help="Texts a step.")] = 8,
    learning_rate: Annotated[float, typer.Option(min=0)] = 2e-5,
    stay: Annotated[
        float, typer.Option(min=0, help="How dear it is to leave the probabilities at the start.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Tune a classifier by reward (REINFORCE, as in TACO-RL). Needs the train extra.

    For those who have a task and a metric: begin with a classifier trained on labels, and measure
    on questions that were not tuned on. The folder gets a Hugging Face checkpoint, tuning.json and
    model.manifest.json. A run that was interrupted is taken up where it was when the same command
    is given again.
    """
    with refusals():
        from compressor.evaluation.extra import load  # noqa: PLC0415
        from compressor.training.settings import TuningSettings  # noqa: PLC0415

        refuse_same(classifier, out)
        load("torch", "tuning", "train")
        load("transformers", "tuning", "train")
        settings = TuningSettings(
            rate=rate,
            epochs=epochs,
            samples=samples,
            batch=batch,
            learning_rate=learning_rate,
            stay=stay,
            seed=seed,
        )
        _tune(classifier, questions, out, reward, settings)


def _tune(
    classifier: Path, questions: Path, out: Path, reward: str, settings: "TuningSettings"
) -> None:
    from compressor.evaluation.datasets import DatasetError, read_qa_set  # noqa: PLC0415
    from compressor.training.encoder import encoder_folder  # noqa: PLC0415
    from compressor.training.manifest import (  # noqa: PLC0415
        checkpoint_files,
        write_checkpoint_manifest,
    )
    from compressor.training.reinforce import Tuner  # noqa: PLC0415
    from compressor.training.rewards import named_reward  # noqa: PLC0415

    documents = [document for document in read_qa_set(questions).documents if document.questions]
    if not documents:
        raise DatasetError(f"{questions}: no document has a question to be rewarded for")
    folder = encoder_folder(str(classifier))
    tuner = Tuner(folder, out, settings, named_reward(reward))
    steps = settings.epochs * -(-len(documents) // settings.batch)
    typer.echo(f"{len(documents):,} texts to tune on, {steps:,} steps", err=True)
    with progress("reading", len(documents) + steps) as advance:
        rewards = tuner.tune(documents, partial(_show, advance), advance)
    tenth = max(1, len(rewards) // 10)
    first, last = sum(rewards[:tenth]) / tenth, sum(rewards[-tenth:]) / tenth
    typer.echo(f"mean reward {first:.3f} in the first steps, {last:.3f} in the last: {out}")
    write_checkpoint_manifest(
        out,
        "tune",
        inputs=[questions, *checkpoint_files(folder)],
        settings={"reward": reward, **asdict(settings)},
        counts={
            "texts": len(documents),
            "questions": sum(len(document.questions) for document in documents),
            "steps": steps,
        },
        beside=("tuning.json",),
    )


def _show(advance: Advance, run: "TuningProgress") -> None:
    advance("tuning")
    if run.step % max(1, run.steps // _LINES) == 0 or run.step == run.steps:
        typer.echo(
            f"step {run.step:,} of {run.steps:,}: mean reward {run.recent:.3f} lately", err=True
        )
