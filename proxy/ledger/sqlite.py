"""The savings file: SQLite in WAL mode, the store that needs nothing to be started."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from proxy.ledger.queued import OnDropped, QueuedSink, StoreError
from proxy.ledger.serial import RecordError, from_json, pack_parts, to_json
from proxy.savings import SavingsRecord

Connect = Callable[[Path], sqlite3.Connection]

_APPLICATION_ID = 0x5465_7273  # "Ters": tells our file from another program's
_BUSY_MS = 2_000
_PAGE = 2_000
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)

# The statements that lead from each schema version to the next; only ever added to.
# `record` is JSON text that SQL can look into (record ->> '$.report.policy'); the parts, which
# are most of the bytes and of use to readers only, stand beside it compressed.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE records (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
        " at REAL NOT NULL, record TEXT NOT NULL, parts BLOB)",
        "CREATE INDEX records_at ON records (at)",
    ),
)
_SCHEMA_VERSION = len(_MIGRATIONS)


class SqliteSink(QueuedSink[SavingsRecord]):
    """Writes records to the SQLite file at `path`; several proxies may share one file.

    A batch is committed and synced to the disk 0.25 s after its first record, so that neither a
    crash of the process nor of the machine costs more than that.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_dropped: OnDropped | None = None,
        connect: Connect | None = None,
        max_waiting: int = 50_000,
        gather_seconds: float = 0.25,
        retry_seconds: float = 0.5,
        close_seconds: float = 5.0,
    ) -> None:
        super().__init__(
            "sqlite",
            _SqliteStore(path, connect or _connect),
            on_dropped=on_dropped,
            max_waiting=max_waiting,
            gather_seconds=gather_seconds,
            retry_seconds=retry_seconds,
            close_seconds=close_seconds,
        )
        self.path = path


def read_sqlite(path: Path, since: float | None = None) -> Iterator[SavingsRecord | RecordError]:
    """Yield the file's records by time, those at or after `since` (epoch seconds).

    A row that cannot be read is yielded as the error that says why. Read page by page, so that a
    long report never keeps a running proxy from tidying its file. Raises FileNotFoundError, or
    StoreError for a file that is not a savings file.
    """
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if not path.is_file():
        raise StoreError(f"cannot read {path}: it is not a file")
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_MS / 1000)) as connection:
            _check_owner(connection, path)
            if _version(connection):
                yield from _rows(connection, since)
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {path}: {error}") from error


def _rows(
    connection: sqlite3.Connection, since: float | None
) -> Iterator[SavingsRecord | RecordError]:
    at, number = (float("-inf") if since is None else since), -1
    while True:
        page = connection.execute(
            "SELECT at, number, record, parts FROM records WHERE (at, number) > (?, ?)"
            " ORDER BY at, number LIMIT ?",
            (at, number, _PAGE),
        ).fetchall()
        for at, number, record, parts in page:  # noqa: B007  (the last row starts the next page)
            try:
                yield from_json(record, parts)
            except RecordError as error:
                yield error
        if len(page) < _PAGE:
            return


class _SqliteStore:
    """The writing side. Every method runs on the sink's thread."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def open(self) -> None:
        try:
            self._create_file()
            connection = self._connect(self._path)
            self._connection = connection
            _check_owner(connection, self._path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            _migrate(connection)
            self._inode = self._path.stat().st_ino
        except (OSError, sqlite3.Error) as error:
            raise StoreError(self._explain(error)) from error

    def append(self, records: Sequence[SavingsRecord]) -> None:
        try:
            if self._path.stat().st_ino != self._inode:
                raise StoreError(f"{self._path} was replaced by another file; opening that one")
            connection = self._connection
            if connection is None:
                raise StoreError(f"{self._path} is not open")
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO records (id, at, record, parts) VALUES (?, ?, ?, ?)",
                    map(_row, records),
                )
        except (OSError, sqlite3.Error) as error:
            raise StoreError(self._explain(error)) from error

    def close(self) -> None:
        if self._connection is not None:
            # A connection whose disk is gone cannot tidy up; what was committed is in the WAL.
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _create_file(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of this one.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))

    def _explain(self, error: OSError | sqlite3.Error) -> str:
        text = f"cannot write the savings file {self._path}: "
        if isinstance(error, OSError):
            return text + (error.strerror or str(error))
        if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
            return f"{text}{error}; move it away and a new one is made"
        return text + str(error)


def _row(record: SavingsRecord) -> tuple[str, float, str, bytes | None]:
    header = to_json(record, parts=False).decode()
    return record.id, record.at, header, pack_parts(record.report.parts)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level="IMMEDIATE")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError for another program's database and for a later version's file."""
    connection.execute("BEGIN")  # both of one moment: another process may be making the tables
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    connection.rollback()
    if application != _APPLICATION_ID and (application or tables):
        raise StoreError(
            f"{path} is the database of another program; give savings.path a file of its own"
        )
    version = _version(connection)
    if version > _SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a later version of Tersely (schema {version}, this one knows "
            f"{_SCHEMA_VERSION}); upgrade, or give savings.path another file"
        )


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema to this version. Safe when several processes do it at once."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statements in _MIGRATIONS[_version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
