"""Scripts that say by their first line what runs them."""

import re
from collections.abc import Sequence

from compressor.protect.commands import COMMAND_LINE
from compressor.protect.lines import Line

_INTERPRETER = re.compile(r"#!\s?/\S{1,100}(?:\s\S{1,60}){0,4}\s*$")
_SIGN = re.compile(r"[=$|&;<>(){}\[\]\"'`#\\/]")
_SENTENCE = re.compile(r"[A-Z]|.{0,2000}[.!?:]\s*$")


def script_end(lines: Sequence[Line], index: int) -> int:
    """Return where the script that starts at this line stops; `index` where none starts.

    It runs to a line behind a blank one that begins or ends like a sentence and has no sign of a
    command.
    """
    if not _INTERPRETER.match(lines[index][2]):
        return index
    stop = index + 1
    for at in range(index + 1, len(lines)):
        line = lines[at][2]
        if not line.strip():
            continue
        behind_blank = not lines[at - 1][2].strip() and not line[0].isspace()
        if behind_blank and _SENTENCE.match(line) and not _is_command(line):
            break
        stop = at + 1
    return stop


def _is_command(line: str) -> bool:
    return _SIGN.search(line) is not None or COMMAND_LINE.search(line) is not None
