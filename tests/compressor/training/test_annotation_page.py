import re

import pytest

from compressor.training.annotate import annotate
from compressor.training.annotation_page import annotation_page, histogram
from compressor.training.filters import DEFAULT, parse_condition, sift
from compressor.training.passage import SourcePassage
from tests.compressor.training.shortened_passages import ALL


@pytest.mark.parametrize(
    ("values", "counts"),
    [([], [0, 0]), ([0.0, 0.4, 0.5, 1.0], [2, 2]), ([-1.0, 2.0], [1, 1])],
)
def test_histogram(values: list[float], counts: list[int]) -> None:
    assert histogram(values, 0, 1, bins=2) == counts


def test_the_page_shows_every_metric_and_what_was_dropped() -> None:
    lines = [
        annotate(
            SourcePassage(
                row["id"],
                row["source"] + "<b>",
                row["doc"],
                "en",
                "CC0",
                row["text"],
                {grade: row[grade] for grade in ("light", "heavy")},
            )
        ).as_dict()
        for row in ALL
    ]
    page = annotation_page(lines, sift(lines, [parse_condition(text) for text in DEFAULT]))
    assert "2 of 3 passages were kept" in page
    assert page.count("<figure>") == 18
    assert "<b>" not in page  # a source's name is text
    assert "<td>geography&lt;b&gt;</td><td>1</td><td>1</td>" in page
    assert re.search(r"<h2>The worst matches</h2>.*?<td>p1</td>", page, re.DOTALL)
    bars = [int(n) for n in re.findall(r"<title>(\d+)</title>", page)]
    assert sum(bars) == sum(
        1
        for line in lines
        for grade in ("light", "heavy")
        for value in line["metrics"][grade].values()
        if value is not None
    )


def test_a_page_about_nothing() -> None:
    assert "0 of 0 passages" in annotation_page([], sift([], []))
