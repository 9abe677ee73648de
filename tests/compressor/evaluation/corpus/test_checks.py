"""The corpus' checks see what is lost, cut or deformed."""

import json

import pytest

from compressor.evaluation.corpus.checks import check, check_json
from compressor.types import Span

TABLE = "one two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nthree"


def faults_without(text: str, dropped: str, planted: tuple[str, ...] = ()) -> set[str]:
    at = text.index(dropped)
    kept = [Span(0, at), Span(at + len(dropped), len(text))]
    kept = [span for span in kept if span.end > span.start]
    output = "".join(text[span.start : span.end] for span in kept)
    return {f"{f.kind}: {f.fault}" for f in check(text, kept, output, planted) if f.fault}


@pytest.mark.parametrize(
    ("text", "dropped", "fault"),
    [
        ("see https://example.com/a/b now", "/b", "url: cut"),
        ("see https://example.com/a now", "https://example.com/a ", "url: lost"),
        ("on 3 March 2020 it", "3 March ", "date: cut"),
        ("call `run it` now", "run ", "inline code: cut"),
        ('he said "quite mad" then', "quite ", "quote: cut"),
        ("so\n\n```\nx = 1\n```\n", "x = 1\n", "fenced code: cut"),
        ("they did not agree", "not ", "negation: lost"),
        ("it rose by 12% again", "12% ", "number: lost"),
        (TABLE, "| 1 ", "table: a row is cut"),
        (TABLE, "|---|---|\n", "table: rows without their heading"),
        ('so\n{"id": 7, "b": "x"}\nthen', '"b"', "JSON: changed"),
        ("- one two\n- three", "one two", "list item: bullet without its line"),
        ("One two, three.", "two", "shape of the text: space before a mark"),
    ],
)
def test_faults_are_seen(text: str, dropped: str, fault: str) -> None:
    assert fault in faults_without(text, dropped)


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ('he said "quite mad" then', '"quite mad" '),
        ("they did not agree at all", "not agree "),
        ("all of it rose again by 12% or so", "it rose again by 12% or "),
        ("2026-03-01T10:00:00Z INFO x\nthen", "2026-03-01T10:00:00Z INFO x\n"),
    ],
)
def test_what_may_go_as_a_whole_is_no_fault(text: str, dropped: str) -> None:
    assert not faults_without(text, dropped)


def test_a_planted_string_is_counted() -> None:
    assert "planted item: 1 lost" in faults_without("a kx-9 b kx-9", "kx-9 b ", ("kx-9",))


def test_an_output_that_is_no_cut_of_the_source_is_a_fault() -> None:
    found = check("one two", [Span(0, 3)], "two")
    assert found[0].fault


DOCUMENT = {"id": 7, "ratio": 1e5, "name": "x", "text": "several words " * 20}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        ({"text": "words " * 20}, ""),
        ({"text": "new words"}, "another string"),
        ({"name": "y"}, "another string"),
        ({"id": 8}, "another value"),
        ({"ratio": 100000}, "another value"),
        ({"id": "7"}, "another type"),
        ({"more": 1}, "other keys"),
    ],
)
def test_json_with_shorter_prose(change: dict[str, object], fault: str) -> None:
    after = json.dumps({**DOCUMENT, **change}).replace('"id": 7', '"id":  7')
    found = check_json(json.dumps(DOCUMENT), after).fault
    assert fault in found if fault else not found


def test_json_that_is_none_any_more() -> None:
    assert check_json('{"a": [1, 2]}', '{"a": [1, 2}').fault
    assert check_json('{"a": [1, 2]}', '{"a": [1]}').fault
