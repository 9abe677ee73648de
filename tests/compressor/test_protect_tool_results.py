"""What tools print: which of it is left alone, and what goes first where something has to go."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.extract import extract
from compressor.protect import find_protected
from compressor.protect.json_prose import json_prose
from compressor.tokens import load_counter
from compressor.types import CompressionResult, Settings
from compressor.words import split_words
from tests.compressor.tool_outputs import LEFT_ALONE, PROSE

COUNTER = load_counter("o200k_base")


def shorten(text: str, rate: float, *, seed: int = 0, prose: bool = False) -> CompressionResult:
    values = json_prose(text) if prose else None
    words = split_words(values.view if values else text)
    noise = np.random.default_rng(seed).uniform(0.05, 0.95, len(words)).astype(np.float32)
    how = Settings(rate=rate, json_prose=prose)
    return extract(text, words, noise, how, COUNTER, prose=values)


@pytest.mark.parametrize("name", sorted(LEFT_ALONE))
def test_listings_code_and_data_are_left_alone(name: str) -> None:
    output = LEFT_ALONE[name]
    result = shorten(f"{PROSE}\n\n{output}\n\n{PROSE}", 0.5)
    assert output in result.text


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "We met Ana, Bo, and Cy.\nThey spoke, laughed, and left.\nNobody, it seems, minded.",
        "Select a colour from the list and update the page.\nCreate a table if you like.",
        "He said: 12: a dozen.\nShe said: 13: a baker's dozen.",
        "first - second - third | fourth\nand so on | and so forth",
        "Kosten; Zeiten; und Mühen sind hoch.\nNutzen; Freude; und Ruhe auch.",
    ],
)
def test_prose_is_not_taken_for_a_listing(text: str) -> None:
    assert not [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]


def test_frames_that_repeat_inside_a_trace_go_and_its_ends_stay() -> None:
    frame = '  File "walk.py", line 12, in walk\n    walk(child, depth + 1)\n'
    trace = (
        'Traceback (most recent call last):\n  File "main.py", line 3, in <module>\n'
        + "    walk(tree, 0)\n"
        + frame * 40
        + "RecursionError: maximum recursion depth exceeded"
    )
    result = shorten(trace, 0.2).text
    assert result.startswith('Traceback (most recent call last):\n  File "main.py"')
    assert result.endswith("RecursionError: maximum recursion depth exceeded")
    assert 2 <= result.count("walk(child") < 40
    assert set(result.split("\n")) <= set(trace.split("\n"))


ROWS = {
    "id": "4f1c-22",
    "score": 0.125,
    "big": 30000000000000000000000000000,
    "url": "https://example.org/a?b=c",
    "tags": ["harbour", "budget"],
    "snippet": PROSE + '\nThe chair said "not before spring" and/or later.',
    "nested": {"note": "short", "body": PROSE},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("rate", [0.7, 0.4, 0.2])
def test_only_long_prose_in_json_gets_shorter(indent: int | None, rate: float) -> None:
    text = json.dumps([ROWS, ROWS], indent=indent).replace("and/or", "and\\/or")
    result = shorten(text, rate, prose=True)
    assert result.tokens_after < result.tokens_before
    found, source = json.loads(result.text), json.loads(text)
    for row, original in zip(found, source, strict=True):
        assert 0 < len(row["snippet"]) < len(original["snippet"])
        assert 0 < len(row["nested"]["body"]) < len(original["nested"]["body"])
        for name in ("id", "score", "big", "url", "tags"):
            assert row[name] == original[name]
        assert row["nested"]["note"] == "short"
    assert "".join(text[s.start : s.end] for s in result.kept) == result.text


def test_without_the_setting_json_stays_byte_for_byte() -> None:
    text = json.dumps(ROWS)
    assert text in shorten(f"{PROSE}\n\n{text}", 0.3).text


@pytest.mark.parametrize(
    "value",
    [
        "a" * 400,  # no words
        "<html><body>" + PROSE + "</body></html>",
        json.dumps({"inner": PROSE}),  # JSON in a string
        PROSE + " C:\\temp",
        PROSE[:100],
    ],
)
def test_strings_that_are_not_plain_prose_stay(value: str) -> None:
    assert json_prose(json.dumps({"v": value})) is None


TEXTS = st.lists(
    st.sampled_from(["word", "не", "“x”", '"', "\n", "\t", "budget", "1,5", "a/b", ".", "“", "  "]),
    min_size=60,
    max_size=120,
).map(" ".join)


@settings(deadline=None, max_examples=80)
@given(
    st.recursive(
        TEXTS | st.integers() | st.text(max_size=20) | st.booleans() | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    st.sampled_from([0.7, 0.4, 0.1]),
    st.booleans(),
)
def test_json_stays_json_with_its_keys_and_values(
    data: object, rate: float, ascii_only: bool
) -> None:
    text = json.dumps(data, ensure_ascii=ascii_only)
    result = shorten(text, rate, prose=True)
    assert result.unchanged != "it would not stay JSON"
    assert alike(json.loads(result.text), data)


def alike(found: object, source: object) -> bool:
    """Whether two values are the same but for strings that were long."""
    if isinstance(source, dict):
        return (
            isinstance(found, dict)
            and list(found) == list(source)
            and all(alike(found[k], source[k]) for k in source)
        )
    if isinstance(source, list):
        return (
            isinstance(found, list) and len(found) == len(source) and all(map(alike, found, source))
        )
    if isinstance(source, str) and len(source) > 150:
        return isinstance(found, str)
    return found == source
