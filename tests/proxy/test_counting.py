import threading

import pytest

from compressor.tokens import EncodingChoice
from compressor.types import TokenCounter
from proxy.counting import PromptCounter
from tests.fakes import FakeCounter

LONG = "word " * 100
VERY_LONG = "word " * 10_000


class RecordingTokenizers(FakeCounter):
    """Two encodings; the second counts each word double. Records each text counted, and where."""

    def __init__(self) -> None:
        self.counted: list[str] = []
        self.threads: set[int] = set()
        self.loads: list[str] = []

    def for_model(self, model: str) -> EncodingChoice:
        return EncodingChoice("double" if model == "double" else "words", model == "new")

    def counter(self, encoding: str) -> TokenCounter:
        self.loads.append(encoding)
        return _Double(self) if encoding == "double" else self

    def count(self, text: str) -> int:
        self.counted.append(text)
        self.threads.add(threading.get_ident())
        return super().count(text)


class _Double(FakeCounter):
    def __init__(self, recorder: RecordingTokenizers) -> None:
        self.recorder = recorder

    def count(self, text: str) -> int:
        return 2 * self.recorder.count(text)


@pytest.fixture
def tokenizers() -> RecordingTokenizers:
    return RecordingTokenizers()


@pytest.fixture
def counter(tokenizers: RecordingTokenizers) -> PromptCounter:
    return PromptCounter(tokenizers)


async def test_counts_come_in_order_with_their_encoding(counter: PromptCounter) -> None:
    counts = await counter.count("new", ["a b c", "", LONG, "d"])
    assert counts.tokens == [3, 0, 100, 1]
    assert (counts.encoding, counts.estimated) == ("words", True)
    assert not (await counter.count("old", ["a"])).estimated


async def test_a_long_text_is_counted_once_per_encoding(
    counter: PromptCounter, tokenizers: RecordingTokenizers
) -> None:
    for _ in range(3):
        assert (await counter.count("m", [LONG])).tokens == [100]
    assert (await counter.count("double", [LONG])).tokens == [200]
    assert tokenizers.counted == [LONG, LONG]
    assert tokenizers.loads == ["words", "double"]


async def test_the_least_recently_used_count_is_forgotten_first(
    tokenizers: RecordingTokenizers,
) -> None:
    counter = PromptCounter(tokenizers, max_remembered=2)
    first, second, third = ("1" + LONG, "2" + LONG, "3" + LONG)
    await counter.count("m", [first, second, first, third, first, second])
    assert tokenizers.counted == [first, second, third, second]


async def test_the_first_use_and_long_texts_stay_off_the_event_loop(
    counter: PromptCounter, tokenizers: RecordingTokenizers
) -> None:
    here = threading.get_ident()
    await counter.count("m", ["short"])
    await counter.count("m", [VERY_LONG])
    assert here not in tokenizers.threads
    await counter.count("m", ["short"])
    assert here in tokenizers.threads


async def test_no_texts_load_no_tokenizer(
    counter: PromptCounter, tokenizers: RecordingTokenizers
) -> None:
    assert (await counter.count("m", [])).tokens == []
    assert tokenizers.loads == []


async def test_lone_surrogates_are_counted(counter: PromptCounter) -> None:
    assert (await counter.count("m", ["\ud800 " * 300])).tokens == [300]


async def test_no_owner_profits_from_anothers_count(
    counter: PromptCounter, tokenizers: RecordingTokenizers
) -> None:
    for owner in ("a", "b", "a", "b"):
        await counter.count("old", [LONG], owner=owner)
    assert tokenizers.counted == [LONG, LONG]
