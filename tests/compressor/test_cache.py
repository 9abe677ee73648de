import hashlib
import random
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from compressor.cache import MemoryCache, PartKey, compact, expand
from compressor.types import ALL_KINDS, CompressionResult, Kind, Settings, Span, VerifiedCount

HALF = Settings(rate=0.5)
COUNTED = {Kind.NUMBER: VerifiedCount(5, 3, 3, 2)}
ANY_TEXT = st.text(st.characters(), max_size=30)


def result(text: str = "short", **changes: object) -> CompressionResult:
    base = CompressionResult(text, 10, 4, (Span(0, 3),), verified=COUNTED)
    return replace(base, **changes)  # type: ignore[arg-type] # any field, by name


def test_a_thresholds_name_makes_no_key_and_its_number_does() -> None:
    """The number behind a name changes with the calibration, and keys have to change with it."""
    with pytest.raises(ValueError, match="'balanced' is a name"):
        PartKey.of("text", Settings(threshold="balanced"), "t")
    keys = {PartKey.of("text", Settings(threshold=number), "t") for number in (0.5, 0.51)}
    assert len(keys) == 2


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_only_the_same_tenant_and_text_have_the_same_key(a: str, b: str, c: str, d: str) -> None:
    one, other = PartKey.of(a, HALF, b), PartKey.of(c, HALF, d)
    assert (one == other) == ((a, b) == (c, d))


def test_fields_do_not_run_together() -> None:
    assert PartKey.of("bc", HALF, "a") != PartKey.of("c", HALF, "ab")
    assert PartKey.of("1:x", HALF, "") != PartKey.of("", HALF, "1:x")


def test_lone_surrogates_have_keys_of_their_own() -> None:
    keys = {PartKey.of(text, HALF, "t") for text in ("\ud800", "\ud801", "?", "\\ud800")}
    assert len(keys) == 4
    forced = Settings(rate=0.5, force_tokens=("\ud800",))
    assert PartKey.of("x", forced, "t") != PartKey.of("x", HALF, "t")


OTHERS = [
    Settings(rate=0.6),
    Settings(threshold=0.5),
    Settings(target_tokens=5),
    Settings(rate=0.5, protect=frozenset()),
    Settings(rate=0.5, protect=ALL_KINDS - {Kind.URL}),
    Settings(rate=0.5, force_tokens=("a", "b")),
    Settings(rate=0.5, force_tokens=("b", "a")),
    Settings(rate=0.5, force_tokens=("ab",)),
    Settings(rate=0.5, encoding="cl100k_base"),
    Settings(rate=0.5, token_to_word="first"),
    Settings(rate=0.5, force_digits=True),
    Settings(rate=0.5, drop_consecutive=True),
    Settings(rate=0.5, chunk_end_tokens=(".",)),
    Settings(rate=0.5, question="Who?"),
    Settings(rate=0.5, question="When?"),
    Settings(rate=0.5, json_prose=True),
    Settings(rate=0.5, tool_description=True),
]


def test_a_question_blind_key_is_what_it_was_before_there_were_questions() -> None:
    # SHA-256 over the fields "t", '{"rate": 0.5}' and "x", each preceded by its length
    expected = hashlib.sha256(b'tersely part 11:t13:{"rate": 0.5}1:x').digest()
    assert PartKey.of("x", HALF, "t").digest == expected


def test_every_setting_is_in_the_key() -> None:
    assert len({PartKey.of("x", chosen, "t") for chosen in [HALF, *OTHERS]}) == len(OTHERS) + 1
    touched = {
        field.name
        for field in fields(Settings)
        if any(getattr(o, field.name) != getattr(HALF, field.name) for o in OTHERS)
    }
    assert touched == {field.name for field in fields(Settings)}


def test_equal_settings_have_equal_keys() -> None:
    whole, real = Settings(rate=1), Settings(rate=1.0)
    assert PartKey.of("x", whole, "t") == PartKey.of("x", real, "t")
    kinds = list(ALL_KINDS)
    random.Random(1).shuffle(kinds)
    shuffled = Settings(rate=0.5, protect=frozenset(kinds))
    assert PartKey.of("x", shuffled, "t") == PartKey.of("x", HALF, "t")


def test_a_key_stays_the_same_from_one_release_to_the_next() -> None:
    # A changed digest empties every shared cache: change it only on purpose.
    assert PartKey.of("text", HALF, "tenant").digest.hex().startswith(KNOWN)


KNOWN = "478d6a9b1257641c"


def test_the_revision_is_in_the_entry_key() -> None:
    part = PartKey.of("x", HALF, "t")
    assert part.entry("1") != part.entry("2")
    assert part.entry("1") == PartKey.of("x", HALF, "t").entry("1")


def test_a_result_survives_compacting_but_for_spans_and_timings() -> None:
    whole = result(timings_ms={"classify": 3.0})
    assert expand(compact(whole), "a longer source") == replace(whole, kept=())
    same = result("the source", unchanged="nothing to drop", kept=())
    assert compact(same).text == ""
    assert expand(compact(same), "the source") == same


class LeastRecentlyUsed(RuleBasedStateMachine):
    """The cache against a plain model of it."""

    CAPACITY = 5_000

    def __init__(self) -> None:
        super().__init__()
        self.cache = MemoryCache(self.CAPACITY)
        self.model: OrderedDict[bytes, CompressionResult] = OrderedDict()
        self.asked = 0

    @rule(key=st.binary(min_size=1, max_size=1), size=st.integers(0, 6_000))
    def put(self, key: bytes, size: int) -> None:
        stored = result("x" * size)
        self.cache.put(key, stored)
        self.model.pop(key, None)
        self.model[key] = stored
        alone = MemoryCache(self.CAPACITY)
        alone.put(key, stored)
        if not len(alone):
            del self.model[key]
        while sum(map(self.size, self.model.values())) > self.CAPACITY:
            self.model.popitem(last=False)

    @rule(key=st.binary(min_size=1, max_size=1))
    def get(self, key: bytes) -> None:
        self.asked += 1
        found = self.cache.get(key)
        expected = self.model.get(key)
        assert (found and found.text) == (expected and expected.text)
        if expected is not None:
            self.model.move_to_end(key)

    @staticmethod
    def size(stored: CompressionResult) -> int:
        alone = MemoryCache(10**9)
        alone.put(b"k", stored)
        return alone.bytes

    @invariant()
    def holds_what_it_says(self) -> None:
        assert len(self.cache) == len(self.model)
        assert self.cache.bytes == sum(map(self.size, self.model.values())) <= self.CAPACITY
        assert self.cache.hits + self.cache.misses == self.asked


TestLeastRecentlyUsed = LeastRecentlyUsed.TestCase
TestLeastRecentlyUsed.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_cache_of_no_size_holds_nothing() -> None:
    cache = MemoryCache(0)
    cache.put(b"k", result())
    assert cache.get(b"k") is None
    assert (len(cache), cache.bytes, cache.misses) == (0, 0, 1)


def test_many_threads_leave_the_count_of_bytes_right() -> None:
    cache = MemoryCache(20_000)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(500):
            key = bytes([chance.randrange(40)])
            if chance.random() < 0.5:
                cache.put(key, result("x" * chance.randrange(2_000)))
            elif (found := cache.get(key)) is not None:
                assert found.tokens_before == 10

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert cache.bytes <= 20_000
    kept = [found for n in range(40) if (found := cache.get(bytes([n]))) is not None]
    assert len(kept) == len(cache)
    assert sum(map(LeastRecentlyUsed.size, kept)) == cache.bytes


def test_a_setting_that_cannot_be_written_down_is_an_error() -> None:
    odd = Settings(rate=0.5)
    object.__setattr__(odd, "force_tokens", (object(),))
    with pytest.raises(TypeError, match="no place in a cache key"):
        PartKey.of("x", odd, "t")
