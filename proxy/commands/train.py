"""`tersely train`: annotated passages and an encoder to a keep/drop token classifier."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.distill_collect import refuse_same
from proxy.commands.evaluate import progress, refusals

if TYPE_CHECKING:
    from compressor.training.settings import TrainingSettings
    from compressor.training.trainer import Progress

Files = Annotated[
    list[Path],
    typer.Argument(metavar="ANNOTATED.jsonl...", help="What `tersely distill annotate` wrote."),
]
Encoder = Annotated[
    str, typer.Option(help="The encoder to begin with: a local folder, or a name on the hub.")
]
HeldOut = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl",
        help="Annotated passages to validate on. Without it, one document in twelve of the first "
        "file is held out, by its name.",
    ),
]
LayerDecay = Annotated[
    float, typer.Option(min=0, max=1, help="A layer's learning rate, of that of the layer above.")
]
Half = Annotated[
    float, typer.Option(min=0, max=1, help="Target of a word that only the light grade keeps.")
]
Smoothing = Annotated[
    float, typer.Option(min=0, max=0.5, help="How far labels are drawn towards a half.")
]
Embeddings = Annotated[
    bool, typer.Option("--train-embeddings", help="Change the word embeddings as well.")
]
Layers = Annotated[
    int,
    typer.Option(
        min=0,
        help="How many of the encoder's layers the classifier has, the lowest ones: fewer are "
        "faster. 0: all.",
    ),
]
FrozenLayers = Annotated[
    int, typer.Option(min=0, help="How many layers, from the lowest up, stay as they are.")
]
Patience = Annotated[
    int, typer.Option(min=1, help="Validations without a better AUC before it stops.")
]
Last = Annotated[
    bool,
    typer.Option(
        "--last",
        help="Write the last model instead of the one with the best AUC, which says little where "
        "labels are not like those held out (words that answer questions, for instance).",
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Processor threads; PyTorch's choice without.")
]
Bf16 = Annotated[
    bool | None,
    typer.Option(
        "--bf16/--fp32",
        help="Whether to multiply in bfloat16; without, where the processor is faster for it.",
    ),
]


def train(
    annotated: Files,
    *,
    encoder: Encoder,
    out: Annotated[Path, typer.Option(help="The folder to write the classifier to.")],
    held_out: HeldOut = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the passages.")] = 3,
    learning_rate: Annotated[float, typer.Option(min=0, help="At its highest.")] = 2e-4,
    layer_decay: LayerDecay = 0.95,
    batch_tokens: Annotated[int, typer.Option(min=1, help="Tokens a step.")] = 2048,
    half: Half = 0.5,
    smoothing: Smoothing = 0.0,
    dropout: Annotated[float, typer.Option(min=0, max=0.9)] = 0.1,
    train_embeddings: Embeddings = False,
    layers: Layers = 0,
    frozen_layers: FrozenLayers = 0,
    patience: Patience = 2,
    last: Last = False,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    threads: Threads = None,
    bf16: Bf16 = None,
) -> None:
    """Train a token classifier on annotated passages. Needs the train extra.

    The folder gets a Hugging Face checkpoint (label 1 is keep, as LLMLingua-2 has it), curves.csv,
    training.json and model.manifest.json. A run that was interrupted is taken up where it was when
    the same command is given again.
    """
    with refusals():
        from compressor.evaluation.extra import load  # noqa: PLC0415
        from compressor.training.settings import TrainingSettings  # noqa: PLC0415

        refuse_same(Path(encoder), out)
        torch = load("torch", "training", "train")
        load("transformers", "training", "train")
        from compressor.training.precision import bf16_is_faster  # noqa: PLC0415

        if threads is not None:
            torch.set_num_threads(threads)
        settings = TrainingSettings(
            epochs=epochs,
            batch_tokens=batch_tokens,
            learning_rate=learning_rate,
            layer_decay=layer_decay,
            half=half,
            smoothing=smoothing,
            dropout=dropout,
            train_embeddings=train_embeddings,
            layers=layers,
            frozen_layers=frozen_layers,
            patience=patience,
            last=last,
            seed=seed,
            bf16=bf16_is_faster() if bf16 is None else bf16,
        )
        _train(annotated, held_out, encoder, out, settings)


def _train(
    annotated: list[Path],
    held_out: Path | None,
    encoder: str,
    out: Path,
    settings: "TrainingSettings",
) -> None:
    from compressor.training.encoder import encoder_folder  # noqa: PLC0415
    from compressor.training.examples import gather  # noqa: PLC0415
    from compressor.training.manifest import (  # noqa: PLC0415
        checkpoint_files,
        write_checkpoint_manifest,
    )
    from compressor.training.trainer import Trainer  # noqa: PLC0415

    passages, validation = gather(annotated, held_out)
    typer.echo(f"{len(passages):,} passages to train on, {len(validation):,} held out", err=True)
    folder = encoder_folder(encoder)
    trainer = Trainer(folder, out, settings, passages)
    with progress("training", trainer.steps) as advance:
        best = trainer.train(validation, partial(_show, advance))
    ranked = (
        f"AUC heavy {best.heavy:.4f}, light {best.light:.4f} over {best.words:,} words"
        if best.words
        else "No document is held out, so the last model is written and its AUC is not known"
    )
    typer.echo(f"{ranked}: {out}")
    write_checkpoint_manifest(
        out,
        "train",
        inputs=[*annotated, *([held_out] if held_out else []), *checkpoint_files(folder)],
        settings={"encoder": _named(encoder), **asdict(settings)},
        counts={
            "passages": len(passages),
            "held out": len(validation),
            "held-out words": best.words,
            "steps": trainer.steps,
        },
        beside=("training.json", "curves.csv"),
    )


def _named(encoder: str) -> str:
    """Return an encoder's name on the hub, or its folder's without the path."""
    folder = Path(encoder).expanduser()
    return folder.resolve().name if folder.is_dir() else encoder


def _show(advance: Callable[[], None], run: "Progress") -> None:
    advance()
    if run.ranking is not None:
        typer.echo(
            f"epoch {run.epoch:.2f}, step {run.step:,} of {run.steps:,}: loss {run.loss:.4f}, "
            f"AUC heavy {run.ranking.heavy:.4f}, light {run.ranking.light:.4f}",
            err=True,
        )
