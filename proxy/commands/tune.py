"""`tersely tune`: a classifier tuned by what its choices are worth to a task."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.evaluate import progress, refusals

if TYPE_CHECKING:
    from compressor.training.reinforce import TuningProgress

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
    on questions that were not tuned on.
    """
    with refusals():
        from compressor.evaluation.datasets import read_qa_set  # noqa: PLC0415
        from compressor.evaluation.extra import load  # noqa: PLC0415

        load("torch", "tuning", "train")
        load("transformers", "tuning", "train")
        from compressor.training.encoder import encoder_folder  # noqa: PLC0415
        from compressor.training.reinforce import Tuner, TuningSettings  # noqa: PLC0415
        from compressor.training.rewards import named_reward  # noqa: PLC0415

        settings = TuningSettings(
            rate=rate,
            epochs=epochs,
            samples=samples,
            batch=batch,
            learning_rate=learning_rate,
            stay=stay,
            seed=seed,
        )
        documents = read_qa_set(questions).documents
        tuner = Tuner(encoder_folder(str(classifier)), out, settings, named_reward(reward))
        steps = epochs * -(-sum(bool(d.questions) for d in documents) // batch)
        with progress("tuning", steps) as advance:
            rewards = tuner.tune(documents, partial(_advance, advance))
    tenth = max(1, len(rewards) // 10)
    first, last = sum(rewards[:tenth]) / tenth, sum(rewards[-tenth:]) / tenth
    typer.echo(f"mean reward {first:.3f} in the first steps, {last:.3f} in the last: {out}")


def _advance(advance: Callable[[], None], _run: "TuningProgress") -> None:
    advance()
