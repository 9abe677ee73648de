"""Lines of HTML: whole where they hold little text, and else their tags."""

import re
from collections.abc import Iterator

from compressor.types import Kind, ProtectedSpan

# Other tags may set off a document or a question of a prompt: <context>...</context>.
_TAG = re.compile(
    r"<!--.{0,300}?-->|</?(?:a|abbr|b|blockquote|body|br|button|caption|dd|div|dl|dt|em|fieldset|"
    r"figcaption|figure|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|legend|li|link|meta|nav|"
    r"ol|p|pre|small|span|strong|sub|sup|svg|table|tbody|td|tfoot|th|thead|tr|u|ul|video)"
    r"(?:\s[^<>]{0,1000})?/?>"
)
_TEXT_TO_A_TAG = 60  # characters, in the mean
_LINE = re.compile(r"^[ \t]{0,80}(?:<[^\n]+|[^<\s][^\n]*>[ \t\r]*)$", re.MULTILINE)


def has_little_text(line: str) -> bool | None:
    """Whether a line that begins and ends with HTML tags has little text between; None: no such."""
    tags = _tags(line)
    if len(tags) < 2:
        return None
    text = len(line.strip()) - sum(end - start for start, end in tags)
    return text <= _TEXT_TO_A_TAG * len(tags)


def tag_spans(text: str) -> Iterator[ProtectedSpan]:
    """Yield the tags of lines that begin or end with an HTML tag, ascending."""
    for line in _LINE.finditer(text):
        for start, end in _tags(line.group(), edges=1):
            yield ProtectedSpan(line.start() + start, line.start() + end, Kind.CODE)


def _tags(line: str, edges: int = 2) -> list[tuple[int, int]]:
    """Return where the tags of a line are; none where they stand at fewer of its two edges."""
    tags = [match.span() for match in _TAG.finditer(line)]
    if not tags:
        return []
    at_edges = (not line[: tags[0][0]].strip()) + (not line[tags[-1][1] :].strip())
    return tags if at_edges >= edges else []
