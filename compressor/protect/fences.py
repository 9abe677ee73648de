"""Fenced code: where it stops, and fences that close code whose beginning was cut off."""

import re
from collections.abc import Sequence

from compressor.protect.lines import Line

_FENCE = re.compile(r"[ \t>]{0,40}(?:[-*+] )?(`{3,}|~{3,})")
_AROUND = " \t>`~"
_CODE_SIGN = re.compile(r"[={}<>;|$\[\]\\]|\w\(|^\s*(?:>>>|\.\.\.|#|//|--?\w)")
_LETTER = re.compile(r"[^\W\d_]| ")
_SENTENCE_END = re.compile(r"[^\W\d_]{2}[)\"”’`]?[.!?](?=\s|$)|[。！？]")
_PROSE_LINE = 40  # characters, a third of these in scripts with fewer to a word


def fence_end(lines: Sequence[Line], index: int) -> int:
    """Return where the fence that opens here is closed, else the text's end; 0: none opens.

    At the first line that is where code stops that began before the text did. A fence that says
    no language, with prose behind it and none to close it, closes such code and opens nothing.
    """
    if index == 0 and (stop := _cut_code_end(lines)):
        return stop
    opening = _FENCE.match(lines[index][2])
    if not opening:
        return 0
    fence, bare = opening.group(1), _is_bare(lines[index][2])
    doubtful = bare
    for at in range(index + 1, len(lines)):
        other = _FENCE.match(lines[at][2])
        if not other or not other.group(1).startswith(fence):
            continue
        if _is_bare(lines[at][2]):
            return at + 1
        if doubtful and _is_prose(lines[index + 1 : at]):
            return index + 1
        doubtful = False  # the next fence tells, not each further one
    return index + 1 if bare and _is_prose(lines[index + 1 :]) else len(lines)


def _cut_code_end(lines: Sequence[Line]) -> int:
    """Return the line behind the fence that closes code at the text's beginning; 0: none does."""
    fences = [at for at, (_, _, line) in enumerate(lines) if _FENCE.match(line)][:2]
    if not fences or not _is_bare(lines[fences[0]][2]) or not _looks_like_code(lines[: fences[0]]):
        return 0
    behind = lines[fences[0] + 1 : fences[1] if len(fences) > 1 else len(lines)]
    return fences[0] + 1 if _is_prose(behind) else 0


def _is_bare(line: str) -> bool:
    return not line.strip(_AROUND)


def _looks_like_code(lines: Sequence[Line]) -> bool:
    """Whether half of the lines hold signs that prose seldom has, or are indented."""
    written = [line for _, _, line in lines if line.strip()]
    code = sum(line[0].isspace() or _CODE_SIGN.search(line) is not None for line in written)
    return 0 < len(written) <= 2 * code and not _is_prose(lines)


def _is_prose(lines: Sequence[Line]) -> bool:
    """Whether most of this is in long lines of letters, and there are sentences in it."""
    prose = total = ends = 0
    for line in (line.strip() for _, _, line in lines):
        total += len(line)
        if 3 * len(line) < _PROSE_LINE * (3 if line.isascii() else 1):
            continue
        if 10 * len(_LETTER.findall(line)) >= 8 * len(line):
            prose += len(line)
            ends += len(_SENTENCE_END.findall(line))
    return ends > 1 and 5 * prose >= 3 * total
