from itertools import pairwise
from pathlib import Path

import pytest

from compressor.evaluation.plot import COLOURS
from compressor.evaluation.registry import DEFAULT, METHODS, Bench, UnknownMethod, build, workbench
from compressor.tokens import UnknownEncoding
from tests.compressor.evaluation.sets import HARBOUR, ORCHARD

TEXT = (HARBOUR + ORCHARD) * 2


@pytest.mark.parametrize("name", DEFAULT)
@pytest.mark.parametrize("rate", [0.66, 0.33])
def test_every_method_cuts_slices_in_order_at_about_the_rate(
    bench: Bench, name: str, rate: float
) -> None:
    [method] = build([name], bench)
    shortened = method.shorten(TEXT, "Who is the gardener?", rate)
    realised = bench.counter.count(shortened.text) / bench.counter.count(TEXT)
    # The reference's rate is no cap: it is a percentile of each chunk's probabilities.
    tolerance = 0.12 if name == "reference" else 0.03
    assert rate - max(tolerance, 0.04) <= realised <= rate + (0.12 if name == "reference" else 0.01)
    assert all(a.end <= b.start for a, b in pairwise(shortened.kept))
    words = "".join(TEXT[s.start : s.end] for s in shortened.kept).split()
    assert "".join(words) == "".join(shortened.text.split())
    assert method.shorten(TEXT, "Who is the gardener?", rate) == shortened
    assert method.name == name
    assert method.revision


def test_blind_methods_do_not_see_the_question(bench: Bench) -> None:
    for method in build(DEFAULT, bench):
        if not method.question_aware:
            assert method.shorten(TEXT, "Who?", 0.5) == method.shorten(TEXT, None, 0.5)


def test_the_question_decides_where_it_may(bench: Bench) -> None:
    [aware] = build(["tersely-question"], bench)
    fence = aware.shorten(TEXT, "What colour is the fence?", 0.25).text
    assert "green" in fence
    assert fence != aware.shorten(TEXT, "Who was to sign the report?", 0.25).text
    [blind] = build(["tersely"], bench)
    for nothing in (None, "  "):
        assert aware.shorten(TEXT, nothing, 0.25) == blind.shorten(TEXT, None, 0.25)
    assert aware.revision != blind.revision


def test_protections_can_be_left_off(bench: Bench) -> None:
    with_them, without = build(["tersely", "tersely-unprotected"], bench)
    assert "https://harbour.example/minutes/17" in with_them.shorten(HARBOUR, None, 0.3).text
    assert "https://harbour.example/minutes/17" not in without.shorten(HARBOUR, None, 0.3).text


def test_methods_of_a_corpus_have_its_revision(bench: Bench) -> None:
    names = ["tf-idf", "self-information", "random"]
    here = [m.revision for m in build(names, bench)]
    there = [m.revision for m in build(names, bench.of([ORCHARD]))]
    assert [a == b for a, b in zip(here, there, strict=True)] == [False, False, True]


def test_an_unknown_method_is_named(bench: Bench) -> None:
    with pytest.raises(UnknownMethod, match="there is no method 'best'; there are original, ters"):
        build(["best"], bench)
    assert set(DEFAULT) < set(METHODS)


def test_a_workbench_keeps_windows_and_closes(tmp_path: Path) -> None:
    windows = tmp_path / "deep" / "windows.db"
    with workbench("bundled", "o200k_base", windows) as made:
        [method] = build(["tersely"], made)
        first = method.shorten(HARBOUR, None, 0.5)
    assert windows.exists()
    with workbench("bundled", "o200k_base", windows) as made:
        [method] = build(["tersely"], made)
        assert method.shorten(HARBOUR, None, 0.5) == first
        assert made.classifier.misses == 0  # type: ignore[attr-defined]
    with pytest.raises(UnknownEncoding), workbench("bundled", "p50k", None):
        pass


def test_every_method_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS)) >= len(METHODS)
