"""`tersely eval corpus`: whether anything that must not be lost is lost, over many texts."""

from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.evaluate import Classifier, once, progress, refusals, write

_FAULTS = 1


def corpus(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Folder that has `distill/unlabelled.jsonl`; without, generated texts alone."
        ),
    ] = None,
    passages: Annotated[
        int, typer.Option(min=0, help="So many passages, as evenly over their sources as goes.")
    ] = 2200,
    generated: Annotated[int, typer.Option(min=0, help="So many generated texts.")] = 300,
    rate: Annotated[
        list[float] | None,
        typer.Option("--rate", min=0.01, max=1, help="Tokens kept / tokens before; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the generated texts.")] = 1,
    show: Annotated[int, typer.Option(min=0, help="So many faults of each kind are shown.")] = 5,
    out: Annotated[
        Path, typer.Option(help="Folder for the table and the classifier's outputs.")
    ] = Path("corpus-results"),
    classifier: Classifier = "bundled",
) -> None:
    """Check that nothing load-bearing is lost: negations, numbers, links, code, JSON, quotes ...

    Every text is shortened at rates 0.75, 0.5, 0.33 and 0.2 unless others are given, and held
    against its source by checkers that share nothing with the compressor. Prints a table and the
    first faults of each kind, writes corpus.md, and exits with 1 where there is any fault. The
    classifier's outputs are kept in the folder, so that a second run is faster.
    """
    with refusals():
        from compressor.evaluation.corpus import generated as texts  # noqa: PLC0415
        from compressor.evaluation.corpus import report, run  # noqa: PLC0415
        from compressor.evaluation.registry import workbench  # noqa: PLC0415

        cases = [] if data is None else run.read_passages(data, passages)
        cases += texts.generate(generated, seed)
        whole = list(texts.prose_in_json(seed, generated // 10))
        with (
            workbench(classifier, "o200k_base", out / "windows.db") as bench,
            progress("corpus", len(cases) + len(whole)) as advance,
        ):
            tally = run.run(cases, bench.compressor, once(rate or run.RATES), whole, advance)
        table = f"{report.domains_line(tally)}\n\n{report.kinds_table(tally)}"
        write(out / "corpus.md", table + "\n")
    typer.echo(table)
    for line in report.fault_lines(tally, show):
        typer.echo(line, err=True)
    if tally.faults:
        typer.echo(f"{len(tally.faults)} faults", err=True)
        raise typer.Exit(_FAULTS)
