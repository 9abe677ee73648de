"""`tersely calibrate`: what thresholds keep of your prompts, and names for some of them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.evaluate import progress, refusals

if TYPE_CHECKING:
    from compressor.engine import Compressor
    from compressor.training.calibrate import Labelled, Point, Sample
    from compressor.training.texts import Text

_NAMED = re.compile(r"(?P<name>[a-z][a-z0-9_-]*)=(?P<rate>0?\.\d+)")
_UNUSABLE = 2

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A classifier's folder, `bundled` or `bundled-fast`.")
]
Prompts = Annotated[
    list[Path],
    typer.Argument(
        metavar="PROMPTS...",
        help="Text files, .jsonl files, or folders of .txt, .md, .rst and .jsonl.",
    ),
]
LabelledFile = Annotated[
    Path | None,
    typer.Option(
        "--annotated",
        metavar="FILE.jsonl",
        help="Annotated passages: shows as well how many of the words that their labels keep each "
        "threshold keeps, in the documents that `tersely train` holds out.",
    ),
]
AllDocuments = Annotated[bool, typer.Option("--all", help="Of --annotated, take all documents.")]
Rates = Annotated[
    list[str] | None,
    typer.Option(
        "--rate",
        metavar="NAME=RATE",
        help="A name, and the share of the tokens that its threshold is to keep; may be repeated, "
        "with another name. Without any: gentle=0.8, balanced=0.6, aggressive=0.4.",
    ),
]
FieldNames = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="NAME=FIELD",
        help="Field of .jsonl lines to take `text` (a text, a list of texts or chat messages) or "
        "`source` from, where it is not called so: text=messages. May be repeated.",
    ),
]
Size = Annotated[int, typer.Option("--sample", min=1, help="How many prompts to draw at random.")]
Seed = Annotated[int, typer.Option(min=0, help="Another number draws other prompts.")]
Encoding = Annotated[
    str, typer.Option(help="Tokenizer that counts: o200k_base, cl100k_base, or a tokenizer.json.")
]


def calibrate(
    model: Model,
    prompts: Prompts,
    *,
    annotated: LabelledFile = None,
    all_documents: AllDocuments = False,
    rate: Rates = None,
    field: FieldNames = None,
    size: Size = 300,
    seed: Seed = 1,
    encoding: Encoding = "o200k_base",
    write: Annotated[
        bool,
        typer.Option(help="Write calibration.json, replacing one that is there, or only show."),
    ] = True,
) -> None:
    """Show what thresholds keep of your prompts, and give some of them names.

    The names go into calibration.json in the classifier's folder, and calibration.manifest.json
    says what they were found on. From then on `threshold: balanced` and the like mean these
    numbers: in policies, in the library, in `tersely compress` and in POST /v1/compress.
    """
    wanted = _rates(rate)
    with refusals():
        from compressor.calibration import fingerprint, write_calibration  # noqa: PLC0415
        from compressor.engine import Compressor  # noqa: PLC0415
        from compressor.training import calibrate as steps  # noqa: PLC0415
        from compressor.training import calibration_page as page  # noqa: PLC0415

        folder = _folder(model)
        try:
            chosen = steps.draw(_texts(prompts, field or []), size, seed)
            with Compressor(name=model) as compressor:
                sample, labelled = _read(
                    compressor, chosen, annotated, every=all_documents, encoding=encoding
                )
            names, drawn = _measure(sample, wanted)
        except steps.NothingToCalibrate as error:
            raise _refused(str(error)) from None
        points = {name: sample.point(threshold) for name, threshold in names.items()}
        drawn |= {point.threshold: point for point in points.values()}
        curve = [point for _, point in sorted(drawn.items())]
        typer.echo(page.curve_table(curve, names, labelled))
        typer.echo(f"\n{page.source_table(points, sample)}")
        if write:
            found = page.as_calibration(fingerprint(folder), points, wanted, curve, sample, seed)
            written = write_calibration(folder, found)
            given = [*prompts, *([annotated] if annotated else [])]
            settings = {
                "rates": wanted,
                "sample": size,
                "seed": seed,
                "encoding": encoding,
                "fields": field or [],
                "all documents": all_documents,
            }
            _write_manifest(folder, written, given, settings, sample)
            typer.echo(f"\nWritten: {written}")


def _rates(given: list[str] | None) -> dict[str, float]:
    from compressor.training.calibrate import RATES  # noqa: PLC0415

    if not given:
        return dict(RATES)
    rates = {}
    for text in given:
        match = _NAMED.fullmatch(text)
        if match is None:
            raise typer.BadParameter(
                f"'{text}' is not NAME=RATE, like balanced=0.6", param_hint="--rate"
            )
        if match["name"] in rates:
            raise typer.BadParameter(
                f"'{match['name']}' is named twice; a name has one rate", param_hint="--rate"
            )
        rates[match["name"]] = float(match["rate"])
    return rates


def _folder(model: str) -> Path:
    """Return the classifier's folder. Raises ClassifierUnavailable for a name on the hub."""
    from compressor.classifier.base import ClassifierUnavailable  # noqa: PLC0415
    from compressor.classifier.registry import folder_of  # noqa: PLC0415

    folder = folder_of(model)
    if not folder.is_dir():
        raise ClassifierUnavailable(
            f"there is no folder {folder}; calibration.json is written into one, so download a "
            "classifier from the hub first"
        )
    return folder


def _texts(prompts: list[Path], fields: list[str]) -> list["Text"]:
    from compressor.training.texts import (  # noqa: PLC0415
        Defaults,
        Fields,
        find_files,
        read_texts,
    )

    named, unstated = Fields.parse(fields), Defaults()
    return [
        text
        for path, name in find_files(prompts)
        for text in read_texts(path, name, named, unstated)
    ]


def _read(
    compressor: "Compressor",
    chosen: list["Text"],
    annotated: Path | None,
    *,
    every: bool,
    encoding: str,
) -> tuple["Sample", "Labelled | None"]:
    """Have the classifier read the sample, and the annotated passages where there are any."""
    from compressor.training.calibrate import Labelled, Sample  # noqa: PLC0415
    from compressor.training.examples import read_held_out  # noqa: PLC0415

    passages = [] if annotated is None else read_held_out(annotated, every=every)
    with progress("reading", len(chosen) + len(passages)) as advance:
        sample = Sample(chosen, compressor, encoding=encoding, advance=advance)
        if not passages:
            return sample, None
        return sample, Labelled(passages, compressor, encoding=encoding, advance=advance)


def _measure(
    sample: "Sample", wanted: Mapping[str, float]
) -> tuple[dict[str, float], dict[float, "Point"]]:
    """Return a threshold for each name, and the points of the curve by their thresholds."""
    from compressor.training.calibrate import suggest  # noqa: PLC0415

    quantiles = sample.quantiles()
    with progress("measuring", len(quantiles) + len(wanted)) as advance:
        drawn = {}
        for threshold in quantiles:
            drawn[threshold] = sample.point(threshold)
            advance()
        return suggest(sample, wanted, advance), drawn


def _write_manifest(
    folder: Path,
    written: Path,
    given: list[Path],
    settings: Mapping[str, Any],
    sample: "Sample",
) -> None:
    from compressor.classifier.registry import find_onnx  # noqa: PLC0415
    from compressor.training.manifest import (  # noqa: PLC0415
        EXPORT_PACKAGES,
        checkpoint_files,
        write_manifest,
    )
    from compressor.training.texts import find_files  # noqa: PLC0415

    write_manifest(
        written,
        "calibrate",
        inputs=[
            *(path for path, _ in find_files(given)),
            *checkpoint_files(folder, find_onnx(folder)),
        ],
        settings=settings,
        counts={"texts": len(sample.texts), "tokens": sample.tokens},
        packages=EXPORT_PACKAGES,
    )


def _refused(message: str) -> typer.Exit:
    typer.echo(f"Error: {message}", err=True)
    return typer.Exit(_UNUSABLE)
