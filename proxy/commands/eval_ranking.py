"""`tersely eval ranking`: how well a classifier ranks the words of annotated passages."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.evaluate import Classifier, progress, refusals

if TYPE_CHECKING:
    from compressor.training.validation import Ranked


def ranking(
    annotated: Annotated[
        Path,
        typer.Argument(metavar="ANNOTATED.jsonl", help="What `tersely distill annotate` wrote."),
    ],
    *,
    classifier: Classifier = "bundled",
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also the passages of documents that `tersely train` does not hold out: for a "
            "classifier that was trained on none of them.",
        ),
    ] = False,
) -> None:
    """Show a classifier's AUC on annotated passages, by language and by source.

    Heavy: the chance that a word which both grades keep scores above one that is dropped or kept by
    the light one alone. Light: that a word which the light grade keeps scores above one that is
    dropped.
    """
    with refusals():
        from compressor.classifier.registry import load_classifier  # noqa: PLC0415
        from compressor.training.examples import read_held_out  # noqa: PLC0415
        from compressor.training.self_training import text_probabilities  # noqa: PLC0415
        from compressor.training.validation import ranked, word_scores  # noqa: PLC0415

        passages = read_held_out(annotated, every=every)
        loaded = load_classifier(classifier)
        scored = []
        with progress("ranking", len(passages)) as advance:
            for passage in passages:
                scored.append((passage, word_scores(passage, partial(text_probabilities, loaded))))
                advance()
    typer.echo(_table(ranked(scored)))


def _table(rows: "list[Ranked]") -> str:
    lines = ["| passages of | passages | words | AUC heavy | AUC light |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.passages:,} | {row.ranking.words:,} "
        f"| {row.ranking.heavy:.3f} | {row.ranking.light:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)
