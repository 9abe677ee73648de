"""`tersely distill collect` and `without-overlap`: which passages are labelled, and which not."""

from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.evaluate import progress, refusals

HeldOut = Annotated[
    list[Path] | None,
    typer.Option(
        "--against",
        metavar="HELD_OUT.jsonl",
        help="Drop passages that share a run of 13 words with a text in this file (`text` or "
        "`passages` of its lines: passages or a question set); may be repeated.",
    ),
]

Fields = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FIELD",
        help="JSONL field to take text, doc, source, lang or licence from, where it is not "
        "called so; `a.b` is b in a. The text may be a list of texts or chat messages. May be "
        "repeated.",
    ),
]


def collect(  # noqa: PLR0917 - typer reads the options off the signature
    paths: Annotated[
        list[Path],
        typer.Argument(help="Text files, JSONL files, or folders of .txt, .md, .rst and .jsonl."),
    ],
    out: Annotated[Path, typer.Option(metavar="OUT.jsonl", help="Passages to write.")],
    field: Fields = None,
    source: Annotated[
        str, typer.Option(help="Source of what names none; the file's name by default.")
    ] = "",
    licence: Annotated[str, typer.Option(help="Licence of what names none.")] = "",
    lang: Annotated[
        str, typer.Option(help="Language of what names none; guessed by default.")
    ] = "",
    least_words: Annotated[
        int, typer.Option(min=1, help="Shorter passages are left out; punctuation is not counted.")
    ] = 90,
    most_words: Annotated[int, typer.Option(min=1, help="Longer texts are cut.")] = 300,
    near: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Drop a passage if more than this share of its runs of 13 words stands in earlier "
            "ones; 1 drops exact duplicates alone.",
        ),
    ] = 0.5,
    against: HeldOut = None,
) -> None:
    """Cut texts into passages at the ends of paragraphs and sentences, and drop duplicates.

    Beside OUT.jsonl stands OUT.manifest.json (inputs, settings, counts, hashes). The same inputs
    give the same passages with the same ids.
    """
    with refusals():
        from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
        from compressor.training import collect as collecting  # noqa: PLC0415
        from compressor.training import texts  # noqa: PLC0415
        from compressor.training.collection_run import collect_files  # noqa: PLC0415

        if least_words > most_words:
            raise DatasetError(f"--least-words {least_words} is over --most-words {most_words}")
        for path in paths:
            refuse_same(path, out)
        settings = collecting.CollectSettings(least_words, most_words, near)
        fields = texts.Fields.parse(field or ())
        defaults = texts.Defaults(source, lang, licence)
        files = [(f, n) for f, n in texts.find_files(paths) if f.resolve() != out.resolve()]
        with progress("collecting", len(files)) as advance:
            found = collect_files(
                files, out, settings, fields, defaults, against=against or (), advance=advance
            )
    for what, count in found.counts.items():
        typer.echo(f"{count:8,} {what}")
    for name, count in found.by_source().items():
        typer.echo(f"{count:8,} from {name}")
    typer.echo(f"{len(found.passages):8,} passages written to {out}")


def without_overlap(
    passages: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Passages, labelled or not.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Passages to write.")],
    against: HeldOut = None,
    held_out_only: Annotated[
        bool,
        typer.Option(
            "--held-out-only",
            help="Of the --against files, look only at the documents that `tersely train` holds "
            "out for validation.",
        ),
    ] = False,
) -> None:
    """Drop passages that share a run of 13 words with held-out text, so that no score is inflated.

    Lines are written as they are read, with all their fields.
    """
    with refusals():
        from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
        from compressor.training.collection_run import drop_overlap  # noqa: PLC0415

        if not against:
            raise DatasetError("name the held-out text: --against HELD_OUT.jsonl")
        refuse_same(passages, out)
        kept, dropped = drop_overlap(passages, out, against, held_out_only=held_out_only)
    typer.echo(f"{dropped:8,} dropped, {kept:,} passages written to {out}")


def refuse_same(given: Path, out: Path) -> None:
    """Refuse to write over what is read. Raises DatasetError."""
    from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415

    if given.resolve() == out.resolve():
        raise DatasetError(f"{out} is what is read; name another file to write")
