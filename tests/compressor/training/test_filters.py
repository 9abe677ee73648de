from typing import Any

import pytest

from compressor.training.annotate import METRICS
from compressor.training.filters import BadCondition, parse_condition, sift


def line(identity: str, light: float, heavy: float | None, source: str = "s") -> dict[str, Any]:
    empty = dict.fromkeys(METRICS)
    return {
        "id": identity,
        "source": source,
        "metrics": {
            "light": empty | {"gap": light},
            "heavy": empty | {"gap": heavy},
            "heavy_outside_light": 0.0,
        },
    }


LINES = [line("a", 0.0, 0.0), line("b", 0.1, 0.3), line("c", 0.2, None), line("d", 0.4, 0.1, "x")]


def kept(*conditions: str, left_out: tuple[str, ...] = ()) -> str:
    found = sift(LINES, [parse_condition(text) for text in conditions], left_out)
    return "".join(one["id"] for one in found.kept)


def test_absolute_values() -> None:
    assert kept("gap<=0.2") == "ac"  # of both grades; without a value it is met
    assert kept("light.gap<=0.2") == "abc"
    assert kept("heavy.gap >= 0.2") == "bc"
    assert kept("shortened.gap<=0") == "abcd"
    assert kept() == "abcd"


def test_percentiles_are_of_what_is_left_by_then() -> None:
    assert kept("light.gap<=p50") == "ab"
    assert kept("light.gap<=p50", "light.gap<=p50") == "a"
    assert kept("numbers<=p50") == "abcd"


def test_sources_are_left_out_first_and_what_was_dropped_is_counted() -> None:
    found = sift(LINES, [parse_condition("light.gap<=p50")], ["x"])
    assert [one["id"] for one in found.kept] == ["a", "b"]
    assert found.dropped == {"source x": 1, "light.gap<=p50": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gap", "'gap' is no condition; write for instance"),
        ("gap<0.5", "is no condition"),
        ("gab<=0.5", "there is no metric 'gab'; rate, match"),
        ("medium.gap<=0.5", "there is no grade 'medium'"),
        ("gap<=p101", "a percentile is at most 100"),
    ],
)
def test_what_is_no_condition(text: str, said: str) -> None:
    with pytest.raises(BadCondition, match=said):
        parse_condition(text)
