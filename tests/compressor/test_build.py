import pytest
from cryptography.fernet import Fernet

from compressor.build import build_part_compressor
from compressor.types import CacheState, Failure, Settings

HALF = Settings(rate=0.5)
TEXT = (
    "Good morning everyone, and thank you all very much for coming in today. As most of you will "
    "probably already know, the council has decided that the old bridge is going to be closed. "
) * 4


async def test_copies_built_alike_share_encrypted_results(valkey_url: str) -> None:
    errors: list[None] = []
    options = {
        "redis_url": valkey_url,
        "call_budget_ms": 5_000,
        "encryption_key": Fernet.generate_key().decode(),
        "on_shared_error": lambda: errors.append(None),
    }
    one = build_part_compressor(workers=1, **options)  # type: ignore[arg-type] # by name
    other = build_part_compressor(memory_bytes=0, **options)  # type: ignore[arg-type] # by name
    try:
        await one.start()
        assert one.degraded() == {}
        mine = await one.compress(TEXT, HALF, tenant="t", deadline_ms=60_000)
        assert mine.failure is None
        assert len(mine.text) < len(TEXT)
        theirs = await other.compress(TEXT, HALF, tenant="t", deadline_ms=60_000)
        assert (theirs.text, theirs.cache) == (mine.text, CacheState.SHARED)
        again = await one.compress(TEXT, HALF, tenant="t", deadline_ms=60_000)
        assert (again.text, again.cache) == (mine.text, CacheState.MEMORY)
        assert not errors
    finally:
        await one.close()
        await other.close()


async def test_a_classifier_that_is_not_there_costs_no_request() -> None:
    parts = build_part_compressor(classifier="/nowhere/at/all", backend="onnx")
    try:
        await parts.start()
        assert "/nowhere/at/all" in parts.degraded()["classifier"]
        outcome = await parts.compress(TEXT, HALF, tenant="t", deadline_ms=60_000)
        assert (outcome.text, outcome.failure) == (TEXT, Failure.CLASSIFIER_UNAVAILABLE)
    finally:
        await parts.close()


async def test_more_than_the_queue_takes_goes_as_the_original() -> None:
    parts = build_part_compressor(max_queued_tokens=10)
    try:
        outcome = await parts.compress(TEXT, HALF, tenant="t", deadline_ms=60_000)
        assert (outcome.text, outcome.failure) == (TEXT, Failure.OVERLOADED)
    finally:
        await parts.close()


def test_values_that_cannot_be_used_are_errors_at_once() -> None:
    with pytest.raises(ValueError, match="redis://"):
        build_part_compressor(redis_url="http://nowhere")
    with pytest.raises(ValueError, match="Fernet"):
        build_part_compressor(redis_url="redis://nowhere", encryption_key="short")
