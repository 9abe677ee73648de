"""Where the records are, for those who report on them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from proxy.ledger.queued import StoreError
from proxy.ledger.redis_stream import read_stream
from proxy.ledger.serial import RecordError
from proxy.ledger.sqlite import read_sqlite
from proxy.savings import SavingsRecord

__all__ = ["FileSource", "Reading", "Source", "StoreError", "StreamSource"]


@dataclass(frozen=True, slots=True)
class FileSource:
    """The SQLite file of one machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class StreamSource:
    """The Redis stream of all copies. Shown without its address, which may hold a password."""

    url: str = field(repr=False)
    key: str

    def __str__(self) -> str:
        return f"Redis stream {self.key}"


Source = FileSource | StreamSource


@dataclass(slots=True)
class Reading:
    """Iterates over a source's records and counts the ones that cannot be read.

    Raises StoreError while iterating when the source cannot be read at all; a file that does not
    exist, or a stream that nothing was added to, has no records.
    """

    source: Source
    since: float | None = None
    unreadable: int = 0
    first_fault: str | None = None

    def __iter__(self) -> Iterator[SavingsRecord]:
        with suppress(FileNotFoundError):
            for found in self._all():
                if isinstance(found, RecordError):
                    self.unreadable += 1
                    self.first_fault = self.first_fault or str(found)
                else:
                    yield found

    def _all(self) -> Iterator[SavingsRecord | RecordError]:
        if isinstance(self.source, StreamSource):
            return read_stream(self.source.url, self.source.key, self.since)
        return read_sqlite(self.source.path, self.since)
