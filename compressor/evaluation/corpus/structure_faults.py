"""Reads a source and what is kept of it, and names what is wrong with the shape of the result.

Written against plain text and offsets; shares no pattern and no code with the compressor.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from unicodedata import category

from compressor.types import Span

_MARKERS = re.compile(
    r"(?P<quote>(?:[ \t]*>)+[ \t]?)|"
    r"(?P<heading>[ \t]{0,3}#{1,6}[ \t]+)|"
    r"(?P<bullet>[ \t]*[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?)|"
    r"(?P<reference>\.\. \[[^\[\]\n]+\][ \t]+)|"
    r"(?P<number>[ \t]*\(?(?:\d{1,3}|[a-zA-Z])[.)][ \t]+)|"
    r"(?P<speaker>(?:\[?\d{1,2}:\d\d(?::\d\d)?\]?[ \t]+)?"
    r"[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,2}:[ \t]+)"
)
_CLOSING = frozenset(".,;:!?)]}…\"'”’」』。，、；：！？）")
_COUNTED = {
    "space before a mark": re.compile(r"(?<=[^\s]) +[,.;:!?)\]](?=[\s]|$)"),
    "space after an opening bracket": re.compile(r"[(\[]+ +(?=\S)"),
    "empty pair": re.compile(r"\( ?\)|\[ ?\]|“ ?”|\"\"|«»|「」"),
    "double space": re.compile(r"(?<=\S)  +(?=\S)"),
    "trailing space": re.compile(r"[ \t]+(?=\n|$)"),
    "blank lines": re.compile(r"\n[ \t]*\n[ \t]*\n"),
    "doubled mark": re.compile(r"[,;] ?[,;.]|(?<!\.)\.,|, ?[.!?](?=\s|$)"),
    "line of marks": re.compile(r"(?m)^[ \t]*(?:[-*+•#>]+|[,.;:!?)\]]+)[ \t]*$(?!\n[ \t]*```)"),
    "line that begins with a closing mark": re.compile(r"(?m)^[ \t]*[,;:.!?)\]](?=[ \t]|$)"),
}


def faults(text: str, kept: Sequence[Span]) -> Counter[str]:
    """Return how often each fault occurs in the kept slices of `text` and did not in `text`."""
    result = "".join(text[s.start : s.end] for s in kept)
    joints = list(accumulate((s.end - s.start for s in kept), initial=0))
    found: Counter[str] = Counter()
    for name, pattern in _COUNTED.items():
        extra = len(pattern.findall(result)) - len(pattern.findall(text))
        if extra <= 0:
            continue
        made = sum(_is_made(text, kept, joints, match) for match in pattern.finditer(result))
        if made:
            found[name] += min(extra, made)
    found.update(_joints(text, kept))
    found.update(_lines(text, kept))
    return found


def _is_made(text: str, kept: Sequence[Span], joints: Sequence[int], match: re.Match[str]) -> bool:
    """Whether two slices meet in a match or at its end, and the source had no space there either.

    What stands in one slice stood so in the source.
    """
    index = bisect_right(joints, match.start())
    if index >= len(joints) - 1 or joints[index] > match.end():
        return False
    last = bisect_right(joints, match.end() - 1) - 1
    source = kept[last].start + match.end() - 1 - joints[last]
    return not (match.group().startswith(" ") and text[source] > " " and text[source - 1] == " ")


def _joints(text: str, kept: Sequence[Span]) -> Iterator[str]:
    """Yield what is wrong where two slices meet that were apart."""
    for left, right in pairwise(kept):
        if left.end == right.start:
            continue
        before, after = text[left.end - 1], text[right.start]
        if _spaced(before) and _spaced(after):
            yield "glued words"
        gap = text[left.end : right.start]
        # The mark that ends a wrapped sentence may stand behind a word of an earlier line, and a
        # later line of a list item behind the item's marker.
        if "\n" not in gap or after in _CLOSING or _break_between(text, left, right):
            continue
        line_start = text.rfind("\n", 0, left.end) + 1
        line = text[line_start : left.end].rstrip()
        if not _MARKERS.fullmatch(line + " ") and not line.endswith((":", "：", ":**", "**:")):
            yield "lost line break"


def _break_between(text: str, left: Span, right: Span) -> bool:
    tail, head = text[left.start : left.end], text[right.start : right.end]
    return "\n" in tail[len(tail.rstrip()) :] or "\n" in head[: len(head) - len(head.lstrip())]


def _spaced(char: str) -> bool:
    """Whether a character is of a word that spaces set apart."""
    return (
        char.isalnum()
        and not "\u0e00" <= char <= "\u0eff"
        and not "\u1000" <= char <= "\u109f"
        and (char < "\u2e80" or "\uac00" <= char <= "\ud7a3")
    )


def _lines(text: str, kept: Sequence[Span]) -> Iterator[str]:
    """Yield markers without their line, and lines without their marker."""
    present = bytearray(len(text))
    for span in kept:
        present[span.start : span.end] = b"\1" * (span.end - span.start)
    lines, at = text.split("\n"), 0
    markers = [_MARKERS.match(line) for line in lines]
    for number, (line, marker) in enumerate(zip(lines, markers, strict=True)):
        if marker and marker.end() < len(line.rstrip()):
            kind = marker.lastgroup or ""
            behind = at + marker.end()
            mark = _kept_share(text, present, at, behind)
            own = _kept_share(text, present, behind, at + len(line))
            item = at + len(line)
            for further, other in zip(lines[number + 1 :], markers[number + 1 :], strict=True):
                if other or not further.strip() or kind == "heading":
                    break
                item += 1 + len(further)
            if own and mark < 1:
                yield f"line without its {kind}"
            if mark and not _kept_share(text, present, behind, item):
                yield f"{kind} without its line"
        at += len(line) + 1


def _kept_share(text: str, present: bytearray, start: int, end: int) -> float:
    wanted = [i for i in range(start, end) if text[i].isalnum() or category(text[i]) == "So"]
    wanted = wanted or [i for i in range(start, end) if not text[i].isspace()]
    return sum(present[i] for i in wanted) / len(wanted) if wanted else 0.0
