"""Stack traces: where one begins and ends, and which of its frames may go.

A trace begins with its message, and the message is what a reader looks for first.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from compressor.protect.lines import Line, lines_while
from compressor.protect.logs import is_log_line
from compressor.types import ProtectedSpan

_PYTHON = re.compile(r"\s{0,40}Traceback \(most recent call last\):")
_PYTHON_LINK = re.compile(
    r"(?:During handling of the above exception, another exception occurred|"
    r"The above exception was the direct cause of the following exception):\s*$"
)
_FRAME = re.compile(
    r"\s{1,40}at [\w.$<>/ \[\]]{1,200}\(|\s{1,40}at (?:async )?[^\s(]{1,300}:\d+|"
    r"\s{0,40}(?:Caused by|Suppressed): \S|\s{1,40}\.\.\. \d+ (?:more|common frames)|"
    r"\s{0,10}--- End of |\s{1,40}from \S{1,300}:\d+:in "
)
# A frame that names a place in a file: prose can read "  at the pier (Tuesday)".
_PLACED = re.compile(
    r"\s{1,40}at \S.{0,500}"
    r"(?::\d+\)?|:line \d+|\((?:Native Method|Unknown Source|native)\))\s{0,8}$"
)
_MESSAGE = re.compile(
    r"(?<![\w.$])[\w.$]{0,200}(?:Exception|Error|Throwable)(?:\s\[\w{1,60}\])?(?::|\s*$)|"
    r"Exception in thread |Uncaught |Unhandled |:\d+:in [`']"
)
# Of Elixir: (tally 0.1.0) lib/tally.ex:14: Tally.read/1
_ELIXIR = re.compile(r"\*\* \(\w|\s{1,8}\(\w{1,60} [\w.-]{1,30}\) \S{1,300}:\d{1,7}: \S")
# Of Python's exception groups, whose lines stand behind bars.
_GROUP = re.compile(r"\s{0,40}\+ Exception Group Traceback \(most recent call last\):")
_OF_GROUP = re.compile(r"\s{0,80}(?:\||\+[-+ ])")
_LONGEST_MESSAGE = 5  # lines
_LONGEST_LINE = 2000
# What databases and drivers add to a message, at the margin.
_ADDED = re.compile(
    r"\[(?:SQL|parameters): |\(Background on this error|(?:DETAIL|HINT|CONTEXT|LINE \d{1,6}): "
)
_RUST_PANIC = re.compile(r"thread '[^'\n]{0,100}'(?: \(\d+\))? panicked at ")
_RUST_LINE = re.compile(r"stack backtrace:\s*$|note: \S|\s{0,6}\d{1,4}: \S|\s{4,40}at \S")
_RUSTC = re.compile(r"(?:error|warning)(?:\[E\d{4}\])?: \S")
_RUSTC_PLACE = re.compile(r"\s{0,8}--> \S{1,300}:\d+")
_EXCERPT = re.compile(r"\s{1,8}\d{0,6}\s{1,6}\| ")  # of C, below the message
_RUSTC_LINE = re.compile(r"\s{0,8}(?:-->|:::|\d{0,6}\s{0,6}\||=\s|\.\.\.)|(?:help|note): \S")
_PANIC = re.compile(r"(?:panic|fatal error): \S")
_PHP_START = re.compile(r"\s{0,10}(?:\[stacktrace\]|Stack trace:)\s*$")
_PHP_FRAME = re.compile(
    r"\s{0,10}#\d{1,3} (?:\S{1,300}\(\d{1,7}\)|\{main\}|\[internal)|\s{1,10}thrown in \S"
)
# What a cause says on lines below its first.
_BETWEEN_FRAMES = re.compile(r"\s{1,40}[A-Z][a-z]{2,20}: \S")
_LONGEST_CAUSE = 3  # lines
_GOROUTINE = re.compile(r"goroutine \d+ (?:.{0,60} )?\[[^\]]{1,100}\]:")
_GO_PLACE = re.compile(r"\s{1,8}\S{1,300}:\d+(?: \+0x[0-9a-f]{1,16})?\s*$")
_GO_REST = re.compile(r"created by \S|exit status \d+\s*$|\.\.\.additional frames elided\.\.\.")
# Of gdb, lldb and sanitizers: #0  0x0000555555555170 in main () at pick.c:14
_NATIVE_FRAME = re.compile(
    r"\s{0,8}#\d{1,4} {1,4}(?:0x[0-9a-f]{6,16} in \S|[\w:~<>]{1,200} \(.{0,300}\) at \S{1,300}:\d)"
)
_OBJECT_REACH = 40  # lines of what Node prints of an error behind its last frame
_PANIC_REACH = 12  # lines from a panic's message to its first goroutine


def trace_end(lines: Sequence[Line], index: int) -> int:
    """Return where the trace stops whose message or first frame is this line; `index`: none."""
    line = lines[index][2]
    if not line.strip() or len(line) > _LONGEST_LINE:
        return index
    if _PYTHON.match(line):
        at = index + 1
        while at < len(lines) and lines[at][2][:1].isspace():
            at += 1
        return _message_end(lines, min(at + 1, len(lines)))  # behind the exception's line
    if _PYTHON_LINK.match(line):
        return index + 1
    if (stop := max(_goroutines_end(lines, index), _rust_end(lines, index))) > index:
        return stop
    if (stop := _php_end(lines, index)) > index:
        return stop
    for first, following in (
        (_NATIVE_FRAME, _NATIVE_FRAME),
        (_GROUP, _OF_GROUP),
        (_ELIXIR, _ELIXIR),
    ):
        if first.match(line):
            return lines_while(lines, index, following.match)
    at = _first_frame(lines, index)
    while at < len(lines) and _FRAME.match(lines[at][2]):
        index = at = at + 1
        while at < min(len(lines), index + _LONGEST_CAUSE) and _BETWEEN_FRAMES.match(lines[at][2]):
            at += 1
    return _object_end(lines, index)


def _object_end(lines: Sequence[Line], index: int) -> int:
    """Where the object stops that Node prints behind a last frame: `at run (a.js:1:2) {`."""
    if not index or not lines[index - 1][2].rstrip().endswith(" {"):
        return index
    near = range(index, min(len(lines), index + _OBJECT_REACH))
    return next((at + 1 for at in near if lines[at][2].rstrip() == "}"), index)


def _php_end(lines: Sequence[Line], index: int) -> int:
    """Where the numbered frames of PHP stop, whose message may stand above them."""
    near = range(index, min(len(lines), index + _LONGEST_MESSAGE))
    at = next((n for n in near if _PHP_START.match(lines[n][2])), -1)
    if at < 0 or (at > index and not _MESSAGE.search(lines[index][2])):
        return index
    stop = at = at + 1
    while at < len(lines) and _PHP_FRAME.match(lines[at][2]):
        stop = at = at + 1
    return stop if stop > index + 1 else index


def _message_end(lines: Sequence[Line], at: int) -> int:
    """Where a Python message stops: it goes on indented, or over what has indented lines below."""
    while at < len(lines):
        line = lines[at][2]
        following = lines[at + 1][2] if at + 1 < len(lines) else ""
        goes_on = line[:1].isspace() or _ADDED.match(line) or following[:1].isspace()
        if is_log_line(line) or not (goes_on if line.strip() else _ADDED.match(following)):
            break
        at += 1
    return at


def _rust_end(lines: Sequence[Line], index: int) -> int:
    """Where a panic with its backtrace, or a message of the compiler with its excerpt, stops."""
    following = lines[index + 1][2] if index + 1 < len(lines) else ""
    if _RUST_PANIC.match(lines[index][2]):
        at, pattern = min(index + 1 + bool(following.strip()), len(lines)), _RUST_LINE
    elif _RUSTC.match(lines[index][2]) and _RUSTC_PLACE.match(following):
        at, pattern = index + 2, _RUSTC_LINE
    elif _EXCERPT.match(following) and is_log_line(lines[index][2]):
        at, pattern = index + 1, _EXCERPT
    else:
        return index
    while at < len(lines) and pattern.match(lines[at][2]):
        at += 1
    return at


def _first_frame(lines: Sequence[Line], index: int) -> int:
    """Return the first frame behind the message that starts here; no line's number without one."""
    if _FRAME.match(lines[index][2]):
        return index
    if index + 1 < len(lines) and _PLACED.match(lines[index + 1][2]):
        return index + 1
    for at in range(index + 1, min(len(lines), index + 1 + _LONGEST_MESSAGE)):
        if _FRAME.match(lines[at][2]):
            return at if _MESSAGE.search(lines[index][2]) else len(lines)
        if not lines[at][2].strip() or is_log_line(lines[at][2]):
            break
    return len(lines)


def _goroutines_end(lines: Sequence[Line], index: int) -> int:
    """Where a Go panic, or a dump of goroutines, stops."""
    at = index
    if _PANIC.match(lines[index][2]):
        near = range(index + 1, min(len(lines), index + _PANIC_REACH))
        at = next((n for n in near if _GOROUTINE.match(lines[n][2])), index)
    if not _GOROUTINE.match(lines[at][2]):
        return index
    stop = at
    while at < len(lines):
        line = lines[at][2]
        following = lines[at + 1][2] if at + 1 < len(lines) else ""
        if _GOROUTINE.match(line) or _GO_PLACE.match(line) or _GO_REST.match(line):
            stop = at + 1
        elif not (_GO_PLACE.match(following) if line.strip() else _GOROUTINE.match(following)):
            break
        at += 1
    return stop


def loosened_frames(text: str, block: ProtectedSpan) -> list[ProtectedSpan]:
    """Return a trace's block with the frames that repeat inside it as conditional spans.

    A line is loose that stands in the block before and again after, word for word; stretches of
    such lines are one span each, so that a frame's two lines go together.
    """
    bounds = _line_bounds(text, block)
    seen: dict[str, list[int]] = defaultdict(list)
    for number, (start, end) in enumerate(bounds):
        seen[text[start:end]].append(number)
    loose = {n for numbers in seen.values() if len(numbers) > 2 for n in numbers[1:-1]}
    found: list[ProtectedSpan] = []
    for number, (start, end) in enumerate(bounds):
        conditional = number in loose
        if found and found[-1].conditional == conditional:
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(ProtectedSpan(start, end, block.kind, conditional))
    return found


def _line_bounds(text: str, block: ProtectedSpan) -> list[tuple[int, int]]:
    bounds, at = [], block.start
    while at < block.end:
        end = text.find("\n", at, block.end)
        end = block.end if end < 0 else end
        if end > at:
            bounds.append((at, end))
        at = end + 1
    return bounds
