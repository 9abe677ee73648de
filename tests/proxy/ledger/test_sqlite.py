import asyncio
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.ledger.queued import StoreError
from proxy.ledger.serial import RecordError
from proxy.ledger.sqlite import SqliteSink, _check_owner, _connect, _migrate, read_sqlite
from proxy.savings import PartReport, SavingsRecord
from tests.proxy.ledger.records import make_record, records, until_degraded


@asynccontextmanager
async def running(path: Path, **options: Any) -> AsyncIterator[SqliteSink]:
    sink = SqliteSink(path, **{"gather_seconds": 0.01, "retry_seconds": 0.05} | options)
    await sink.start()
    try:
        yield sink
    finally:
        await sink.close()


async def write(path: Path, many: Sequence[SavingsRecord]) -> SqliteSink:
    async with running(path) as sink:
        for record in many:
            sink.write(record)
    return sink


async def until_readable(path: Path, count: int) -> None:
    """Wait until another connection sees that many records."""
    async with asyncio.timeout(10):
        while len(list(read_sqlite(path))) < count:
            await asyncio.sleep(0.01)


async def test_records_come_back_in_the_order_of_their_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "savings.db"
    many = [make_record(number) for number in (3, 1, 2)]
    sink = await write(path, many)
    assert sink.degraded() is None
    assert list(read_sqlite(path)) == [make_record(number) for number in (1, 2, 3)]


@given(many=st.lists(records, max_size=5, unique_by=lambda record: record.id))
@settings(max_examples=15, deadline=None)
def test_any_record_comes_back(tmp_path_factory: pytest.TempPathFactory, many: Any) -> None:
    path = tmp_path_factory.mktemp("ledger") / "savings.db"
    asyncio.run(write(path, many))
    assert sorted(read_sqlite(path), key=lambda r: r.id) == sorted(many, key=lambda r: r.id)


async def test_reading_goes_past_a_page(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    same_time = make_record(0).at
    await write(path, [make_record(number, at=same_time) for number in range(4_500)])
    assert len({record.id for record in read_sqlite(path)}) == 4_500


async def test_since_takes_the_moment_itself(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    await write(path, [make_record(number) for number in range(5)])
    found = [record.id for record in read_sqlite(path, make_record(3).at)]
    assert found == [make_record(3).id, make_record(4).id]


async def test_records_are_there_while_the_proxy_runs(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    async with running(path) as sink:
        sink.write(make_record())
        await until_readable(path, 1)


async def test_a_killed_process_keeps_what_was_written(tmp_path: Path) -> None:
    """SIGKILL after the record became visible, with no close and no clean-up."""
    path = tmp_path / "savings.db"
    code = (
        "import asyncio, sys, pathlib\n"
        "from proxy.ledger.sqlite import SqliteSink\n"
        "from tests.proxy.ledger.records import make_record\n"
        "async def main():\n"
        "    sink = SqliteSink(pathlib.Path(sys.argv[1]))\n"
        "    await sink.start()\n"
        "    sink.write(make_record())\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        async with asyncio.timeout(30):
            while not path.exists() or not list(read_sqlite(path)):
                assert process.poll() is None
                await asyncio.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert list(read_sqlite(path)) == [make_record()]


def test_a_file_that_another_process_is_making_is_not_taken_for_another_programs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "savings.db"
    path.touch()
    made: list[str] = []

    def make(statement: str) -> None:
        """Let another process make the tables just before they are counted, unless it must wait."""
        if "sqlite_schema" in statement:
            made.append(statement)
            with (
                closing(sqlite3.connect(path, timeout=0)) as other,
                suppress(sqlite3.OperationalError),
            ):
                _migrate(other)

    with closing(_connect(path)) as connection:
        connection.set_trace_callback(make)
        _check_owner(connection, path)
    assert made


async def test_only_the_user_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "own" / "savings.db"
    async with running(path) as sink:
        sink.write(make_record())
        await until_readable(path, 1)
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["savings.db", "savings.db-shm", "savings.db-wal"]
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_record_sent_twice_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    await write(path, [make_record(), make_record()])
    await write(path, [make_record()])
    assert list(read_sqlite(path)) == [make_record()]


async def test_several_proxies_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    sinks = [SqliteSink(path, gather_seconds=0.001) for _ in range(4)]
    await asyncio.gather(*(sink.start() for sink in sinks))
    for number in range(400):
        sinks[number % 4].write(make_record(number))
        if number % 40 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*(sink.close() for sink in sinks))
    assert [sink.dropped for sink in sinks] == [0, 0, 0, 0]
    assert len(list(read_sqlite(path))) == 400


async def test_sql_can_look_into_a_record(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    await write(path, [make_record()])
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT record ->> '$.model', record ->> '$.report.tokens_before' FROM records"
        ).fetchone()
    assert row == ("gpt-4o", 1000)


def _no_folder(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")


def _a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def _junk(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database. " * 100)


def _another_program(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")


def _later_version(path: Path) -> None:
    path.parent.mkdir()
    asyncio.run(write(path, []))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


UNUSABLE = [
    (_no_folder, "File exists|Not a directory"),
    (_a_folder, "Is a directory"),
    (_junk, "file is not a database; move it away and a new one is made"),
    (_another_program, "is the database of another program; give savings.path a file of its own"),
    (_later_version, "was written by a later version of Tersely"),
]


@pytest.mark.parametrize(("prepare", "why"), UNUSABLE)
def test_an_unusable_file_is_said_and_left_alone(tmp_path: Path, prepare: Any, why: str) -> None:
    path = tmp_path / "data" / "savings.db"
    prepare(path)
    before = path.read_bytes() if path.is_file() else None

    async def run() -> str | None:
        async with running(path) as sink:
            sink.write(make_record())
            return sink.degraded()

    degraded = asyncio.run(run())
    assert degraded is not None
    assert re.search(why, degraded)
    assert str(path) in degraded
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize(("prepare", "why"), UNUSABLE[2:])
def test_reading_an_unusable_file_says_why(tmp_path: Path, prepare: Any, why: str) -> None:
    path = tmp_path / "data" / "savings.db"
    prepare(path)
    with pytest.raises(StoreError, match=why.partition(";")[0]):
        list(read_sqlite(path))


def test_reading_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_sqlite(tmp_path / "savings.db"))


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    path.touch()
    assert list(read_sqlite(path)) == []


async def test_a_row_that_cannot_be_read_is_reported_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    await write(path, [make_record(1), make_record(2)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET record = '{}' WHERE id = ?", (make_record(1).id,))
    first, second = read_sqlite(path)
    assert isinstance(first, RecordError)
    assert second == make_record(2)


class Disk:
    """Connections whose file may not grow past `pages`, as on a full disk."""

    def __init__(self) -> None:
        self.pages = 0

    def connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level="IMMEDIATE")
        if self.pages:
            connection.execute(f"PRAGMA max_page_count = {self.pages}")
        return connection


async def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    disk = Disk()
    disk.pages = 30
    many = [
        make_record(
            number, parts=(PartReport("p", "user", f"{number}" * 3_000, 9, 9),), note="n" * 900
        )
        for number in range(300)
    ]
    async with running(path, connect=disk.connect) as sink:
        for record in many:
            sink.write(record)
        assert "database or disk is full" in await until_degraded(sink)
        disk.pages = 0
        await until_readable(path, 300)
    assert sink.dropped == 0
    assert sink.degraded() is None


async def test_a_read_only_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    await write(path, [make_record(1)])

    def connect(file: Path) -> sqlite3.Connection:
        return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level="IMMEDIATE")

    async with running(path, connect=connect) as sink:
        sink.write(make_record(2))
        assert "readonly database" in await until_degraded(sink)
    assert sink.dropped == 1


async def test_a_locked_file_is_said_and_written_once_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"

    def connect(file: Path) -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=0.01, isolation_level="IMMEDIATE")

    async with running(path, connect=connect) as sink:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            sink.write(make_record())
            assert "database is locked" in await until_degraded(sink)
            other.execute("ROLLBACK")
        await until_readable(path, 1)


async def test_a_file_deleted_while_the_proxy_runs_is_made_again(tmp_path: Path) -> None:
    """SQLite would go on writing to the deleted file and report success."""
    path = tmp_path / "savings.db"
    async with running(path) as sink:
        sink.write(make_record(1))
        await until_readable(path, 1)
        for file in tmp_path.iterdir():
            file.unlink()
        sink.write(make_record(2))
        await until_degraded(sink)
        async with asyncio.timeout(10):
            while not path.exists():
                await asyncio.sleep(0.01)
        await until_readable(path, 1)
    assert list(read_sqlite(path)) == [make_record(2)]
    assert sink.dropped == 0


async def test_a_damaged_file_moved_away_is_replaced_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "savings.db"
    path.write_bytes(b"this is not a database. " * 100)
    async with running(path) as sink:
        sink.write(make_record())
        assert "move it away" in await until_degraded(sink)
        path.rename(tmp_path / "damaged.db")
        await until_degraded(sink, degraded=False)
        await until_readable(path, 1)
