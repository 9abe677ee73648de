"""Whole dates: a day with its month, mostly with a year. They stay though their clause goes.

A year alone, a month with a year and a time are numbers like others.
"""

import re
from collections.abc import Iterator

from compressor.protect.numbers import MONTH
from compressor.types import Kind, ProtectedSpan

# A verb, but not behind a day: on 3 May you told us.
_MONTH = MONTH.replace("|May|", "|May(?! (?:be|have|not|I|we|you|the)\\b)|")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_SUFFIX = r"(?:st|nd|rd|th|er|º)?"
_YEAR = r"(?:1\d|20)\d\d"
# Letters with a space behind them begin a date only where its day comes next: May 5, May the 5th.
_PLAIN = r"[^\W\d_]{0,40}+\s(?!\d|the\s)"
# What a time stamp of Org mode has behind its day: a time, and when it comes again.
_ORG = r"(?:\s\d{1,2}:\d\d(?:-\d{1,2}:\d\d)?)?(?:\s[.+]{1,2}\d{1,3}[hdwmy])?"
_DATE = re.compile(
    rf"(?!{_PLAIN})(?:[<\[]\d{{4}}-[01]\d-[0-3]\d\s[^\W\d_]{{2,4}}\.?{_ORG}[>\]]"
    r"|(?<![\d.-])\d{4}-(?:0\d|1[0-2])-[0-3]\d(?![\d-])"
    rf"|(?<![\d/]){_YEAR}/(?:0\d|1[0-2])/[0-3]\d(?![\d/])"
    rf"|(?:(?<![\d./-])|(?<=\d{{4}}-)){_DAY}(?P<sign>[./-]){_DAY}(?P=sign){_YEAR}"
    rf"(?![\d/]|-(?!{_DAY}[./]))"
    rf"|(?<![\w.,]){_DAY}(?:{_SUFFIX}\s(?:of\s|de\s)?{MONTH}|\.\s{_MONTH})"
    rf"(?:,?\s(?:de\s|del\s)?{_YEAR})?(?!\w)"
    rf"|(?<!\w){_MONTH}\s(?:the\s)?{_DAY}{_SUFFIX}(?![\w:%])(?:,?\s{_YEAR}(?!\w))?"
    rf"|(?<![\w.,-]){_DAY}-{_MONTH}-(?:{_YEAR}|\d\d)(?![\w-])"
    r"|(?<![\w.,])\d{1,2}\stháng\s\d{1,2}(?:,?\snăm\s\d{4})?(?!\w)"
    r"|(?:\d{4}\s?[年년]\s?)?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日号일])"
)
# The stamp of a log line or of a message goes with its line.
_STAMP = re.compile(r"[ \t]{0,4}[\[(<]?\Z")
_TIME = re.compile(r"[T ,]{1,2}\d{1,2}:\d\d")


def date_spans(text: str) -> Iterator[ProtectedSpan]:
    """Yield the dates of `text`, ascending; not where one with a time begins its line."""
    for match in _DATE.finditer(text):
        if not begins_stamp(text, *match.span()):
            yield ProtectedSpan(*match.span(), Kind.NUMBER)


def begins_stamp(text: str, start: int, end: int) -> bool:
    """Whether what stands here, a date, begins its line and has a time behind it."""
    line = text.rfind("\n", 0, start) + 1
    return bool(start - line <= 5 and _STAMP.match(text[line:start]) and _TIME.match(text, end))
