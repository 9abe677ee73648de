"""Formulas in LaTeX, citations and the cues of subtitles: whole, with their clause, or gone."""

import re
from collections.abc import Iterator

_FORMULA = re.compile(
    r"(?<![\\$\w])\$(?=\S)(?P<body>(?:[^$\n\\]|\\.|\n(?!\s*\n)){1,300})(?<!\s)\$(?![\w$])|"
    r"\\\((?:[^\\]|\\(?!\))){1,300}\\\)"
)
# Between two dollars prices and variables of a shell can stand as well.
_MATHS = re.compile(r"[\\^_={}<>+]|[A-Za-z]'{0,2}(?:\s?,\s?[A-Za-z]'{0,2}){0,5}\Z")
_YEAR = r"(?:1[89]|20)\d\d"
_SECTION = r"\d{1,5}(?:[.-]\d{1,5}){0,4}"
_CITATION = re.compile(
    rf"\((?:(?:see|e\.g\.|cf\.|vgl\.),?\s)?[^\W\d_a-z][^()\d\n]{{1,80}},\s{_YEAR}[a-z]?"
    r"(?:[;,:][^()\n]{1,200})?\)|"
    r"(?<![\w\]])\[\d{1,3}(?:\s?[-–,]\s?\d{1,3}){0,8}\](?![(:])|"
    rf"(?<!\w)\[{_YEAR}\](?:\s\d{{1,2}})?\s[A-Z][A-Za-z]{{1,8}}(?:\s[A-Z][a-z]{{1,5}})?\s\d{{1,5}}|"
    r"(?<!\w)\d{1,4}\s(?:CFR|USC|S\.\s?Ct\.|Stat\.|Fed\.\sReg\.|(?:[A-Z]\.){2,4}|F\.\s?(?:[234]d|4th|Supp\.(?:\s?[23]d)?))\s(?:\(\d{1,2}\s[A-Z][a-z]{1,8}\.?\)\s)?"
    r"(?:§{1,2}\s?)?"
    rf"{_SECTION}(?:,\s\d{{1,5}})?(?:\s(?:to|through|and)\s{_SECTION})?(?:\s\({_YEAR}\))?"
)
_STAMP = r"(?:\d\d:)?\d\d:\d\d[.,]\d{3}"
# With its number on the line above, and where it stands on the screen.
_CUE = re.compile(
    rf"(?:(?<=\n)\d{{1,5}}[ \t]?\r?\n|\A\ufeff?\d{{1,5}}[ \t]?\r?\n)?(?<!\d){_STAMP} --> {_STAMP}"
    r"(?:[ \t]{1,4}(?:align|position|line|size|vertical|region):[\w%.,:-]{1,20}){0,6}"
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,40}\](?!:)")
_LATEX = re.compile(
    r"~?\\(?:[a-zA-Z]{0,8}cite[a-zA-Z]{0,8}|[a-zA-Z]{0,4}ref|label|footnotemark|includegraphics)\*?"
    r"(?:\[[^\[\]\n]{0,100}\]){0,2}\{[^{}\n]{1,200}\}"
)
# Only where the text has the sign that each of these begins with or has inside.
_SIGNED = ((" --> ", _CUE), ("[^", _FOOTNOTE), ("\\", _LATEX))


def formula_ranges(text: str) -> Iterator[tuple[int, int]]:
    """Yield half-open character ranges of formulas, citations and cues, each kind ascending."""
    for match in _FORMULA.finditer(text):
        if match["body"] is None or _MATHS.search(match["body"]):
            yield match.span()
    patterns = [_CITATION, *(pattern for sign, pattern in _SIGNED if sign in text)]
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield match.span()
