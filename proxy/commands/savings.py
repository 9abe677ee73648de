"""`tersely savings`: what the ledger comes to."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.status import Status

from proxy.config import ConfigError, find, load
from proxy.ledger.read import FileSource, Reading, Source, StoreError, StreamSource
from proxy.ledger.report import as_dict, as_text
from proxy.ledger.summary import GroupBy, Report, summarise
from proxy.savings import SavingsRecord

_SPAN = re.compile(r"(\d+)([mhdw])")
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_COUNT_EVERY = 5_000

NO_RECORDS = """\
No records yet in {source}.
Every request through the proxy adds one: start it with `tersely serve`, point OPENAI_BASE_URL at
it and send a request, or run `tersely demo`."""


def savings(
    by: Annotated[GroupBy | None, typer.Option(help="Split the numbers.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only from then on: 30m, 24h, 7d, 2w, or an ISO date (UTC)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="The config.yaml that names the records' place.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="Read this savings file, whatever the config says.")
    ] = None,
) -> None:
    """Show what was saved: tokens, dollars, times and failures."""
    start = None if since is None else _parse_since(since, datetime.now(UTC))
    reading = Reading(_source(config, path), start)
    try:
        with Console(stderr=True).status(f"Reading {reading.source}") as status:
            report = summarise(_counted(reading, status), by)
    except StoreError as error:
        _fail(str(error))
    if as_json:
        typer.echo(orjson.dumps(json_answer(report, reading), option=orjson.OPT_INDENT_2))
    else:
        show(report, reading, Console(highlight=False))


def show(report: Report, reading: Reading, console: Console) -> None:
    """Print the report for people."""
    if report.total.requests:
        # Soft wrap, here and below: a path broken over two lines cannot be copied.
        heading = f"Savings in {reading.source}, {_span(report)}\n"
        console.print(heading, markup=False, soft_wrap=True)
        console.print(as_text(report))
    elif reading.since is not None:
        nothing = f"No records in {reading.source} since {_moment(reading.since)} UTC."
        console.print(nothing, markup=False, soft_wrap=True)
    else:
        console.print(NO_RECORDS.format(source=reading.source), markup=False, soft_wrap=True)
    if reading.unreadable:
        fault = reading.first_fault
        console.print(
            f"\n{reading.unreadable:,} records could not be read and are not counted; the first: "
            f"{fault}",
            markup=False,
        )


def json_answer(report: Report, reading: Reading) -> dict[str, Any]:
    """Return what --json prints."""
    since = reading.since
    return {
        "source": str(reading.source),
        "since": None if since is None else datetime.fromtimestamp(since, UTC).isoformat(),
        "unreadable_records": reading.unreadable,
        **as_dict(report),
    }


def _parse_since(text: str, now: datetime) -> float:
    """Return the epoch seconds that `30m`, `7d`, or an ISO date or time stand for."""
    if span := _SPAN.fullmatch(text):
        return max(now.timestamp() - int(span[1]) * _SECONDS[span[2]], 0.0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is neither a span such as 30m, 24h, 7d or 2w nor an ISO date such as "
            "2026-11-01 or 2026-11-01T08:30",
            param_hint="--since",
        ) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _source(config: Path | None, path: Path | None) -> Source:
    """Return where the records are: the given file, else what the config says."""
    if path is not None:
        if not path.exists():
            _fail(f"there is no savings file at {path}")
        return FileSource(path)
    try:
        # Keys of upstreams are not needed to read records, so they need not be set here.
        loaded = load(find(config), need_secrets=False)
    except ConfigError as error:
        _fail(str(error))
    if loaded.cache.url is not None:
        return StreamSource(loaded.cache.url.get_secret_value(), loaded.savings.stream)
    if loaded.savings.path is None:
        _fail("the config names no savings file; give one with --path")
    if loaded.cache.url_env is not None:
        typer.echo(
            f"Note: {loaded.cache.url_env} is not set here, so the shared stream cannot be read; "
            "these are the records of this machine only.",
            err=True,
        )
    return FileSource(loaded.savings.path)


def _counted(reading: Reading, status: Status) -> Iterator[SavingsRecord]:
    """Pass the records on, and say how many there were so far."""
    for number, record in enumerate(reading, 1):
        if number % _COUNT_EVERY == 0:
            status.update(f"Reading {reading.source}: {number:,} records")
        yield record


def _fail(message: str) -> NoReturn:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(1)


def _span(report: Report) -> str:
    if report.first_at is None or report.last_at is None:
        return ""
    return f"{_moment(report.first_at)} to {_moment(report.last_at)} UTC"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
