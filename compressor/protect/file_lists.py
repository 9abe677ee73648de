"""Lists of files, one a line: paths, names, and what git says became of them."""

import re
from collections.abc import Sequence

from compressor.protect.lines import LONGEST_LINE, Line, lines_while

_PATH = re.compile(r"\.{0,2}/?[\w.@+~-]{1,80}(?:/[\w.@+~-]{1,80}){1,20}/?$")
_ROOTED = re.compile(r"\.{0,2}/(?:[^/]{1,120}/){1,20}[^/]{0,120}(?<![.!?:;,])$|\./[^/]{1,120}$")
_NAME = re.compile(r"[\w.@+~-]{1,100}[/*@]?$")
# Names that are no words: with an ending, hidden, a folder's, or what projects call theirs.
_FILES_NAME = re.compile(
    r".{0,90}\w\.[A-Za-z]\w{0,9}\*?$|\.\w|.{1,99}/$|"
    r"(?:README|LICENSE|COPYING|CHANGELOG|CONTRIBUTING|(?:GNU)?[Mm]akefile|Dockerfile|Gemfile|"
    r"Rakefile|Procfile|Pipfile|Vagrantfile|Jenkinsfile)$"
)
_LEAST_NAMES = 4
_CHANGED = re.compile(
    r"(?:\t| {8})(?:modified|new file|deleted|renamed|copied|typechange|both modified|both added|"
    r"both deleted|added by (?:us|them)|deleted by (?:us|them)): {1,12}\S"
)
# `git status --short`, and `git diff --name-status` with its tabs
_STATUS = re.compile(
    r"(?:(?:[MADRCTU][MADRCTU ]|\?\?|!!| [MADRCTU]) (?=\S)|(?:[MADTU]|[RC]\d{2,3})\t(?=\S))"
    r".{1,400}(?<![.!?:;,])$"
)


def files_end(lines: Sequence[Line], index: int) -> int:
    """Return where the list that starts at this line stops; `index` where none starts."""
    stop = lines_while(lines, index, _CHANGED.match)
    if stop == index:
        stop = lines_while(lines, index, _STATUS.match)
        stop = stop if stop > index + 1 else index
    return stop if stop > index else max(_paths_end(lines, index), _names_end(lines, index))


def _paths_end(lines: Sequence[Line], index: int) -> int:
    """Two paths or more; with them, those below a root may have spaces in their names."""
    first = lines[index][2]
    following = lines[index + 1][2] if index + 1 < len(lines) else ""
    # One of the first two has no spaces: else each line of a long text would read all behind it.
    if not _PATH.match(first) and not (_ROOTED.match(first) and _PATH.match(following)):
        return index
    plain, at = 0, index
    while at < len(lines) and len(lines[at][2]) <= LONGEST_LINE:
        is_plain = _PATH.match(lines[at][2]) is not None
        if not is_plain and not _ROOTED.match(lines[at][2]):
            break
        plain += is_plain
        at += 1
    return at if plain > 1 else index


def _names_end(lines: Sequence[Line], index: int) -> int:
    """Four names or more, a quarter of which and at least two are no mere words."""
    if not _NAME.match(lines[index][2]) or (index and _NAME.match(lines[index - 1][2])):
        return index
    stop = lines_while(lines, index, _NAME.match)
    files = sum(_FILES_NAME.match(line) is not None for _, _, line in lines[index:stop])
    enough = stop - index >= _LEAST_NAMES and files >= max(2, (stop - index) / 4)
    return stop if enough else index
