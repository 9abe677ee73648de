"""Lines of a text as the finders of blocks pass them around."""

import re
from collections.abc import Callable, Sequence

Line = tuple[int, int, str]  # start, end without the line break, text

LONGEST_LINE = 2000  # characters; a longer one is a row of nothing

# What programs write for a terminal to act on, not to show: colours and the like, and links.
_CONTROL = re.compile(
    r"\x1b(?:\[[0-9;:<=>?]{0,60}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,500}(?:\x07|\x1b\\))"
)


def as_shown(line: str) -> str:
    """Return a line as a terminal shows it, without what it acts on."""
    return _CONTROL.sub("", line)


def lines_while(lines: Sequence[Line], index: int, holds: Callable[[str], object]) -> int:
    """Return where the lines stop, from `index` on, for which this holds and that are not long."""
    at = index
    while at < len(lines) and len(lines[at][2]) <= LONGEST_LINE and holds(lines[at][2]):
        at += 1
    return at
