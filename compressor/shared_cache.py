"""The cache that all copies share, in Redis or Valkey: quick, or done without."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from compressor.bounded_redis import BoundedRedis
from compressor.cache import PartKey
from compressor.cache_entry import Cipher, EntryUnreadable, decode_entry, encode_entry
from compressor.circuit import Circuit
from compressor.types import CompressionResult

_Answer = TypeVar("_Answer")

_MAX_CALLS = 64
_UNREADABLE_SHOWN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the shared cache knows of a part: its compacted result, or that it stays original."""

    result: CompressionResult | None = None
    original_seconds: float = 0.0


class SharedCache:
    """Entries and verdicts in Redis, each call within `call_budget_ms`, never raising.

    After repeated failures the server is left alone for a while. `on_error` is called for every
    failed call and every entry that cannot be read. Raises ValueError for a URL that BoundedRedis
    does not take.
    """

    def __init__(
        self,
        url: str,
        *,
        ttl_seconds: int = 86_400,
        call_budget_ms: int = 20,
        cipher: Cipher | None = None,
        on_error: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bounded = BoundedRedis(url, call_budget_ms=call_budget_ms, max_calls=_MAX_CALLS)
        self._redis = self._bounded.client
        self._ttl_seconds = ttl_seconds
        self._cipher = cipher
        self._on_error = on_error or (lambda: None)
        self._clock = clock
        # Apart, because a read-only or full server still answers reads.
        self._reads = Circuit(clock)
        self._writes = Circuit(clock)
        self._unreadable: tuple[float, str] | None = None

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._bounded.launch(self._connect())

    def degraded(self) -> str | None:
        """Return what does not work now, or None."""
        for verb, circuit in (("reading", self._reads), ("writing", self._writes)):
            if circuit.trouble is not None:
                return f"{verb} fails: {circuit.trouble}"
        if self._unreadable is not None:
            since, trouble = self._unreadable
            if self._clock() - since < _UNREADABLE_SHOWN_SECONDS:
                return f"an entry could not be read: {trouble}"
        return None

    async def find(self, part: PartKey, entry_key: bytes) -> Found:
        """Look a part up; an empty Found when it is not there or could not be had in time."""
        found = await self._call(self._reads, lambda: self._find(part, entry_key))
        return found or Found()

    async def store(
        self, part: PartKey, entry_key: bytes, entry: CompressionResult
    ) -> CompressionResult:
        """Store a compacted result and return the one to use.

        That is another copy's where it came first: results may differ between CPU types, and the
        same text must have one result everywhere.
        """
        name, data = _entry_name(part, entry_key), encode_entry(entry_key, entry)
        stored = await self._call(self._writes, lambda: self._store(name, entry_key, data))
        return stored or entry

    async def keep_original(self, part: PartKey, seconds: float) -> None:
        """Let every copy send this part as the original for a while."""
        name = _verdict_name(part)
        await self._call(
            self._writes,
            lambda: self._redis.set(name, b"original", px=max(1, int(seconds * 1000)), nx=True),
        )

    async def close(self) -> None:
        """Drop running calls and close the connections."""
        await self._bounded.close()

    async def _connect(self) -> None:
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            self._fail(self._reads, error)

    async def _find(self, part: PartKey, entry_key: bytes) -> Found:
        # MGET reads a key of another type as nil, where GET would be an error.
        verdict, data = await self._redis.mget(_verdict_name(part), _entry_name(part, entry_key))
        if verdict is not None:
            left_ms = await self._redis.pttl(_verdict_name(part))
            if left_ms > 0:
                return Found(original_seconds=left_ms / 1000)
        return Found(self._read(entry_key, data))

    async def _store(self, name: str, entry_key: bytes, data: bytes) -> CompressionResult | None:
        if self._cipher is not None:
            data = self._cipher.encrypt(data)
        if await self._redis.set(name, data, ex=self._ttl_seconds, nx=True):
            return None
        (present,) = await self._redis.mget(name)
        earlier = self._read(entry_key, present)
        if earlier is None:
            await self._redis.set(name, data, ex=self._ttl_seconds)
        return earlier

    def _read(self, entry_key: bytes, data: object) -> CompressionResult | None:
        if not isinstance(data, bytes):  # nothing there, or a client set to decode
            return None
        try:
            plain = data if self._cipher is None else self._cipher.decrypt(data)
            return decode_entry(entry_key, plain)
        except EntryUnreadable as error:
            self._unreadable = (self._clock(), str(error))
            self._on_error()
            return None

    async def _call(
        self, circuit: Circuit, command: Callable[[], Awaitable[_Answer]]
    ) -> _Answer | None:
        return await self._bounded.call(circuit, command, self._fail)

    def _fail(self, circuit: Circuit, trouble: str | BaseException) -> None:
        circuit.failed(trouble if isinstance(trouble, str) else _describe(trouble))
        self._on_error()


def _describe(error: BaseException) -> str:
    """Say what happened without what a server may quote of the command: that can be a prompt."""
    name = type(error).__name__
    if not isinstance(error, RedisConnectionError | ResponseError | OSError):
        return name
    return f"{name}: {str(error).partition(', with args')[0][:200]}"


def _entry_name(part: PartKey, entry_key: bytes) -> str:
    # The braces put both names of a part into one slot of a cluster, which MGET asks for.
    return f"tersely:part:{{{part.digest.hex()}}}:{entry_key.hex()}"


def _verdict_name(part: PartKey) -> str:
    return f"tersely:part:{{{part.digest.hex()}}}:original"
