"""`tersely export`: a trained checkpoint to a model folder that compressors load, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.distill_collect import refuse_same
from proxy.commands.evaluate import progress, refusals

if TYPE_CHECKING:
    from compressor.training.examples import Passage
    from compressor.training.model_folder import Checked

_FAILED, _UNUSABLE = 1, 2


Checkpoint = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="What `tersely train` wrote: config.json, model.safetensors, ..."
    ),
]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The model folder to write.")]
HeldOut = Annotated[
    Path | None,
    typer.Option(
        metavar="ANNOTATED.jsonl",
        help="Annotated passages to check on, needed without --no-check; only documents that "
        "`tersely train` holds out are taken.",
    ),
]
AllDocuments = Annotated[bool, typer.Option("--all", help="Of --held-out, take all documents.")]
Check = Annotated[bool, typer.Option(help="Compare with the original, or only write.")]
MaxDifference = Annotated[
    float, typer.Option(min=0, max=1, help="How far word AUC may be from the original's.")
]
MinKept = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Of the words that the original keeps at rate 0.5, the share to keep at least.",
    ),
]
Manifests = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="ANNOTATED.manifest.json",
        help="For the card: what `tersely distill annotate` wrote beside the passages that were "
        "trained on; may be repeated.",
    ),
]
Licence = Annotated[
    str,
    typer.Option(
        show_default=False,
        help="For the card: the licence of the weights, by its SPDX identifier, like Apache-2.0; "
        "without, the card says that it is not stated.",
    ),
]
Name = Annotated[str | None, typer.Option(help="For the card: the model's name; by default OUT's.")]


def export(
    checkpoint: Checkpoint,
    out: Out,
    *,
    held_out: HeldOut = None,
    all_documents: AllDocuments = False,
    check: Check = True,
    max_auc_difference: MaxDifference = 0.003,
    min_kept: MinKept = 0.98,
    fp32: Annotated[bool, typer.Option("--fp32", help="Leave the weights in 32 bits.")] = False,
    manifest: Manifests = None,
    licence: Licence = "",
    name: Name = None,
) -> None:
    """Write a checkpoint as an ONNX model folder, and check that it does what the original does.

    OUT gets model.onnx (8-bit weights), config.json, the tokenizer, README.md (a model card) and
    model.manifest.json; use it with `classifier: OUT`. Exit code 1: it was written, but a check
    failed. Needs the export extra; with the torch extra the original runs in PyTorch, else as ONNX
    in 32 bits.
    """
    with refusals():
        from compressor.evaluation.extra import load  # noqa: PLC0415

        load("onnx", "exporting", "export")
        load("safetensors", "exporting", "export")
        from compressor.training import model_folder  # noqa: PLC0415
        from compressor.training.model_card import Checks  # noqa: PLC0415

        refuse_same(checkpoint, out)
        passages = _passages(held_out, every=all_documents) if check else []
        _write(checkpoint, out, exact=fp32)
        found = model_folder.Checked(Checks())
        if check:
            allowed = model_folder.Allowed(max_auc_difference, min_kept)
            with progress("checking", 2 * len(passages)) as advance:
                found = model_folder.check_model(checkpoint, out, passages, allowed, advance)
        model_folder.write_card(
            checkpoint,
            out,
            name=name or out.resolve().name,
            licence=licence.strip(),
            manifests=manifest or (),
            checks=found.checks,
            exact=fp32,
        )
        given = [held_out] if check and held_out else []
        settings = {
            "fp32": fp32,
            "check": check,
            "all documents": all_documents,
            "max_auc_difference": max_auc_difference,
            "min_kept": min_kept,
            "licence": licence,
        }
        _write_manifest(checkpoint, out, [*given, *(manifest or ())], settings, found)
    _report(found, out)
    if found.faults:
        raise typer.Exit(_FAILED)


def _write(checkpoint: Path, out: Path, *, exact: bool) -> None:
    from compressor.training.export import CannotExport  # noqa: PLC0415
    from compressor.training.model_folder import write_model  # noqa: PLC0415

    try:
        write_model(checkpoint, out, exact=exact)
    except CannotExport as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(_UNUSABLE) from None


def _write_manifest(
    checkpoint: Path,
    out: Path,
    given: list[Path],
    settings: Mapping[str, Any],
    found: "Checked",
) -> None:
    from compressor.training import model_folder  # noqa: PLC0415
    from compressor.training.manifest import (  # noqa: PLC0415
        EXPORT_PACKAGES,
        checkpoint_files,
        write_manifest,
    )

    training = checkpoint / model_folder.TRAINING
    agreed = found.checks.agreement
    weights = out / model_folder.WEIGHTS
    write_manifest(
        weights,
        "export",
        inputs=[*checkpoint_files(checkpoint), *([training] if training.exists() else []), *given],
        settings=settings,
        counts={
            "passages checked": agreed.passages if agreed else 0,
            "words checked": agreed.original.words if agreed else 0,
            "faults": len(found.faults),
        },
        further=[*checkpoint_files(out, weights)[1:], out / model_folder.CARD],
        packages=EXPORT_PACKAGES,
    )


def _passages(held_out: Path | None, *, every: bool) -> list["Passage"]:
    """Read the passages to check on. Raises DatasetError where there are none."""
    from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
    from compressor.training.examples import read_held_out  # noqa: PLC0415

    if held_out is None:
        raise DatasetError("name annotated passages to check on (--held-out), or say --no-check")
    return read_held_out(held_out, every=every)


def _report(found: "Checked", out: Path) -> None:
    checks = found.checks
    if (agreed := checks.agreement) is not None:
        typer.echo(
            f"AUC, original and exported: heavy {agreed.original.heavy:.4f} and "
            f"{agreed.exported.heavy:.4f}, light {agreed.original.light:.4f} and "
            f"{agreed.exported.light:.4f} ({agreed.passages:,} passages, "
            f"{agreed.original.words:,} words)"
        )
        typer.echo(f"words kept at rate 0.5 that the exported model keeps too: {agreed.kept:.2%}")
    if (alone := checks.isolation) is not None:
        same = "differ with their company" if alone.changed else "are the same in any company"
        typer.echo(f"outputs of {alone.windows} windows {same}")
    if (speed := checks.throughput) is not None:
        typer.echo(
            f"{speed.one_thread:,.0f} classifier tokens/s in one thread, {speed.all_cores:,.0f} on "
            f"{speed.cores} cores"
        )
    typer.echo(f"Written: {out}")
    for fault in found.faults:
        typer.echo(f"Failed: {fault}", err=True)
