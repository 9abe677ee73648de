"""Quotes of scripts other than Latin: what is one and what only looks like one."""

import pytest

from compressor.protect.quotes import quote_spans


def quotes(text: str) -> list[str]:
    return [text[s.start : s.end] for s in quote_spans(text)]


def test_marks_of_hebrew_abbreviations_quote_nothing() -> None:
    text = 'צה"ל הודיע כי ארה"ב תומכת, וחה"כ דוד אמר "לא נצביע" אתמול.'
    assert quotes(text) == ['"לא נצביע"']


@pytest.mark.parametrize(
    "text", ["他讀了《紅樓夢》和其他小說。", "《中华人民共和国民法典》规定如下。"]
)
def test_a_title_stays_or_goes_as_a_whole(text: str) -> None:
    (title,) = quote_spans(text)
    assert title.conditional
    assert text[title.start] + text[title.end - 1] == "《》"
