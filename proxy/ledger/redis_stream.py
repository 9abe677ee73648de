"""The savings stream: a Redis or Valkey stream that every copy of the proxy adds to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from proxy.ledger.queued import OnDropped, QueuedSink, StoreError
from proxy.ledger.serial import RecordError, from_json, pack_parts, to_json
from proxy.savings import SavingsRecord

_TIMEOUT_SECONDS = 2.0
_PAGE = 1_000
# An entry's own id is the server's clock when it was added, which is later than the record's time
# but for clocks that disagree by up to this much.
_CLOCK_SKEW_SECONDS = 600

_Page = Sequence[tuple[bytes, Mapping[bytes, bytes]]]


class RedisStreamSink(QueuedSink[SavingsRecord]):
    """Adds records to the stream `key`, which keeps about the last `max_records` of all copies.

    While the server is away up to `max_waiting` records wait. After a connection that breaks
    during a call the batch is sent again, so an entry can come twice; readers drop the second by
    the record's id.
    """

    def __init__(
        self,
        url: str,
        key: str,
        max_records: int,
        *,
        on_dropped: OnDropped | None = None,
        max_waiting: int = 50_000,
        gather_seconds: float = 0.25,
        retry_seconds: float = 0.5,
        close_seconds: float = 5.0,
    ) -> None:
        super().__init__(
            "redis",
            _RedisStore(url, key, max_records),
            on_dropped=on_dropped,
            max_waiting=max_waiting,
            gather_seconds=gather_seconds,
            retry_seconds=retry_seconds,
            close_seconds=close_seconds,
        )


def read_stream(
    url: str, key: str, since: float | None = None
) -> Iterator[SavingsRecord | RecordError]:
    """Yield the stream's records, each id once, those at or after `since` (epoch seconds).

    An entry that cannot be read is yielded as the error that says why. Raises StoreError.
    """
    seen: set[str] = set()
    try:
        with _client(url) as client:
            for values in _entries(client, key, since):
                found = _record(values)
                if isinstance(found, RecordError):
                    yield found
                elif found.id not in seen and (since is None or found.at >= since):
                    seen.add(found.id)
                    yield found
    except (redis.RedisError, OSError) as error:
        raise StoreError(f"cannot read the savings stream '{key}': {error}") from error


def _entries(client: redis.Redis, key: str, since: float | None) -> Iterator[Mapping[bytes, bytes]]:
    start = "-" if since is None else str(max(0, int((since - _CLOCK_SKEW_SECONDS) * 1000)))
    while True:
        # The client's types allow for decoded text and null entries; XRANGE without decoding has
        # neither.
        page = cast("_Page", client.xrange(key, min=start, count=_PAGE))
        for _, values in page:
            yield values
        if len(page) < _PAGE:
            return
        start = "(" + page[-1][0].decode()


def _record(values: Mapping[bytes, bytes]) -> SavingsRecord | RecordError:
    try:
        return from_json(values.get(b"record", b""), values.get(b"parts"))
    except RecordError as error:
        return error


def _client(url: str) -> redis.Redis:
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the sink tries again by itself
        )
    except ValueError as error:
        raise StoreError(f"the cache address is not a Redis address: {error}") from error


class _RedisStore:
    """The writing side. Every method runs on the sink's thread."""

    def __init__(self, url: str, key: str, max_records: int) -> None:
        self._url = url
        self._key = key
        self._max_records = max_records
        self._client: redis.Redis | None = None

    def open(self) -> None:
        client = _client(self._url)
        self._client = client
        try:
            client.ping()
        except (redis.RedisError, OSError) as error:
            raise StoreError(self._explain(error)) from error

    def append(self, records: Sequence[SavingsRecord]) -> None:
        if self._client is None:
            raise StoreError(f"the savings stream '{self._key}' is not open")
        try:
            pipeline = self._client.pipeline(transaction=False)
            for record in records:
                pipeline.xadd(
                    self._key, _values(record), maxlen=self._max_records, approximate=True
                )
            pipeline.execute()
        except (redis.RedisError, OSError) as error:
            raise StoreError(self._explain(error)) from error

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _explain(self, error: redis.RedisError | OSError) -> str:
        return f"cannot write the savings stream '{self._key}': {error}"


def _values(record: SavingsRecord) -> dict[Any, Any]:  # the client's dict type is invariant
    values: dict[str, bytes] = {"record": to_json(record, parts=False)}
    parts = pack_parts(record.report.parts)
    if parts is not None:
        values["parts"] = parts
    return values
