"""The numbers of passages that stand on a line above them, by themselves or before a title."""

import re
from collections import Counter

_MARK = r"[ \t>]{0,8}(?:#{1,6}[ \t]|\*\*|__)?"
_WORD = r"[^\W\d_]{1,20}[ \t]?#?"
_NUMBER = r"\d{1,3}"
# Document 3, [3], [Source 3], **Passage 3:**
_ALONE = re.compile(
    rf"^{_MARK}(?:(?P<word>{_WORD}){_NUMBER}|[\[(](?P<within>(?:{_WORD})?){_NUMBER}[\])])"
    r"[ \t]?[:：.]?(?:\*\*|__)?[ \t\r]*$",
    re.MULTILINE,
)
# [3] The mills of the valley; Document 3: The mills of the valley
_TITLED = re.compile(
    rf"^{_MARK}(?:(?:{_WORD})?\[{_NUMBER}\]|{_WORD}{_NUMBER}[ \t]?[:：–-])"
    r"[ \t]{0,4}[^\s\[][^\n]{0,100}(?<![.!?。！？:：])\n[ \t\r]*\n+(?=[^\s\[])",
    re.MULTILINE,
)


def numbers_alone(text: str) -> list[tuple[int, int]]:
    """Return the lines of nothing but a number of those that passages have, ascending.

    Where others of the kind stand on lines of their own too.
    """
    lines = list(_ALONE.finditer(text))
    kinds = Counter(_kind(line) for line in lines)
    return [line.span() for line in lines if kinds[_kind(line)] > 1]


def below_titles(text: str) -> list[int]:
    """Return where passages begin below a blank line and a title with their number, ascending."""
    return [title.end() for title in _TITLED.finditer(text)]


def _kind(line: re.Match[str]) -> str:
    return (line["word"] or line["within"]).strip(" \t#").lower()
