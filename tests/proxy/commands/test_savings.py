import asyncio
import json
import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from proxy.commands.savings import _parse_since, savings
from proxy.ledger.queued import QueuedSink
from proxy.ledger.redis_stream import RedisStreamSink
from proxy.ledger.sqlite import SqliteSink
from proxy.savings import SavingsRecord
from tests.proxy.ledger.records import make_record

CONFIG = """\
upstreams: {{openai: {{base_url: https://api.openai.com/v1, api_key_env: NOT_SET_HERE}}}}
routes: [{{policy: balanced, upstream: openai}}]
cache: {cache}
savings: {{path: {path}, stream: {stream}}}
"""


def run(*arguments: Any, environ: dict[str, str] | None = None) -> Any:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(savings)
    return CliRunner().invoke(app, [str(a) for a in arguments], env=environ or {})


def write(sink: QueuedSink, records: Sequence[SavingsRecord]) -> None:
    async def all_of_them() -> None:
        await sink.start()
        for record in records:
            sink.write(record)
        await sink.close()

    asyncio.run(all_of_them())
    assert sink.dropped == 0


def configured(tmp_path: Path, cache: str = "{}", stream: str = "s") -> tuple[Path, Path]:
    config, path = tmp_path / "config.yaml", tmp_path / "savings.db"
    config.write_text(CONFIG.format(path=path, cache=cache, stream=stream))
    return config, path


def test_the_file_of_the_config_is_shown(tmp_path: Path) -> None:
    config, path = configured(tmp_path)
    write(SqliteSink(path), [make_record(1), make_record(2, model="gpt-4o-mini")])
    result = run("--config", config, "--by", "model")
    assert result.exit_code == 0, result.output
    heading, *lines = result.stdout.splitlines()
    assert heading == f"Savings in {path}, 2026-09-21 14:13 to 2026-09-21 14:13 UTC"
    assert "saved 1,200 (60.0%)" in result.stdout
    assert "gpt-4o-mini" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(len(line) for line in lines) <= 80


def test_json_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    write(SqliteSink(path), [make_record(1), make_record(2)])
    result = run("--path", path, "--json", "--by", "day")
    values = json.loads(result.stdout)
    assert values["source"] == str(path)
    assert values["total"]["tokens_saved"] == 1200
    assert values["groups"][0]["name"] == "2026-09-21"
    assert values["unreadable_records"] == 0


def test_since_leaves_out_what_was_before(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    write(SqliteSink(path), [make_record(0), make_record(1, at=make_record().at + 86_400)])
    result = run("--path", path, "--json", "--since", "2026-09-22")
    assert json.loads(result.stdout)["total"]["requests"] == 1
    assert json.loads(result.stdout)["since"] == "2026-09-22T00:00:00+00:00"
    result = run("--path", path, "--since", "2030-01-01")
    assert "No records in" in result.stdout
    assert "since 2030-01-01 00:00 UTC" in result.stdout


def test_an_empty_ledger_says_how_to_fill_it(tmp_path: Path) -> None:
    config, path = configured(tmp_path)
    result = run("--config", config)
    assert result.exit_code == 0
    assert f"No records yet in {path}." in result.stdout
    assert "tersely serve" in result.stdout
    assert not path.exists()  # a report writes nothing
    assert json.loads(run("--config", config, "--json").stdout)["total"]["requests"] == 0


def test_the_shared_stream_is_read_when_there_is_one(tmp_path: Path, valkey_url: str) -> None:
    key = f"savings-{uuid.uuid4().hex}"
    for number in range(2):  # two copies of the proxy
        write(RedisStreamSink(valkey_url, key, 1000), [make_record(number)])
    config, _ = configured(tmp_path, "{url_env: REDIS_URL}", key)
    result = run("--config", config, environ={"REDIS_URL": valkey_url})
    assert result.exit_code == 0, result.output
    assert f"Savings in Redis stream {key}" in result.stdout
    assert "saved 1,200" in result.stdout


def test_a_shared_stream_that_is_not_set_here_is_told(tmp_path: Path) -> None:
    config, path = configured(tmp_path, "{url_env: REDIS_URL_NOT_SET}")
    write(SqliteSink(path), [make_record()])
    result = run("--config", config)
    assert result.exit_code == 0
    assert "Note: REDIS_URL_NOT_SET is not set here" in result.stderr
    assert "saved 600" in result.stdout


def _fails(result: Any, *parts: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    for part in parts:
        assert part in result.stderr


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"this is not a database. " * 100)
    _fails(run("--path", junk), str(junk), "not a database")
    _fails(run("--path", tmp_path / "none.db"), "there is no savings file at")
    _fails(run("--path", tmp_path), str(tmp_path))
    bad = tmp_path / "bad.yaml"
    bad.write_text("routes: 3\n")
    _fails(run("--config", bad), "bad.yaml")


def test_a_stream_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    config, _ = configured(tmp_path, "{url_env: REDIS_URL}")
    result = run("--config", config, environ={"REDIS_URL": "redis://u:hunter2@127.0.0.1:1"})
    _fails(result, "cannot read the savings stream")
    assert "hunter2" not in result.output


def test_unreadable_records_are_told(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    write(SqliteSink(path), [make_record(1), make_record(2)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET record = '{\"v\": 7}' WHERE number = 1")
    result = run("--path", path)
    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    assert "1 records could not be read and are not counted" in told
    assert "schema version 7" in told


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds_ago"),
    [
        ("30m", 1_800),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("2026-11-23", 43_200),
        ("2026-11-23T11:00", 3_600),
        ("2026-11-23T12:00:00+01:00", 3_600),
        ("2026-11-23T11:59:00Z", 60),
    ],
)
def test_since(text: str, seconds_ago: int) -> None:
    assert _parse_since(text, NOW) == NOW.timestamp() - seconds_ago


def test_since_before_time_began_is_everything() -> None:
    assert _parse_since("99999999999w", NOW) == 0.0


@pytest.mark.parametrize("text", ["", "yesterday", "24", "h", "-3d", "1.5h", "2026-13-01"])
def test_a_since_that_is_none_is_explained(text: str) -> None:
    result = run("--since", text, "--path", "x")
    assert result.exit_code == 2
    assert "neither a span such as" in result.stderr
