import asyncio

import pytest

from compressor.shared_cache import SharedCache
from tests.compressor.test_shared_cache import ENTRY, OTHER, part, shared_cache


async def test_many_calls_at_once(valkey_url: str) -> None:
    parts = [part() for _ in range(50)]
    async with shared_cache(valkey_url) as cache:
        await asyncio.gather(*(cache.store(key, entry_key, ENTRY) for key, entry_key in parts))
        found = await asyncio.gather(*(cache.find(key, entry_key) for key, entry_key in parts))
        assert [each.result for each in found] == [ENTRY] * 50
        assert cache.degraded() is None


async def test_calls_after_close_are_misses(valkey_url: str) -> None:
    key, entry_key = part()
    async with shared_cache(valkey_url) as cache:
        await cache.store(key, entry_key, ENTRY)
        await cache.close()
        assert (await cache.find(key, entry_key)).result is None
        assert await cache.store(key, entry_key, OTHER) == OTHER


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:6379", ""])
def test_an_address_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="redis://"):
        SharedCache(url)
