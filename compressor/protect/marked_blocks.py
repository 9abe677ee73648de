"""Blocks that say where they end: markup's listings and tables, LaTeX's formulas, scripts."""

import re
from collections.abc import Callable, Sequence

from compressor.protect.lines import Line

_REACH = 400  # lines to a block's end
_DIRECTIVE = re.compile(
    r"\s{0,40}\.\. (?:code-block|code|sourcecode|parsed-literal|math|highlight|literalinclude)::"
)
_ATTRIBUTES = re.compile(r"\[[^\]\n]{0,200}\]\s*$")
_DELIMITER = re.compile(r"(-{4,}|\.{4,}|\|={3,})\s*$")
_ENVIRONMENT = re.compile(
    r"\s{0,40}\\begin\{(equation|align|gather|multline|eqnarray|math|displaymath|array|cases|"
    r"[pbvV]?matrix|tabular|tikzpicture|verbatim|lstlisting|minted)(\*?)\}"
)
_STARTS = (("{|", "|}"), ("<<<<<<< ", ">>>>>>> "))  # a wiki's table, a conflict of git's
_ELEMENT = re.compile(r"\s{0,40}<(script|style)\b[^<>]{0,300}>")
_ORG = re.compile(r"\s{0,40}#\+(?i:begin)(_(?i:src|example))\b.*")
_FORMULA = re.compile(r"\s{0,40}(?:(?P<dollars>\$\$)|\\\[)")


def marked_end(lines: Sequence[Line], index: int) -> int:
    """Return where the block that begins at this line stops; `index` where none begins."""
    line = lines[index][2]
    if _DIRECTIVE.match(line):
        return _deeper_end(lines, index)
    if (found := _ATTRIBUTES.match(line)) and index + 1 < len(lines):
        stop = _delimited_end(lines, index + 1)
        return stop if stop > index + 1 else index
    if line.startswith("|==="):
        return _delimited_end(lines, index)
    if closing := next((end for start, end in _STARTS if line.startswith(start)), ""):
        return _first(lines, index + 1, lambda line: line.startswith(closing)) or index
    if found := _ENVIRONMENT.match(line):
        return _closed(lines, index, found.end(), f"\\end{{{found[1]}{found[2]}}}")
    if found := _ELEMENT.match(line) or _ORG.match(line):
        org = f"#+{'END' if found[1].isupper() else 'end'}{found[1]}"
        closing = f"</{found[1]}>" if found.re is _ELEMENT else org
        return _closed(lines, index, found.end(), closing)
    if found := _FORMULA.match(line):
        return _closed(lines, index, found.end(), "$$" if found["dollars"] else "\\]", blank=False)
    return _literal_end(lines, index) if line[:1].isspace() else index


def _deeper_end(lines: Sequence[Line], index: int) -> int:
    """Return where the lines that stand deeper than this one stop."""
    depth = len(lines[index][2]) - len(lines[index][2].lstrip())
    stop = index + 1
    for at in range(index + 1, len(lines)):
        line = lines[at][2]
        if line.strip():
            if len(line) - len(line.lstrip()) <= depth:
                break
            stop = at + 1
    return stop


def _literal_end(lines: Sequence[Line], index: int) -> int:
    """reStructuredText: where what a paragraph's `::` announces stops, if it begins here."""
    above = index - 1
    while above >= 0 and not lines[above][2].strip():
        above -= 1
    announced = 0 <= above < index - 1 and lines[above][2].rstrip().endswith("::")
    return _deeper_end(lines, above) if announced else index


def _delimited_end(lines: Sequence[Line], index: int) -> int:
    """AsciiDoc: from a line of delimiters to the next one like it."""
    found = _DELIMITER.match(lines[index][2])
    if not found:
        return index
    return _first(lines, index + 1, lambda line: line.rstrip() == found[1]) or index


def _closed(lines: Sequence[Line], index: int, end: int, mark: str, *, blank: bool = True) -> int:
    """Return the line behind the one that `mark` ends; no `blank` line may stand between."""
    if mark in lines[index][2][end:]:
        return index + 1 if lines[index][2].rstrip(" .,;").endswith(mark) else index
    stop = _first(lines, index + 1, lambda line: mark in line)
    inner = lines[index + 1 : stop] if stop else ()
    return stop if stop and (blank or all(line.strip() for _, _, line in inner)) else index


def _first(lines: Sequence[Line], index: int, holds: Callable[[str], bool]) -> int:
    """Return the number of the line behind the first one for which this holds; 0: none near."""
    for at in range(index, min(len(lines), index + _REACH)):
        if holds(lines[at][2]):
            return at + 1
    return 0
