"""Negations with what they negate and numbers with their clauses, as the corpus finds them."""

import pytest

from compressor.evaluation.corpus.meaning import Words, find_negations, find_numbers


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("They did not really agree.", [("not", "really")]),
        ("Das stimmt nicht, sagte er.", [("nicht", "stimmt")]),
        ("Il n'a rien vu.", [("rien", "vu")]),
        ("Nunca funcionó.", [("Nunca", "funcionó")]),
        ("它在旧集群上从未运行过。", [("从未", "运")]),
        ("結論は出ませんでした。", [("ませんでした", "出")]),
        ("[11:45] <bob2> you can't", []),
        ("now 8 is not\nless than 5", [("not", "less")]),
        ("now 8 is not\n\nless than 5", [("not", "8")]),
        ("No. 5 of the list", []),
    ],
)
def test_negations(text: str, pairs: list[tuple[str, str]]) -> None:
    found = find_negations(Words(text))
    assert [(text[n.start : n.end], text[slice(*n.negated)]) for n in found] == pairs


@pytest.mark.parametrize(
    ("text", "number", "others"),
    [
        ("It rose by 12.5% in May, then fell.", "12.5%", ["It", "rose", "by", "in", "May"]),
        ("Das dauerte 3 Stunden.", "3 Stunden", ["Das", "dauerte"]),
        ("慢了78小时之后", "78小时", list("慢了之后")),
    ],
)
def test_numbers(text: str, number: str, others: list[str]) -> None:
    found = list(find_numbers(Words(text)))[-1]
    assert text[found.start : found.end] == number
    assert [text[slice(*other)] for other in found.others] == others


def test_the_numbers_of_a_list_are_left_out() -> None:
    assert not list(find_numbers(Words("1. first\n2) second\n")))
