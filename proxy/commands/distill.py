"""`tersely distill`: from texts and a teacher to the labels that a classifier is trained on."""

from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.distill_collect import collect, refuse_same, without_overlap
from proxy.commands.distill_label import label
from proxy.commands.distill_questions import questions
from proxy.commands.evaluate import progress, refusals
from proxy.commands.self_label import self_label

LabelledPassages = Annotated[
    Path,
    typer.Argument(
        metavar="IN.jsonl",
        help="What `tersely distill label` wrote: passages with `light` and `heavy`, or "
        "`shortened`.",
    ),
]
AnnotatedPassages = Annotated[
    Path, typer.Argument(metavar="OUT.jsonl", help="Annotated passages to write.")
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="CONDITION",
        help="Keep only passages with, for instance, 'variation<=0.05' or 'heavy.gap<=p90' (the "
        "90th percentile, of the heavy texts). May be repeated; a percentile is of the passages "
        "that met the conditions before. Metrics: rate, match, variation, hitting, matching, gap, "
        "negations, numbers, flags (docs/distillation.md). Without --keep: flags<=0, "
        "variation<=0.05, gap<=0.05 and match>=0.95.",
    ),
]
KeepAll = Annotated[
    bool, typer.Option("--keep-all", help="Keep every passage, whatever its metrics.")
]
LeftOut = Annotated[
    list[str] | None, typer.Option(help="Leave out passages of this source; may be repeated.")
]
Window = Annotated[
    int,
    typer.Option(
        min=1,
        help="How many words away from those around it a kept word may be; farther away, one "
        "common word alone is no match.",
    ),
]


def build_distill() -> typer.Typer:
    """Return the subcommands."""
    commands = typer.Typer(
        no_args_is_help=True, help="Make training data for a classifier of your own domain."
    )
    commands.command("collect")(collect)
    commands.command("without-overlap")(without_overlap)
    commands.command("label")(label)
    commands.command("annotate")(annotate)
    commands.command("questions")(questions)
    commands.command("self-label")(self_label)
    return commands


def annotate(
    labelled: LabelledPassages,
    out: AnnotatedPassages,
    keep: Keep = None,
    keep_all: KeepAll = False,
    leave_out_source: LeftOut = None,
    window: Window = 60,
) -> None:
    """Align shortened texts with their originals: a label of 1, 0.5 or 0 for every word.

    1 is a word that the heavy text keeps, or the only one; 0.5 one that the light text alone keeps.

    Beside OUT.jsonl stand OUT.manifest.json (inputs, settings, counts, hashes), OUT.report.html
    (histograms) and OUT.work.jsonl (every passage, those filtered out too); with the last a run
    that was interrupted goes on where it was.
    """
    with refusals():
        from compressor.training import annotation_run  # noqa: PLC0415
        from compressor.training.filters import DEFAULT  # noqa: PLC0415
        from compressor.training.passage import read_passages  # noqa: PLC0415

        if keep_all and keep:
            raise typer.BadParameter("it takes no --keep beside it", param_hint="--keep-all")
        refuse_same(labelled, out)
        settings = annotation_run.AnnotationSettings(
            () if keep_all else tuple(keep or DEFAULT), tuple(leave_out_source or ()), window
        )
        passages = list(read_passages(labelled, labelled=True))
        with progress("annotating", len(passages)) as advance:
            run = annotation_run.annotate_file(passages, [labelled], out, settings, advance)
    for reason, count in run.sifted.dropped.items():
        typer.echo(f"{count:6,} dropped by {reason}")
    shown = ", ".join(f"{count:,} x {label}" for label, count in run.words.items())
    kept = len(run.sifted.kept)
    typer.echo(f"{kept:6,} of {run.passages:,} passages written to {out} ({shown})")
