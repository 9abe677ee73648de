"""Whole lines that are not prose: fenced and indented code, diffs, traces, logs, tables, tags."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from compressor.protect.assertions import assertion_end
from compressor.protect.code_lines import is_code_line
from compressor.protect.commands import COMMAND_LINE
from compressor.protect.fences import fence_end
from compressor.protect.lines import Line, as_shown, lines_while
from compressor.protect.listings import listing_end
from compressor.protect.logs import is_log_line
from compressor.protect.marked_blocks import marked_end
from compressor.protect.plans import plan_end
from compressor.protect.scripts import script_end
from compressor.protect.traces import loosened_frames, trace_end
from compressor.types import Kind, ProtectedSpan

_LINE = re.compile(r"[^\n]+|(?<=\n)(?=\n)")
_DIFF_START = re.compile(r"diff --git |@@ -\d|Index: \S|--- \S")
_DIFF_LINE = re.compile(
    r"[ +\-@\\]|diff --git |index [0-9a-f]|(?:new|deleted|old) |rename |similarity "
)
_PLAIN_HUNK = re.compile(r"\d{1,7}(?:,\d{1,7})?[acd]\d{1,7}(?:,\d{1,7})?$")
_PLAIN_DIFF_LINE = re.compile(r"[<>](?: |$)|---$|\\ No newline")
_LIST_ITEM = re.compile(r"\s{0,80}(?:[-*+•]|\d{1,4}[.)])\s")
# A tag by itself, what a list or a figure of LaTeX stands between, a directive with all below it.
_TAG_LINE = re.compile(
    r"\s{0,80}(?:\.\. [A-Za-z][\w-]{0,40}::|</?[A-Za-z][\w:.-]{0,60}(?:\s[^<>]{0,300})?/?>|"
    r"\\(?:begin|end)\{[A-Za-z]{1,24}\*?\}(?:\[[^\]\n]{0,60}\])?)\s{0,80}$"
)
_CODE_LINE = re.compile(
    r"\s{0,80}(?:(?:def|class)\s+\w.{0,300}:|(?:if|for|while|elif|else|try|except|with)\b.{0,300}:|"
    r"return\b.{0,300}|import\s+[\w.]{1,100}|from\s+[\w.]{1,100}\s+import\b.{0,300}|@\w.{0,200}|"
    r"#include\b.{0,200}|(?:const|let|var|val)\s+\w{1,80}\s*=.{0,300}|\$ \S.{0,300}|//.{0,300}|"
    r"(?:public|private|protected|static|func|fn|function)\b.{0,300}[{;]|"
    r"(?:export )?[\w.\[\]\"'$]{1,120}\s?[-+*/|]?=\s?[^\s=].{0,300}|[\w.]{1,120}\([^()]{0,300}\);?|"
    r".{0,300}[{};]|[})\]]{1,4}[,;]?)$"
)
_CODE_SIGN = re.compile(r"[={}<>;|$\[\]]|\w\(|^\s*(?:>>>|\.\.\.|#|//)")
_SENTENCE = re.compile(r"[^\W\d_]{2}[.!?,:]$")
_LONGEST_CODE_LINE = 400
_INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")
# Of so many lines that are no code all told, none begins it: else each would read all behind it.
_ENOUGH_LINES = 60
_MIN_CODE_LINES = 3
_HEADER = re.compile(r"\s{0,80}(?:async )?(?:def|class)\s+\w.{0,300}:\s*$|.{0,300}[({\[]\s*$")
_REMARK = re.compile(r"(?:#|//|--)\s|/\*|\s?\*(?:[\s/]|$)")
_DOCSTRING = re.compile(r"[rRuU]?(\"{3}|'{3})|/\*")
_DOCSTRING_REACH = 200  # lines
_TELLING_LINES = 40
_NUMBERED = re.compile(r"\s{0,8}(?P<number>\d{1,6})(?:\t|→|\s?[:|](?=\s|$))")


def block_spans(text: str) -> list[ProtectedSpan]:
    """Return the blocks of `text` that must stay byte for byte, ascending and disjoint.

    A log line is conditional, as are frames that repeat inside a trace: each goes as a whole.
    Lines are read as a terminal shows them; one with its colours that is nothing else stays whole,
    as what is left of a colour would be shown as text.
    """
    lines = [(m.start(), m.end(), as_shown(m.group())) for m in _LINE.finditer(text)]
    spans: list[ProtectedSpan] = []
    index = 0
    while index < len(lines):
        # Every other line of most texts is empty.
        block = _block_at(lines, index) if lines[index][2] else _Block(index)
        if block.stop > index:
            start, end = lines[index][0], lines[block.stop - 1][1]
            while text[end - 1].isspace():  # that is a gap, of which another may take the place
                end -= 1
            span = ProtectedSpan(start, end, block.kind, block.conditional)
            spans += loosened_frames(text, span) if block.trace else [span]
            index = block.stop
            continue
        start, end, line = lines[index]
        if len(line) < end - start:
            spans.append(ProtectedSpan(start, end, Kind.CODE))
        index += 1
    return spans


@dataclass(frozen=True, slots=True)
class _Block:
    """The number of the line behind a block, and what it is."""

    stop: int
    kind: Kind = Kind.CODE
    conditional: bool = False
    trace: bool = False


def _block_at(lines: list[Line], index: int) -> _Block:
    """Return the block that starts at this line; one that stops at `index` is none."""
    line = lines[index][2]
    if (stop := fence_end(lines, index) or marked_end(lines, index)) > index:
        return _Block(stop)
    if (stop := max(_diff_end(lines, index), script_end(lines, index))) > index:
        return _Block(stop)
    if (stop := trace_end(lines, index)) > index:
        return _Block(stop, trace=True)
    if "|" in line and (stop := _table_end(lines, index)) > index:
        return _Block(stop, Kind.TABLE)
    ends = (_code_end, _documented_end, _numbered_end, listing_end, assertion_end, plan_end)
    if (stop := max(end(lines, index) for end in ends)) > index:
        return _Block(stop)
    if is_log_line(line):
        return _Block(index + 1, conditional=True)
    if _TAG_LINE.match(line) or (not _LIST_ITEM.match(line) and is_code_line(line)):
        return _Block(index + 1)
    return _Block(index)


def _diff_end(lines: list[Line], index: int) -> int:
    if not _DIFF_START.match(lines[index][2]):
        return _plain_diff_end(lines, index)
    if lines[index][2].startswith("--- ") and not (
        index + 1 < len(lines) and lines[index + 1][2].startswith("+++ ")
    ):
        return index
    at = index + 1
    while at < len(lines) and _DIFF_LINE.match(lines[at][2]):
        at += 1
    return at


def _plain_diff_end(lines: list[Line], index: int) -> int:
    """Where a hunk of a diff without context stops, and those right behind it."""
    at = index
    while at < len(lines) and _PLAIN_HUNK.match(lines[at][2]):
        stop = lines_while(lines, at + 1, _PLAIN_DIFF_LINE.match)
        if stop == at + 1:
            break
        at = stop
    return at


def _table_end(lines: list[Line], index: int) -> int:
    if (line := lines[index][2]).startswith("||") and line.rstrip().endswith("||"):  # Jira's
        return lines_while(lines, index + 1, lambda line: line.startswith("|"))
    if index + 1 >= len(lines) or not _is_delimiter(lines[index + 1][2]):
        return index
    at = index + 2
    while at < len(lines) and "|" in lines[at][2]:
        at += 1
    return at


def _is_delimiter(line: str) -> bool:
    return "|" in line and "-" in line and not line.strip("|-: \t>")


def _code_end(lines: list[Line], index: int) -> int:
    """Where a stretch of unfenced code that starts here ends; `index` when it is none.

    Indented after a blank line, half of the lines have to look like code, or three quarters to hold
    signs that prose seldom has; elsewhere nearly all have to look like code. There remarks, and
    what is indented under a definition, speak neither for code nor against it.
    """
    first = lines[index][2]
    if not first.strip() or not (_is_code(first) or _INDENTED.match(first)):
        return index
    indented = bool(_INDENTED.match(first)) and (index == 0 or not lines[index - 1][2].strip())
    end, code, signs, total, defined = index, 0, 0, 0, False
    for at, line in _nonblank(lines, index):
        looks = _is_code(line) or (indented and _is_one_line_of_code(line))
        if indented and not _INDENTED.match(line):
            break
        if not indented and not looks:
            if _INDENTED.match(line):
                end, total = at + 1, total + (not defined)
                if total >= _ENOUGH_LINES and code * 10 < total * 7:
                    return index
                continue
            if code and _REMARK.match(line):
                continue
            break
        defined = defined or _HEADER.match(line) is not None
        signs += bool(looks or _CODE_SIGN.search(line))
        code, total = code + looks, total + 1
        end = at + 1
        if total == _ENOUGH_LINES and indented and code * 2 < total and signs * 4 < total * 3:
            return index
    if indented:
        likely = code * 2 >= total or signs * 4 >= total * 3
        if total == 1:
            alone = end >= len(lines) or not lines[end][2].strip()
            return end if alone and _is_one_line_of_code(first) else index
        return end if likely else index
    return end if code >= _MIN_CODE_LINES and code * 10 >= total * 7 else index


def _documented_end(lines: list[Line], index: int) -> int:
    """Where a docstring or a remark at the top of a module, and the code right behind it, stop."""
    found = _DOCSTRING.match(lines[index][2])
    if not found:
        return index
    reach = min(len(lines), index + _DOCSTRING_REACH)
    after = [lines[index][2][found.end() :], *(line for _, _, line in lines[index + 1 : reach])]
    mark = found[1] or "*/"
    stop = next((index + n + 1 for n, line in enumerate(after) if mark in line), index)
    end = begins = stop
    for at, line in _nonblank(lines, stop):
        if not _is_code(line):
            break
        begins = begins if end > stop else at
        end = at + 1
    if stop in (index, end):
        return index
    return max(end, _code_end(lines, begins))


def _numbered_end(lines: list[Line], index: int) -> int:
    """Where code stops that is shown with the numbers of its lines; its first lines tell it."""
    at, number = index, None
    code = total = 0
    while at < len(lines) and (found := _NUMBERED.match(lines[at][2])):
        if number is not None and int(found["number"]) != number + 1:
            break
        number = int(found["number"])
        line = lines[at][2][found.end() :]
        if at - index < _TELLING_LINES and line.strip():
            total += 1
            code += _is_code(line) or _CODE_SIGN.search(line) is not None
        at += 1
        if at - index == _TELLING_LINES and code * 2 < total:
            return index
    return at if at - index >= _MIN_CODE_LINES and code * 2 >= total > 0 else index


def _is_one_line_of_code(line: str) -> bool:
    return (
        len(line) <= _LONGEST_CODE_LINE
        and not _LIST_ITEM.match(line)
        and not _SENTENCE.search(line.rstrip())
        and COMMAND_LINE.search(line) is not None
    )


def _nonblank(lines: list[Line], index: int) -> Iterator[tuple[int, str]]:
    """Yield the lines from here on, passing over one or two blank lines, up to three of them."""
    blanks = 0
    for at in range(index, len(lines)):
        line = lines[at][2]
        blanks = 0 if line.strip() else blanks + 1
        if blanks > 2:
            return
        if not blanks:
            yield at, line


def _is_code(line: str) -> bool:
    return (
        len(line) <= _LONGEST_CODE_LINE
        and not _LIST_ITEM.match(line)
        and _CODE_LINE.match(line) is not None
        and not is_log_line(line)
    )
