"""What test runners print of a check that failed: what was expected, what came, what differs."""

import re
from collections.abc import Sequence

from compressor.protect.lines import LONGEST_LINE, Line, lines_while

# pytest sets the line that failed and what it found apart from source by a margin.
_PYTEST = re.compile(r"(?:E|>)(?: {3,}\S|\s*$)")
_PYTEST_HEAD = re.compile(r"_{3,} \S.{0,300} _{3,}\s*$")
# Below it: source, values of arguments, what was found, where, and the rule between two frames.
_PYTEST_FAILURE = re.compile(
    rf"\s*$|\s{{4,}}\S|{_PYTEST.pattern}|\w{{1,60}} = |\S{{1,300}}:\d{{1,7}}: |(?:_ ){{5,}}"
)
# Data behind the colon, or nothing: prose too has a left and a right, and what was expected.
_SIDE = re.compile(
    r"\s{0,12}(?:[-+] ?)?(?P<side>expected|expecting|received|actual|left|right|got|want(?:ed)?|"
    r"but was|found|to (?:contain|be|equal|match|have))(?: \w{1,12}){0,3}\s{0,8}:"
    r"(?:\s{0,12}(?:[\"'`\[{(<]|[-+]?\d)|\s{1,12}\S{1,80}(?: \S{1,80}){0,2}\s*$|\s*$)",
    re.IGNORECASE,
)
_SIDES_REACH = 6  # lines from one side to the other
_ONE = r"[-+] ?(?:expected|received|actual)"
_DIFFERENCE = re.compile(rf"\s{{0,8}}{_ONE}(?:\s{{1,4}}[-+] ?\d+)?(?:\s{_ONE})?\s*$", re.IGNORECASE)
_LONGEST_HEAD = 60
_DIFFERENT = re.compile(r"\s{0,8}[-+@?](?:\s|\S)|\s{2,}\S|\s*$")
_GO_TEST = re.compile(r"\s{0,8}--- (?:FAIL|PASS|SKIP): \S")
_GO_MESSAGE = re.compile(r"\s{4,12}(?:[\w./-]{1,200}\.go:\d{1,6}: |\s{4}\S)")


def assertion_end(lines: Sequence[Line], index: int) -> int:
    """Return where a report that starts at this line stops; `index` where none starts."""
    line = lines[index][2]
    if not line.strip() or len(line) > LONGEST_LINE:
        return index
    if line[:2] in ("E ", "E", "> ", ">"):
        return _pytest_end(lines, index, _PYTEST)
    if line.startswith("___") and _PYTEST_HEAD.match(line):
        stop = _pytest_end(lines, index + 1, _PYTEST_FAILURE)
        return stop if stop > index + 1 else index
    if "--- " in line and _GO_TEST.match(line):
        return lines_while(lines, index + 1, _GO_MESSAGE.match)
    if len(line) < _LONGEST_HEAD and _DIFFERENCE.match(line):
        return _trimmed(lines, index, lines_while(lines, index + 1, _DIFFERENT.match))
    if ":" in line and _SIDE.match(line):
        return _sides_end(lines, index)
    return index


def _pytest_end(lines: Sequence[Line], index: int, row: re.Pattern[str]) -> int:
    """Rows, one of which says by its mark what was found."""
    stop = lines_while(lines, index, row.match)
    found = any(line[:2] in ("E ", "E") for _, _, line in lines[index:stop])
    return _trimmed(lines, index, stop) if found else index


def _sides_end(lines: Sequence[Line], index: int) -> int:
    """Where the second of two different sides stops, what is indented under one belonging to it."""
    first = _side(lines[index][2])
    at = index + 1
    while at < min(len(lines), index + 1 + _SIDES_REACH):
        line = lines[at][2]
        if _side(line) not in ("", first):
            return at + 1 + (line.rstrip().endswith(":") and at + 1 < len(lines))
        if line.strip() and not line[0].isspace():
            break
        at += 1
    return index


def _side(line: str) -> str:
    found = _SIDE.match(line)
    return found["side"].lower() if found else ""


def _trimmed(lines: Sequence[Line], index: int, stop: int) -> int:
    """Return where the lines stop without the blank ones at their end."""
    while stop > index and not lines[stop - 1][2].strip():
        stop -= 1
    return stop
