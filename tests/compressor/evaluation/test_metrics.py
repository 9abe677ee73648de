import re

import pytest

from compressor.evaluation.metrics import (
    Kept,
    item_recall,
    negation_retention,
    normalised,
    pooled,
    survival,
)
from compressor.types import Span


def without(source: str, *dropped: str) -> list[Span]:
    """Return the slices of `source` around these stretches, each its only occurrence."""
    cuts = sorted(re.search(re.escape(d), source).span() for d in dropped)  # type: ignore[union-attr]
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(source)]
    return [Span(s, e) for s, e in zip(starts, ends, strict=True) if e > s]


def test_normalised_is_lower_case_without_punctuation() -> None:
    assert normalised("  The U.S. — “A”,\n3.5 % of\u00a0it! ") == "the us a 35 of it"
    assert normalised("「東京」、日本。") == "東京日本"
    assert normalised("naïve_Café €5") == "naïvecafé €5"


def test_survival_asks_for_a_contiguous_answer_that_the_source_has() -> None:
    source = "In 1997, the U.S. Navy moved to Pearl Harbor, Hawaii."
    answers = [["Pearl Harbor"], ["US navy"], ["in 1997", "1997"], ["Norfolk"], ["!"]]
    assert survival(source, source, answers) == [True, True, True, None, None]
    cut = "1997, U.S. Navy Pearl Hawaii."
    assert survival(source, cut, answers) == [False, True, True, None, None]
    # An alternative that the source does not have cannot survive by accident.
    assert survival("the red door", "the red door blue", [["blue", "red"]]) == [True]
    assert survival("the red door", "door blue", [["blue", "red"]]) == [False]


def test_items_are_counted_whole_and_by_kind() -> None:
    source = (
        "Write to ann@example.org or see https://example.org/a?b=1, file /var/log/app/x.log, "
        'ticket OPS-1234, release v2.4.1: "do it now" was said.'
    )
    everything = [Span(0, len(source))]
    assert item_recall(source, everything) == {
        "url": Kept(2, 2),
        "path": Kept(1, 1),
        "identifier": Kept(2, 2),
        "quote": Kept(1, 1),
    }
    cut = without(source, "example.org ", "log/app", "do it", "OPS-")
    assert item_recall(source, cut) == {
        "url": Kept(1, 2),
        "path": Kept(0, 1),
        "identifier": Kept(1, 2),
        "quote": Kept(0, 1),
    }


def test_names_with_digits_are_no_identifiers() -> None:
    source = "SARS-CoV-2 and IFITM5 in figure 2B, a 5-time winner of the 1st prize"
    assert item_recall(source, []) == {}


def test_a_number_is_called_for_when_half_of_its_clause_is_kept() -> None:
    source = "It cost 40 euros then, and nobody paid for 7 boats"
    assert item_recall(source, [Span(0, len(source))]) == {"number": Kept(2, 2)}
    # Of `It cost euros then` half is kept: 40 is called for and lost; of the other clause nothing.
    assert item_recall(
        source, without(source, "40 euros then", " and nobody paid for 7 boats")
    ) == {"number": Kept(0, 1)}
    # With one word of four it is not.
    assert item_recall(source, [Span(0, 2)]) == {}


def test_a_decimal_comma_does_not_end_a_clause() -> None:
    source = "They paid 1,250.75 at once"
    assert item_recall(source, without(source, "250")) == {"number": Kept(0, 1)}


@pytest.mark.parametrize(
    ("source", "dropped", "expected"),
    [
        ("It did not approve the budget.", (), Kept(1, 1)),
        ("It did not approve the budget.", ("not ",), Kept(0, 1)),
        ("It did not approve the budget.", ("approve ",), Kept(0, 0)),
        ("She couldn't swim.", ("couldn't ",), Kept(0, 1)),
        ("She couldn’t swim.", (), Kept(1, 1)),
        ("Er kommt heute nicht.", ("nicht",), Kept(0, 1)),  # ends its clause: what is before it
        ("Il ne sait pas nager.", ("pas ",), Kept(1, 2)),
        ("No vino nadie, pero nunca llueve.", (), Kept(3, 3)),
        ("Stop. No", (), Kept(0, 0)),  # negates nothing in its clause
        ("A notable knot", (), Kept(0, 0)),
    ],
)
def test_negations_are_kept_with_what_they_negate(
    source: str, dropped: tuple[str, ...], expected: Kept
) -> None:
    assert negation_retention(source, without(source, *dropped)) == expected


def test_shares_and_sums() -> None:
    assert Kept(1, 4).share == 0.25
    assert Kept(0, 0).share is None
    counts = [{"url": Kept(1, 2)}, {"url": Kept(2, 2), "path": Kept(0, 1)}]
    assert pooled(counts) == {"url": Kept(3, 4), "path": Kept(0, 1)}
