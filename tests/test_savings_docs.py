"""docs/savings.md says what the code does: its examples are run and its lists compared."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from proxy.ledger.log import line_fields
from proxy.ledger.report import as_dict
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.summary import summarise
from proxy.metrics import Metrics
from proxy.prices import PriceTable
from proxy.savings import PartReport, SavingsRecord, Treatment, Usage
from tests.proxy.commands.test_savings import run, write
from tests.proxy.ledger.records import make_record
from tests.proxy.test_prices import NOTHING, price

PAGE = (Path(__file__).parent.parent / "docs" / "savings.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def block(language: str) -> Iterator[str]:
    """The page's code blocks in one language."""
    return (text for name, text in BLOCKS if name == language)


def example_records() -> list[SavingsRecord]:
    """The ledger behind the page's example."""
    short = (PartReport("messages.0.content", "user", "31 tokens, below min_tokens 200", 31, 31),)
    hit = (PartReport("messages.0.content", "user", "rate 0.5", 4000, 2000, cache="memory"),)
    late = PartReport("messages.0.content", "user", "late", 900, 900, failure="deadline")
    long: dict[str, Any] = {"tokens_before": 4000, "tokens_after": 2000, "tokens_sent": 2000}
    chat: dict[str, Any] = {"tokens_before": 31, "tokens_after": 31, "tokens_sent": 31}
    asked = {"price_source": "config as of 2026-11-01", "usage": Usage(2040, 300, 0)}
    reused = {"price_source": "config as of 2026-11-01", "usage": Usage(2040, 300, 1024)}
    return [
        make_record(1, **long, **asked, dollars_saved=0.005),
        make_record(2, **long, **reused, dollars_saved=0.0037, parts=hit, compress_ms=0.4),
        make_record(
            3,
            **chat,
            model="local-model",
            treatment=Treatment.UNCHANGED,
            parts=short,
            compress_ms=0.0,
            usage=Usage(),
        ),
        make_record(4, **long, model="local-model", dollars_saved=None, usage=Usage()),
        make_record(5, **long, **asked, status=429, dollars_saved=None),
        make_record(
            6,
            tokens_before=900,
            tokens_after=900,
            tokens_sent=900,
            treatment=Treatment.FAILED_OPEN,
            parts=(late,),
            compress_ms=2000.0,
        ),
    ]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "savings.db"
    write(SqliteSink(path), example_records())
    return path


def test_the_report_is_what_the_page_shows(ledger: Path) -> None:
    example = next(text for text in block("console") if len(text.splitlines()) > 10)
    command, _, expected = example.partition("\n")
    arguments = command.removeprefix("$ tersely savings ").split()
    shown = run("--path", ledger, *arguments).stdout
    heading, _, body = shown.partition("\n")
    assert heading.startswith("Savings in ")
    assert _trimmed(body) == _trimmed(expected.partition("\n")[2])


def test_every_command_on_the_page_runs(ledger: Path) -> None:
    commands = re.findall(r"^\$ tersely savings(.*)$", PAGE, re.MULTILINE)
    assert len(commands) >= 4
    for arguments in commands:
        result = run("--path", ledger, *arguments.split())
        assert result.exit_code == 0, result.output


def test_the_queries_on_the_page_run(ledger: Path) -> None:
    queries = list(block("sql"))
    assert queries
    with closing(sqlite3.connect(ledger)) as connection:
        for query in queries:
            rows = connection.execute(query).fetchall()
            assert ("gpt-4o", 2, 4000) in rows


def test_the_price_example_on_the_page() -> None:
    table = PriceTable({"m": price(input=2.5, cached_input=1.25)}, published=NOTHING)
    dollars, _ = table.dollars_saved("m", 2000, Usage(2040, 0, 1020))
    assert dollars == pytest.approx(0.00375)
    assert "$0.00375" in PAGE


def test_every_number_of_the_report_is_explained() -> None:
    for name in as_dict(summarise([]))["total"]:
        assert f"`{name}`" in PAGE, name


def test_every_member_of_the_log_line_is_explained() -> None:
    for name in line_fields(make_record()):
        assert f"`{name}`" in PAGE, name


def test_every_metric_is_explained() -> None:
    body = Metrics().render()[0].decode()
    names = set(re.findall(r"^# TYPE (tersely_\w+)", body, re.MULTILINE))
    assert len(names) > 10
    for name in names:
        assert f"`{name}`" in PAGE, name


def test_nothing_is_recorded_that_the_page_does_not_name() -> None:
    """The page promises what a record never holds, so a new member has to be written down."""
    for kind in (SavingsRecord, Usage, PartReport):
        for member in fields(kind):
            assert f"`{member.name}`" in PAGE, f"{kind.__name__}.{member.name}"


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
