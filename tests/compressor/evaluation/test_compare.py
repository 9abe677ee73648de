from collections.abc import Mapping
from random import Random

import pytest

from compressor.evaluation.bootstrap import NotComparable
from compressor.evaluation.compare import compare, comparison_table
from compressor.evaluation.metrics import Kept
from compressor.evaluation.runner import Row


def row(doc: str, survived: Mapping[str, bool | None], **changed: object) -> Row:
    fields: dict[str, object] = {
        **{"key": "k", "set": "qa", "doc": doc, "method": "tersely", "rate": 0.5, "question": None},
        **{"tokens_before": 10, "tokens_after": 5, "seconds": 0.1, "survived": dict(survived)},
        **{"items": {}, "negations": Kept(0, 0)},
    }
    return Row(**{**fields, **changed})  # type: ignore[arg-type]


def rows(share: float, documents: int = 60, **changed: object) -> list[Row]:
    """Documents of two questions; those that survive at a lower share do at a higher one too."""
    luck = Random(5)
    return [
        row(f"d{i}", {"a": luck.random() < share, "b": luck.random() < share, "c": None}, **changed)
        for i in range(documents)
    ]


def test_a_paired_difference_is_found_where_unpaired_intervals_would_overlap() -> None:
    (found,) = compare(rows(0.50), rows(0.58))
    assert found.verdict == "higher"
    assert found.change.value == pytest.approx(found.after - found.before)
    assert 0 < found.change.low < found.change.value < found.change.high
    (back,) = compare(rows(0.58), rows(0.50))
    assert back.verdict == "lower"
    (same,) = compare(rows(0.5), rows(0.5))
    assert (same.verdict, same.change.value) == ("level", 0)


def test_in_the_mean_every_set_counts_the_same() -> None:
    before = [*rows(0.5), *rows(0.5, 10, set="small")]
    after = [*rows(0.5), *rows(0.9, 10, set="small")]
    large, small, mean = compare(before, after)
    assert (large.set, small.set, mean.set) == ("qa", "small", None)
    assert mean.change.value == pytest.approx((large.change.value + small.change.value) / 2)
    assert small.verdict == mean.verdict == "higher"
    table = comparison_table([large, small, mean])
    assert "| **mean of sets** |" in table
    assert table.count("\n") == 4


def test_the_last_of_a_trial_that_was_run_anew_counts() -> None:
    stale = rows(0.1)
    assert compare([*stale, *rows(0.5)], rows(0.5))[0].change.value == 0


def test_only_what_both_have_is_compared_and_questions_have_to_agree() -> None:
    assert [d.rate for d in compare([*rows(0.5), *rows(0.5, rate=0.33)], rows(0.5))] == [0.5]
    with pytest.raises(NotComparable, match="no set, method and rate in common"):
        compare(rows(0.5, method="random"), rows(0.5))
    with pytest.raises(NotComparable, match=r"qa, tersely at 0\.5: .* different documents"):
        compare(rows(0.5), rows(0.5, documents=59))
    with pytest.raises(NotComparable, match="different documents or questions"):
        compare([row("d", {"a": True, "b": True})], [row("d", {"a": True})])
    with pytest.raises(NotComparable, match="no question has its answer"):
        compare([row("d", {"a": None})], [row("d", {"a": None})])
