import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from compressor.loading import BackgroundLoader, EarlyLoad, NotLoaded


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


async def test_it_loads_once_for_all_who_wait(threads: ThreadPoolExecutor) -> None:
    calls: list[int] = []
    gate = Event()

    def load() -> str:
        calls.append(1)
        gate.wait(5)
        return "loaded"

    loader = BackgroundLoader(load, threads)
    assert loader.trouble == "not loaded yet"
    waiting = [asyncio.create_task(loader.get()) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*waiting) == ["loaded"] * 3
    assert await loader.get() == "loaded"
    assert (len(calls), loader.trouble) == (1, None)
    await loader.close()


async def test_a_failure_is_told_at_once_while_it_rests(threads: ThreadPoolExecutor) -> None:
    calls: list[int] = []

    def load() -> str:
        calls.append(1)
        raise OSError("no such file")

    loader = BackgroundLoader(load, threads, first_rest=1000)
    for _ in range(3):
        with pytest.raises(NotLoaded, match="no such file") as caught:
            await loader.get()
        assert isinstance(caught.value.__cause__, OSError)
    assert len(calls) == 1
    assert "next try in 1000 s" in (loader.trouble or "")
    await loader.close()


async def test_it_tries_again_by_itself(threads: ThreadPoolExecutor) -> None:
    left = [OSError(), OSError()]

    def load() -> str:
        if left:
            raise left.pop()
        return "loaded"

    loader = BackgroundLoader(load, threads, first_rest=0.001, longest_rest=0.001)
    await loader.attempt()
    async with asyncio.timeout(5):
        while loader.loaded is None:
            await asyncio.sleep(0)
    assert await loader.get() == "loaded"
    await loader.close()


async def test_close_ends_the_wait(threads: ThreadPoolExecutor) -> None:
    gate = Event()
    loader = BackgroundLoader(lambda: gate.wait(5), threads)
    waiting = asyncio.create_task(loader.get())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await loader.close()
    with pytest.raises(NotLoaded):
        await waiting
    gate.set()


def test_a_load_begins_before_anybody_asks() -> None:
    begun, calls = Event(), [0]

    def load() -> str:
        calls[0] += 1
        begun.set()
        return "loaded"

    early = EarlyLoad(load)
    assert begun.wait(5)
    assert (early(), calls[0]) == ("loaded", 1)
    assert (early(), calls[0]) == ("loaded", 2)  # as plain `load` would


def test_an_early_load_that_fails_is_told_and_tried_again() -> None:
    results: list[str | OSError] = [OSError("no such file"), "loaded"]

    def load() -> str:
        found = results.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    early = EarlyLoad(load)
    with pytest.raises(OSError, match="no such file"):
        early()
    assert early() == "loaded"


def test_a_forked_process_does_not_wait_for_its_parents_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, calls = Event(), [0]

    def load() -> int:
        calls[0] += 1
        if calls[0] == 1:
            gate.wait(5)
        return calls[0]

    early = EarlyLoad(load)
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert early() == 2
    gate.set()
