"""Lines of a text as the finders of blocks pass them around."""

from collections.abc import Callable, Sequence

Line = tuple[int, int, str]  # start, end without the line break, text

LONGEST_LINE = 2000  # characters; a longer one is a row of nothing


def lines_while(lines: Sequence[Line], index: int, holds: Callable[[str], object]) -> int:
    """Return where the lines stop, from `index` on, for which this holds and that are not long."""
    at = index
    while at < len(lines) and len(lines[at][2]) <= LONGEST_LINE and holds(lines[at][2]):
        at += 1
    return at
