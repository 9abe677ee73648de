"""`tersely eval compare`: two runs of answer survival against each other."""

from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.evaluate import Methods, Rates, refusals


def compare(
    before: Annotated[Path, typer.Argument(help="Folder of the run to compare with.")],
    after: Annotated[Path, typer.Argument(help="Folder of the run that is compared.")],
    method: Methods = None,
    rate: Rates = None,
) -> None:
    """Say where the second run's answers survive more often than the first's, and where less.

    Both are folders that `tersely eval survival` has written, with another classifier for
    instance. Differences are paired, with 95% intervals by bootstrap over documents; in the mean
    over sets every set counts the same.
    """
    with refusals():
        from compressor.evaluation.compare import compare as compared  # noqa: PLC0415
        from compressor.evaluation.compare import comparison_table  # noqa: PLC0415
        from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
        from compressor.evaluation.runner import Row, read_rows  # noqa: PLC0415

        def rows(folder: Path) -> list[Row]:
            store = folder / "rows.jsonl"
            if not store.is_file():
                raise DatasetError(f"{store} is not there; run `tersely eval survival` first")
            return [
                row
                for row in read_rows(store)
                if (not method or row.method in method) and (not rate or row.rate in rate)
            ]

        found = compared(rows(before), rows(after))
    typer.echo(comparison_table(found))
