"""Finds what must come out whole: links, paths, identifiers, dates, code, quotes, tables, logs.

Every pattern is this module's own. None comes from `compressor.protect` or `compressor.verify`, so
that the compressor is not measured with its own ruler.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A half-open range of characters and what stands there."""

    kind: str
    start: int
    end: int


_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|"
    "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
)
_FOUND_IN_PROSE = {
    # As a link's target it ends with it: [Request](https://example.com/request)-object
    "url": r"(?<=\]\()https?://(?:[!#-&*-;=?-Z_a-z~]|\([!#-&*-;=?-Z_a-z~]*\))+(?=\))"
    r"|(?:https?|ftp|wss?)://[!#-&(-;=?-Z_a-z~]+|\bwww\.[a-z0-9-]+\.[a-z]{2,}[!#-&(-;=?-Z_a-z~]*",
    "email": r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    "uuid": r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
    "date": r"(?<![\d./-])(?:\d{4}-\d\d-\d\d(?![\d-])|\d{4}/\d\d/\d\d(?![\d/])"
    r"|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d(?![\d./]*\d))"
    rf"|(?<![\d.,])\d{{1,2}}(?:st|nd|rd|th|er|\.)?\ (?:de\ )?(?:{_MONTHS})(?:,?\ (?:de\ )?\d{{4}})?(?!\w)"
    rf"|(?<!\w)(?:{_MONTHS})\ \d{{1,2}}(?:st|nd|rd|th)?(?!\w)(?!:)(?:,?\ \d{{4}}(?!\w))?",
    "path": r"(?<![\w/.:<\\~-])(?:~|\.{1,2})?/(?:[\w.+-]+/)+[\w.+-]*"
    r"|(?<![\w/.:-])[\w.-]+(?:/[\w.-]+)+\.[a-z]{1,5}(?![\w/])"
    r"|(?<!\w)[A-Za-z]:\\(?:[\w.-]+\\)*[\w.-]+",
    # Not a chat's handle, which goes with what it says: [11:39] <aceb747>
    "hash": r"(?<![\w-])(?<!\d\]\ <)(?:(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}|0x[0-9a-fA-F]{4,64})(?![\w-])",
    "version": r"(?<![\w.-])(?:v?\d+\.\d+\.\d+(?:[-+.](?:rc|alpha|beta|dev|post)[\w.]*)?|v\d+(?:\.\d+)*)"
    r"(?![\w-]|\.\d)",
}
_PROSE = re.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _FOUND_IN_PROSE.items()), re.ASCII
)
_HAN_DATE = re.compile(r"(?:\d{4}年)?\d{1,2}月\d{1,2}[日号]")
_INLINE_CODE = re.compile(r"(?<!`)`(?=\S)[^`\n]{1,200}(?<=\S)`(?!`)")
_FENCE = re.compile(
    r"(?m)^[ \t>]*(?P<marks>`{3,}|~{3,})[^`\n]*\n(?:.*\n)*?[ \t>]*(?P=marks)[`~]*[ \t]*$"
)
_NAMED_FENCE = re.compile(r"(?m)\n[ \t>]*(?:`{3,}|~{3,})[ \t]*[a-zA-Z]")
_TABLE_RULE = re.compile(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$")
_CURLED = {"“": "”", "„": "“", "「": "」", "『": "』"}
_LONGEST_QUOTE = 300
_STAMPED = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
)
_CODE_SIGNS = re.compile(r"[=;{}<>\[\]|$]|\w\(|^\s*(?:import|from|def|class|return|#|//|>>>)\b|:$")


def find_items(text: str) -> list[Item]:
    """Return the items of a text, by start. What stands in a block is not listed by itself.

    Blocks are fenced and indented code, tables and log lines.
    """
    blocks = list(_blocks(text))
    found = [item for item in _inside_prose(text) if not _covered(item, blocks)]
    return sorted(blocks + found, key=lambda item: (item.start, -item.end))


def _inside_prose(text: str) -> Iterator[Item]:
    for match in _INLINE_CODE.finditer(text):
        yield Item("inline code", *match.span())
    for match in _PROSE.finditer(text):
        kind, start, end = str(match.lastgroup), *match.span()
        if kind in ("url", "path"):
            end = _trimmed(text, start, end)
        if kind == "path" and not _is_path(text[start:end]):
            continue
        yield Item(kind, start, end)
    if not text.isascii():
        for match in _HAN_DATE.finditer(text):
            yield Item("date", *match.span())
    yield from _quotes(text)


def _is_path(path: str) -> bool:
    """Tell a path from one word behind a slash."""
    folders = path.rstrip("/").count("/") - path.startswith("/")
    return folders > 0 or "\\" in path or "." in path


def _trimmed(text: str, start: int, end: int) -> int:
    """Leave out the sentence's own punctuation."""
    while end > start and (
        text[end - 1] in ".,;:!?*_'"
        or (text[end - 1] in ")]" and text[end - 1] not in _opened(text[start:end]))
    ):
        end -= 1
    return end


def _opened(part: str) -> str:
    """Return the closing brackets that have their opening one in `part`."""
    pairs = (("(", ")"), ("[", "]"))
    return "".join(shut for opens, shut in pairs if part.count(opens) >= part.count(shut))


def _quotes(text: str) -> Iterator[Item]:
    """Yield quotes of up to 300 characters that begin and end in one line."""
    at = 0
    for line in text.split("\n"):
        german = -1 < line.find("»") < line.find("«") or "«" not in line
        for opening, closing in {**_CURLED, **({"»": "«"} if german else {"«": "»"})}.items():
            start = line.find(opening)
            while start >= 0:
                end = line.find(closing, start + 1)
                if end < 0:
                    break
                if 1 < end - start < _LONGEST_QUOTE and opening not in line[start + 1 : end]:
                    yield Item("quote", at + start, at + end + 1)
                start = line.find(opening, start + 1)
        for start, end in _straight(line):
            yield Item("quote", at + start, at + end)
        at += len(line) + 1


def _straight(line: str) -> Iterator[tuple[int, int]]:
    """Yield the pairs of straight double quotes of a line where they are pairs beyond doubt.

    A line with an odd number of them, or with one that has white space on both sides or on neither
    between Latin letters, is ambiguous: inches, seconds, ditto marks.
    """
    marks = [match.span() for match in re.finditer(r'"+', line)]
    if len(marks) % 2 or any(end - start > 2 for start, end in marks):
        return
    for (start, inner), (close, end) in zip(marks[::2], marks[1::2], strict=True):
        body = line[inner:close]
        if not body.strip() or body[0].isspace() or body[-1].isspace():
            return
        before = line[start - 1 : start]
        if before.isdigit() or end - start > _LONGEST_QUOTE:
            return
    for (start, _), (_, end) in zip(marks[::2], marks[1::2], strict=True):
        yield start, end


def _blocks(text: str) -> Iterator[Item]:
    fenced = list(_fenced(text))
    yield from fenced
    lines = _lines(text)
    index = 0
    while index < len(lines):
        start, end = lines[index]
        line = text[start:end]
        stop = index + 1
        if any(item.start <= start < item.end for item in fenced):
            pass
        elif _opens_table(text, lines, index):
            while stop < len(lines) and "|" in text[slice(*lines[stop])]:
                stop += 1
            yield Item("table", start, lines[stop - 1][1])
        elif _STAMPED.match(line):
            yield Item("log line", start, end)
        elif (stop := _indented_end(text, lines, index)) > index:
            yield Item("indented code", start, lines[stop - 1][1])
        index = max(stop, index + 1)


def _fenced(text: str) -> Iterator[Item]:
    """Yield fenced code. A fence without a language before one with a language closed other code.

    That began before the passage did.
    """
    at = 0
    while found := _FENCE.search(text, at):
        opening = text[found.start() : text.index("\n", found.start())]
        if not opening.strip(" \t>`~") and _NAMED_FENCE.search(found.group()):
            at = found.start() + len(opening)
            continue
        yield Item("fenced code", *found.span())
        at = found.end()


def _lines(text: str) -> list[tuple[int, int]]:
    lines, at = [], 0
    for line in text.split("\n"):
        lines.append((at, at + len(line)))
        at += len(line) + 1
    return lines


def _opens_table(text: str, lines: list[tuple[int, int]], index: int) -> bool:
    if index + 1 >= len(lines) or "|" not in text[slice(*lines[index])]:
        return False
    return bool(_TABLE_RULE.match(text[slice(*lines[index + 1])]))


def _indented_end(text: str, lines: list[tuple[int, int]], index: int) -> int:
    """Where a block indented by four columns after a blank line ends, if it reads like code."""
    if index and text[slice(*lines[index - 1])].strip():
        return index
    stop, signs = index, 0
    for start, end in lines[index:]:
        line = text[start:end]
        if not line.startswith(("    ", "\t")) or not line.strip():
            break
        stop += 1
        signs += bool(_CODE_SIGNS.search(line))
    return stop if stop - index >= 2 and signs * 4 >= (stop - index) * 3 else index


def _covered(item: Item, blocks: list[Item]) -> bool:
    return any(block.start <= item.start < block.end for block in blocks)
