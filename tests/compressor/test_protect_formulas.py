"""Citations, roles and stamps of markup languages are whole spans."""

import pytest

from compressor.protect import find_protected
from compressor.types import Settings


@pytest.mark.parametrize(
    "whole",
    [
        r"\citep[see][Theorem~2]{nesterov2004}",
        r"~\ref{sec:exp}",
        r"\eqref{eq:rate}",
        "5 U.S. (1 Cranch) 137",
        "[^note]",
        ":ref:`building`",
        "`the list <https://example.org/list>`_",
        "<2025-11-21 Fri>",
        "[2025-11-03 Mon 10:22]",
        "26 november",
    ],
)
def test_it_is_one_span(whole: str) -> None:
    text = f"As it is in {whole} for all of them to read."
    found = {text[s.start : s.end].strip() for s in find_protected(text, Settings(rate=0.5))}
    assert whole in found


@pytest.mark.parametrize(
    "cue",
    [
        "12\n00:01:03,200 --> 00:01:06,900",
        "12\r\n00:01:03,200 --> 00:01:06,900",
        "01:03.200 --> 01:06.900 align:start position:10%",
    ],
)
@pytest.mark.parametrize("before", ["", "Before it.\n\n"])
def test_the_cue_of_a_subtitle_is_one_span_with_its_number(before: str, cue: str) -> None:
    text = f"{before}{cue}\nSo we cook a risotto that takes half an hour.\n"
    assert cue in {text[s.start : s.end] for s in find_protected(text, Settings(rate=0.5))}


def test_two_dates_with_a_hyphen_between_are_dates() -> None:
    text = "All who came between 01.04.2000-31.12.2001 were asked again."
    found = [s for s in find_protected(text, Settings(rate=0.5)) if not s.conditional]
    assert {"01.04.2000", "31.12.2001"} <= {text[s.start : s.end] for s in found}


def test_a_path_in_double_braces_ends_before_them() -> None:
    text = "Open {{/settings/billing}} and go on."
    found = {text[s.start : s.end] for s in find_protected(text, Settings(rate=0.5))}
    assert "/settings/billing" in found
