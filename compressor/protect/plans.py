"""Plans: of Terraform and OpenTofu what will be done to which resource, of PostgreSQL how."""

import re
from collections.abc import Sequence

from compressor.protect.lines import Line, lines_while

_CHANGE = re.compile(
    r"\s{0,8}# \S{1,300} (?:will be|must be|has (?:been|changed|moved)|is tainted)\b"
)
_WITHIN = re.compile(r"\s{2,}\S|[-+~<=/]{1,3} \S|\s*$")
_CLOSED = re.compile(r"\s{2,6}\}\s*$")
_COUNT = re.compile(r"Plan: \d+ to (?:add|import|change)")
_NODE = re.compile(r".{1,300}\((?:cost|actual time)=\d")
_OF_NODE = re.compile(r"\s{1,200}(?:->|[A-Z][\w ]{2,40}: \S)|(?:Planning|Execution) Time: \d")
_REACH = 400  # lines of one resource


def plan_end(lines: Sequence[Line], index: int) -> int:
    """Return where the change, or the steps of a query, that begin here stop; `index`: none."""
    line = lines[index][2]
    if _COUNT.match(line):
        return index + 1
    if _NODE.match(line):
        return lines_while(lines, index, lambda line: _NODE.match(line) or _OF_NODE.match(line))
    if "# " not in line or not _CHANGE.match(line):
        return index
    for at in range(index + 1, min(len(lines), index + _REACH)):
        inside = lines[at][2]
        if _CLOSED.match(inside):
            return at + 1
        if not _WITHIN.match(inside) or _CHANGE.match(inside):
            break
    return index
