import pytest

from compressor.evaluation.reference_method import Reference, kept_spans
from compressor.evaluation.registry import Bench, build
from compressor.reference import ReferenceResult, ReferenceWord
from compressor.types import Span
from tests.compressor.evaluation.sets import HARBOUR, ORCHARD


def words(*kept: tuple[str, bool]) -> ReferenceResult:
    return ReferenceResult("", (tuple(ReferenceWord(text, 0.5, keep) for text, keep in kept),))


def test_words_are_traced_back_to_their_pieces() -> None:
    #        0123456789012345
    source = "playing cards. 3?"
    pieces = ["▁play", "ing", "▁cards", ".", "<unk>", "▁3", "?"]
    offsets = [(0, 4), (4, 7), (8, 13), (13, 14), (14, 14), (15, 16), (16, 17)]
    result = words(("▁playing", True), ("▁cards", False), (".", True), ("▁3", True), ("?", False))
    spans = kept_spans(result, pieces, offsets)
    assert [source[s.start : s.end] for s in spans] == ["playing", ". 3"]
    everything = words(*((w, True) for w in ("▁playing", "▁cards", ".", "▁3", "?")))
    assert kept_spans(everything, pieces, offsets) == (Span(0, 17),)


def test_wordpieces_too() -> None:
    pieces = ["play", "##ing", "[UNK]", "#", "card", "##s"]
    offsets = [(0, 4), (4, 7), (8, 9), (10, 11), (12, 16), (16, 17)]
    result = words(("playing", False), ("#", True), ("cards", True))
    assert kept_spans(result, pieces, offsets) == (Span(10, 17),)


def test_matched_has_at_most_the_rate_and_nearly_all_of_it(bench: Bench) -> None:
    text = (HARBOUR + ORCHARD) * 4
    [method] = build(["reference-matched"], bench)
    assert isinstance(method, Reference)
    for rate in (0.8, 0.5, 0.2):
        realised = bench.counter.count(method.shorten(text, None, rate).text)
        assert realised <= rate * bench.counter.count(text)
        assert realised >= (rate - 0.05) * bench.counter.count(text)


@pytest.mark.parametrize("text", ["", "  "])
def test_texts_without_words_stay(bench: Bench, text: str) -> None:
    [method] = build(["reference"], bench)
    assert method.shorten(text, None, 0.5).text == text


def test_rate_one_is_the_text(bench: Bench) -> None:
    [method] = build(["reference"], bench)
    assert method.shorten(HARBOUR, None, 1.0).kept == (Span(0, len(HARBOUR)),)
