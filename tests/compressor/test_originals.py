import pytest

from compressor import originals
from compressor.cache import PartKey
from compressor.originals import StickyOriginals
from compressor.types import Settings
from tests.compressor.fake_engine import Clock

HALF = Settings(rate=0.5)


def part(text: str, tenant: str = "t") -> PartKey:
    return PartKey.of(text, HALF, tenant)


def test_a_part_stays_for_its_time_from_the_first_failure() -> None:
    clock = Clock()
    kept = StickyOriginals(clock, 100)
    kept.add(part("a"))
    clock.now += 60
    kept.add(part("a"))
    assert part("a") in kept
    assert part("b") not in kept
    assert part("a", "somebody else") not in kept
    clock.now += 40
    assert part("a") not in kept


def test_another_copys_verdict_lasts_as_long_as_it_does_there() -> None:
    clock = Clock()
    kept = StickyOriginals(clock, 100)
    kept.add(part("a"), 10)
    kept.add(part("b"), 10_000)
    clock.now += 10
    assert part("a") not in kept
    assert part("b") in kept
    clock.now += 90
    assert part("b") not in kept


def test_the_number_of_parts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "_MAX_PARTS", 3)
    kept = StickyOriginals(Clock(), 100)
    for text in "abcde":
        kept.add(part(text))
    assert [text for text in "abcde" if part(text) in kept] == ["c", "d", "e"]
