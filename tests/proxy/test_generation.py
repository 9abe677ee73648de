import asyncio
from typing import Any, cast

from proxy.generation import Generation


async def test_it_ends_behind_its_last_request() -> None:
    services = cast(Any, object())
    generation = Generation(services)
    await generation.ended()
    first, second = generation.serving(), generation.serving()
    assert first.__enter__() is services
    second.__enter__()
    ended = asyncio.create_task(generation.ended())
    first.__exit__(None, None, None)
    await asyncio.sleep(0)
    assert not ended.done()
    second.__exit__(None, None, None)
    await ended
