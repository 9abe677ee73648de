"""`tersely eval`: what compressing costs in answers, on your own sets."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from compressor.evaluation.datasets import QASet
    from compressor.evaluation.registry import Bench
    from compressor.evaluation.summary import Cell

# The evaluation package imports the model runtimes: inside the commands, not for `--help`.

_UNUSABLE = 2
Value = TypeVar("Value")
Data = Annotated[
    Path, typer.Argument(help="Folder that has `qa/` with .jsonl sets, or the sets themselves.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="Only this set; may be repeated. All by default.")
]
Methods = Annotated[
    list[str] | None,
    typer.Option("--method", help="Only this method; may be repeated. All by default."),
]
Rates = Annotated[
    list[float] | None,
    typer.Option(
        "--rate",
        min=0.01,
        max=1,
        help="Tokens kept / tokens before; may be repeated.",
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N documents of each set.")]
Out = Annotated[Path, typer.Option(help="Folder for results; a run in it is taken up again.")]
Classifier = Annotated[
    str, typer.Option(help="`bundled`, `bundled-fast`, a folder, or a hub name (torch extra).")
]
Encoding = Annotated[
    str, typer.Option(help="Tokenizer that counts: o200k_base, cl100k_base, or a tokenizer.json.")
]


def survival(
    data: Data,
    sets: Sets = None,
    method: Methods = None,
    rate: Rates = None,
    limit: Limit = None,
    out: Out = Path("eval-results"),
    classifier: Classifier = "bundled",
    encoding: Encoding = "o200k_base",
) -> None:
    """Measure how many gold answers survive compression, by set, method and rate. Asks no model.

    Rates are 0.8, 0.66, 0.5, 0.33 and 0.2 unless others are given. Writes rows.jsonl (every
    result; what is there is not computed again), survival.json, survival.md and curves.html, and
    prints the tables.
    """
    with refusals():
        from compressor.evaluation import registry, runner, summary  # noqa: PLC0415
        from compressor.evaluation.page import html_page  # noqa: PLC0415

        names, rates = once(method or registry.DEFAULT), once(rate or runner.RATES)
        chosen = read_sets(data, sets)
        for qa_set in chosen:
            runner.require_answers(qa_set.first(limit))
        rows: list[runner.Row] = []
        with registry.workbench(classifier, encoding, out / "windows.db") as bench:
            for qa_set in chosen:
                methods = registry.build(names, of_set(bench, qa_set))
                planned = runner.trials([qa_set.first(limit)], methods, rates)
                with progress(qa_set.name, len(planned)) as advance:
                    rows += runner.run(
                        planned, out / "rows.jsonl", bench.counter, encoding, advance
                    )
        against = "tersely" if "tersely" in names else names[0]
        cells = summary.summarise(rows, against)
        tables = (
            summary.survival_table(cells),
            summary.retention_table(cells),
            summary.differences_table(cells, against),
        )
        report = "\n\n".join(table for table in tables if table)
        write(out / "survival.json", json.dumps([cell.as_dict() for cell in cells], indent=1))
        write(out / "survival.md", report + "\n")
        write(out / "curves.html", html_page(cells))
    typer.echo(report)
    typer.echo(f"\nWritten to {out}: survival.md, survival.json, curves.html, rows.jsonl", err=True)


def speed(
    data: Data,
    sets: Sets = None,
    method: Methods = None,
    rate: Annotated[
        float, typer.Option(min=0.01, max=1, help="Tokens kept / tokens before.")
    ] = 0.5,
    limit: Annotated[int, typer.Option(min=1, help="The first N documents of each set.")] = 20,
    classifier: Classifier = "bundled",
    encoding: Encoding = "o200k_base",
) -> None:
    """Measure tokens per second of every method, the classifier included, text after text."""
    with refusals():
        from compressor.evaluation import registry  # noqa: PLC0415
        from compressor.evaluation.speed import measure  # noqa: PLC0415

        chosen = read_sets(data, sets)
        names = once(method or registry.DEFAULT)
        lines = ["| set | method | documents | tokens | tokens/s |", "|---|---|---|---|---|"]
        with registry.workbench(classifier, encoding, None) as bench:
            for qa_set in chosen:
                methods = registry.build(names, of_set(bench, qa_set))
                cut = qa_set.first(limit)
                total = len(methods) * len(cut.documents)
                with progress(qa_set.name, total) as advance:
                    lines += [
                        f"| {qa_set.name} | {s.method} | {s.documents} | {s.tokens:,} "
                        f"| {s.tokens_per_second:,.0f} |"
                        for s in measure([cut], methods, rate, bench.counter, advance)
                    ]
    typer.echo("\n".join(lines))


def plot(
    out: Annotated[Path, typer.Argument(help="Folder of a `tersely eval survival` run.")] = Path(
        "eval-results"
    ),
    png: Annotated[
        Path | None, typer.Option(help="Picture to write; curves.png in the folder by default.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Page to write; curves.html in the folder by default.")
    ] = None,
) -> None:
    """Draw rate against survival: a PNG (needs the eval extra) and a self-contained HTML page."""
    with refusals():
        from compressor.evaluation.page import html_page  # noqa: PLC0415
        from compressor.evaluation.plot import write_png  # noqa: PLC0415

        cells = read_cells(out / "survival.json")
        page, picture = html or out / "curves.html", png or out / "curves.png"
        write(page, html_page(cells))
        write_png(cells, picture)
    typer.echo(f"Written: {picture}, {page}")


def once(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return an option's values in their order, each once: given twice they would count twice."""
    return tuple(dict.fromkeys(values))


def read_sets(data: Path, names: list[str] | None) -> list["QASet"]:
    """Read the named sets of a folder, all of them without names. Raises DatasetError."""
    from compressor.evaluation.datasets import find_qa_sets, read_qa_set  # noqa: PLC0415

    return [read_qa_set(path) for path in find_qa_sets(data, names or ())]


def of_set(bench: "Bench", qa_set: "QASet") -> "Bench":
    """Return the bench with the whole set as its corpus."""
    return bench.of([document.text for document in qa_set.documents])


def read_cells(path: Path) -> list["Cell"]:
    """Read what `survival` wrote. Raises DatasetError."""
    from compressor.evaluation.datasets import DatasetError, read_json  # noqa: PLC0415
    from compressor.evaluation.summary import Cell  # noqa: PLC0415

    found = read_json(path)
    try:
        cells = [Cell.parse(fields) for fields in found]
    except (TypeError, KeyError):
        raise DatasetError(f"{path}: not a file that `tersely eval survival` wrote") from None
    if not cells:
        raise DatasetError(f"{path}: there are no results in it")
    return cells


def write(path: Path, text: str) -> None:
    """Write a text file, and its folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Advance(Protocol):
    """Called after each step of a command, with what its bar is to be called from then on."""

    def __call__(self, what: str | None = None) -> None:
        """Move the bar on by one."""
        ...


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show a bar on standard error, if that is a terminal; yield what to call after each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    bar = Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda what=None: bar.update(task, advance=1, description=what)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the user can mend into a message and exit code 2."""
    from compressor.classifier.base import ClassifierUnavailable  # noqa: PLC0415
    from compressor.evaluation.ask import AskRefused  # noqa: PLC0415
    from compressor.evaluation.bootstrap import NotComparable  # noqa: PLC0415
    from compressor.evaluation.datasets import DatasetError  # noqa: PLC0415
    from compressor.evaluation.extra import MissingExtra  # noqa: PLC0415
    from compressor.evaluation.registry import UnknownMethod  # noqa: PLC0415
    from compressor.evaluation.scores import ScorerUnavailable  # noqa: PLC0415
    from compressor.tokens import UnknownEncoding  # noqa: PLC0415
    from compressor.training.filters import BadCondition  # noqa: PLC0415
    from compressor.training.settings import SettingsDiffer  # noqa: PLC0415
    from proxy.config import MissingVariable  # noqa: PLC0415

    known = (
        *(
            AskRefused,
            BadCondition,
            ClassifierUnavailable,
            DatasetError,
            MissingExtra,
            MissingVariable,
        ),
        *(NotComparable, ScorerUnavailable, SettingsDiffer, UnknownEncoding, UnknownMethod),
    )
    try:
        yield
    except known as error:
        _refuse(str(error))
    except sqlite3.DatabaseError as error:
        _refuse(f"the file of classifier outputs, windows.db, cannot be used ({error}); delete it")
    except OSError as error:
        _refuse(f"{error.filename or 'a file'}: {error.strerror or error}")


def _refuse(message: str) -> NoReturn:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(_UNUSABLE)
