"""What verify counts, on cases that can be counted by hand."""

import pytest

from compressor.types import Kind, ProtectedSpan, Span, VerifiedCount
from compressor.verify import count, missing

TEXT = "He did not pay 12 euros, and she saw /etc/hosts."


def span(piece: str, kind: Kind, *, conditional: bool = False) -> ProtectedSpan:
    start = TEXT.index(piece)
    return ProtectedSpan(start, start + len(piece), kind, conditional)


NOT = span("not", Kind.NEGATION, conditional=True)
EUROS = span("12 euros", Kind.NUMBER, conditional=True)
HOSTS = span("/etc/hosts", Kind.PATH)


def kept(*pieces: str) -> list[Span]:
    starts = [TEXT.index(piece) for piece in pieces]
    return [Span(at, at + len(piece)) for at, piece in zip(starts, pieces, strict=True)]


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        # within twelve words of the negation, and in its sentence
        (("/etc/hosts",), {"negation": (1, 1, 0), "number": (1, 0, 0), "path": (1, 1, 1)}),
        (("pay", "/etc/hosts"), {"negation": (1, 1, 0), "number": (1, 0, 0), "path": (1, 1, 1)}),
        (("not pay 12 euros",), {"negation": (1, 1, 1), "number": (1, 1, 1), "path": (1, 1, 0)}),
        (("He did", "12"), {"negation": (1, 1, 0), "number": (1, 1, 0), "path": (1, 1, 0)}),
        ((), {"negation": (1, 0, 0), "number": (1, 0, 0), "path": (1, 1, 0)}),
    ],
)
def test_spans_are_counted_by_kind(
    slices: tuple[str, ...], expected: dict[str, tuple[int, int, int]]
) -> None:
    counted = count(TEXT, kept(*slices), [NOT, EUROS, HOSTS])
    assert counted == {Kind(kind): VerifiedCount(*n) for kind, n in expected.items()}
    lost = {s.kind for s in missing(TEXT, kept(*slices), [NOT, EUROS, HOSTS])}
    assert lost == {kind for kind, n in counted.items() if n.lost}


def test_what_was_put_back_is_counted_where_it_is_whole() -> None:
    slices = kept("not pay", "/etc/hosts")
    counted = count(TEXT, slices, [NOT, EUROS, HOSTS], {NOT, EUROS})
    assert counted[Kind.NEGATION] == VerifiedCount(1, 1, 1, restored=1)
    assert counted[Kind.NUMBER].restored == 0


def test_a_text_without_protected_spans_has_nothing_to_count() -> None:
    assert count(TEXT, kept("He"), []) == {}


@pytest.mark.parametrize(
    ("text", "number", "slices"),
    [
        # what is written together with the number is no other word of its clause
        ("It gives a\n2-tuple of ``loader``, always.", "2", ["of"]),
        # a full-width comma ends a clause, whatever stands behind it
        ("これは問題が解決されますが、React 18 では処理が渡り、次です。", "18", ["では処理が渡"]),
    ],
)
def test_half_a_clause_calls_for_its_number(text: str, number: str, slices: list[str]) -> None:
    start = text.index(number)
    spans = [ProtectedSpan(start, start + len(number), Kind.NUMBER, conditional=True)]
    kept_slices = [Span(text.index(s), text.index(s) + len(s)) for s in slices]
    assert missing(text, kept_slices, spans) == spans
    assert missing(text, kept_slices[:0], spans) == []


def test_half_of_a_chinese_clause_is_half_of_its_characters() -> None:
    text = "上周我们在内华达州亨德森举办了为期的大会 2024 有客人亲临现场。"
    start = text.index("2024")
    number = ProtectedSpan(start, start + 4, Kind.NUMBER, conditional=True)
    after = Span(start + 5, len(text) - 1)  # seven of the other 27
    assert missing(text, [Span(5, 11), after], [number]) == []
    apart = [Span(at, at + 1) for at in range(1, 14, 2)]  # seven more, no two side by side
    assert missing(text, [*apart, after], [number]) == [number]
