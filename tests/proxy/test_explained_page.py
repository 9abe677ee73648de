import re
from html.parser import HTMLParser

import pytest

from compressor.types import CompressionResult, ExplainedWord, Kind, Span, VerifiedCount
from proxy.explained_page import page

TEXT = 'Keep <b> & "this", drop that.'
KEPT = {"Keep": "classifier", "<b>": "protected:code", "this": "restored:quote", "drop": "question"}
WORDS = tuple(
    ExplainedWord(
        m.start(), m.end(), 0.25, 0.25, m.group() in KEPT, KEPT.get(m.group(), "classifier")
    )
    for m in re.finditer(r"<b>|\w+|[^\w\s]", TEXT)
)
VERIFIED = {Kind.CODE: VerifiedCount(2, 1, 1)}
RESULT = CompressionResult(TEXT, 9, 4, (Span(0, 8),), verified=VERIFIED, words=WORDS)


class Reader(HTMLParser):
    """Collects what a browser would show in the text, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.shown, self.struck, self.titles, self.loads = "", "", [], []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self._inside.append(tag)
        for name, value in attrs:
            if name == "title":
                self.titles.append(value)
            if name in ("src", "href"):
                self.loads.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if "pre" in self._inside:
            self.shown += data
            self.struck += data if "s" in self._inside else ""


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_whole_text_is_shown_and_what_was_dropped_is_struck_out() -> None:
    reader = read(page(TEXT, RESULT))
    assert reader.shown == TEXT
    assert reader.struck == '&"",that.'
    assert reader.loads == []


@pytest.mark.parametrize(
    "said",
    [
        "keep probability 0.25, kept: protected:code",
        "keep probability 0.25, kept: restored:quote",
        "keep probability 0.25, dropped: classifier",
    ],
)
def test_every_word_says_why(said: str) -> None:
    titles = read(page(TEXT, RESULT)).titles
    assert len(titles) == len(WORDS)
    assert said in titles


def test_the_figures_and_what_was_verified_are_told() -> None:
    html = page(TEXT, RESULT)
    assert "44.4%" in html
    assert "code: 1 of 1" in html
    unmet = CompressionResult(TEXT, 9, 9, (), unchanged="not <shorter>", budget_unmet=True)
    assert "not &lt;shorter&gt;" in page(TEXT, unmet)
    assert "not met" in page(TEXT, unmet)


def test_each_paragraph_runs_the_way_that_its_script_does() -> None:
    [style] = re.findall(r"^pre \{[^}]*\}", page(TEXT, RESULT), re.MULTILINE)
    assert "unicode-bidi: plaintext" in style
