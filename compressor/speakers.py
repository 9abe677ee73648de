"""Who speaks, where it stands on a line of its own above what is said, as chats are exported."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?:[ \u202f]?[AaPp]\.?[Mm]\.?)?"
# A day as well: 14.10.25, Today at, Oct 14, 2025 at, 14. Okt. um.
_DAY = r"(?:\d[\w./-]{0,14}|[A-Z]\w{2,12}|at|um|om|kl|a las|alle|[aàá])"
_STAMP = rf"(?:{_DAY}[,.]?[ \u202f]){{0,6}}{_TIME}(?:[ \u202f]UTC)?"
_WORD = r"[^\W\d_a-zà-öø-ÿ][\w.'’&-]{0,30}"
_HANDLE = r"@?[\w.#-]{1,39}\w"
_NAME = rf"(?:{_WORD}(?: (?:{_WORD}|d[aeiu]l?|v[ao]n|de[nr]|l[ae]|al|bin|\([\w .]{{1,20}}\))){{0,5}}|{_HANDLE})"
_TO = rf"(?:(?:From|Von|De|Da) )?{_NAME}(?: (?:to|[Tt]o|an|à|a) .{{1,40}})?"
_STAMPED = re.compile(
    rf"[ \t]{{0,8}}(?:(?=[\d\[(])[\[(]?{_STAMP}[\])]?[ \t]{{1,4}}(?:[-–—|•] )?{_TO}:?|"
    rf"{_NAME}(?:,? [\[(]|, | ?[-–—|•·] ?|[ \t]{{2,8}}|\t){_STAMP}[\])]?:?|"
    rf"{_NAME} {_TIME}:?)[ \t\r]*"
)
# Below a name; one that begins with a word could be a name with its time.
_STAMP_LINE = re.compile(
    rf"(?=[ \t\d\[(]|\w{{3,12}},? (?:at|um|om|kl|[aàá]) )[ \t]{{0,8}}[\[(]?{_STAMP}[\])]?[ \t\r]*"
)
_NAME_LINE = re.compile(rf"[ \t]{{0,8}}{_NAME}[ \t\r]*")
_CLOCK = re.compile(r"\d:\d\d")
_LONGEST_LINE = 90
# Without a stamp the same two names have to come again.
_BARE = re.compile(
    r"(?P<mark>#{1,6} |\*\*|__)?[^\W\d_a-zà-öø-ÿ][\w'’-]{0,30}(?: [\w.'’-]{1,30}){0,3}"
    r"(?P<colon>:)?(?:\*\*|__)?(?P<after>:)?[ \t\r]*"
)
_LONGEST_BARE = 40
_LEAST_NAMES = 2


def speaker_lines(text: str) -> list[tuple[int, int]]:
    """Return the lines that say who speaks below them, half-open character ranges, ascending.

    They name somebody with a time before or behind it, on one line or on two; or they are short
    and come again, as do others like them.
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted((*_stamped(text), *_repeated(text)), key=lambda one: (one[0], -one[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return [
        (start, end)
        for (start, end), (after, _) in pairwise([*found, (len(text), len(text))])
        if text[end:after].strip()
    ]


def _stamped(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    end = -1
    for clock in _CLOCK.finditer(text):
        if clock.start() < end:
            continue
        start = text.rfind("\n", 0, clock.start()) + 1
        end = _line_end(text, clock.start())
        if end - start > _LONGEST_LINE:
            continue
        if _STAMP_LINE.fullmatch(text, start, end):
            before = text.rfind("\n", 0, max(0, start - 1)) + 1
            if 0 < start - before <= _LONGEST_LINE and _NAME_LINE.fullmatch(text, before, start - 1):
                found.append((before, end))
        elif _STAMPED.fullmatch(text, start, end):
            found.append((start, end))
    return found


def _repeated(text: str) -> list[tuple[int, int]]:
    lines: list[tuple[int, str]] = []
    at = 0
    for line in text.split("\n"):
        lines.append((at, line))
        at += len(line) + 1
    counts = Counter(line for _, line in lines if 0 < len(line) <= _LONGEST_BARE)
    names = {line for line, times in counts.items() if times > 1 and _BARE.fullmatch(line)}
    if len(names) < _LEAST_NAMES:
        return []
    found = [
        (start, line)
        for number, (start, line) in enumerate(lines)
        if line in names and _heads(lines, number)
    ]
    again = {line for line, times in Counter(line for _, line in found).items() if times > 1}
    if len(again) < _LEAST_NAMES:
        return []
    return [(start, start + len(line)) for start, line in found if line in again]


def _heads(lines: Sequence[tuple[int, str]], number: int) -> bool:
    """Whether a line has nothing above it and text right below; or below a blank, if it is marked."""
    line = lines[number][1]
    if number and lines[number - 1][1].strip():
        return False
    found = _BARE.fullmatch(line)
    marked = bool(found and (found["mark"] or found["colon"] or found["after"]))
    below = lines[number + 1 : number + 2 + marked]
    return any(other.strip() for _, other in below)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
