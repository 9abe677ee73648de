"""Lists that tools print: files, matches, columns, result tables of databases, markup, SQL."""

import re
from collections.abc import Sequence

from compressor.protect.columns import columns_end
from compressor.protect.commands import commands_end
from compressor.protect.configuration_files import configuration_end
from compressor.protect.file_lists import files_end
from compressor.protect.lines import LONGEST_LINE, Line, lines_while
from compressor.protect.markup import has_little_text

_LS = re.compile(
    r"total \d+$|[-dlbcps][-rwxsStT]{9}[.+@]?\s{1,4}\d+\s|"
    r"\d\d[/.-]\d\d[/.-]\d{4} {1,4}\d\d:\d\d(?: [AP]M)? +(?:<\w{3,10}>|[\d.,]{1,20}) +\S|"  # dir
    r"[-dl][-arhsl]{4,6} +\d\d?[/.-]\d\d?[/.-]\d{4} +\d\d?:\d\d(?: [AP]M)? +\S|"  # PowerShell
    r"[0-9a-f]{32,128} [ *]\S|"  # sha256sum
    r"\^?[0-9a-f]{7,40} (?:\S{1,200} +)?\(\S.{0,60} "  # git blame
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} +\d+\)|"
    r"\d{1,12}\t\.{0,2}/\S|[\d.]{1,10}[KMGTP]\t\S"  # du
)
_WC = re.compile(r"\s{1,12}\d{1,12}\s{1,12}\d{1,12}\s{1,12}\d{1,12} \S")
_TREE = re.compile(r"[\s│|]{0,80}[├└][─-]")
# Not the date or time that begins a log line: 2025-11-29, 12:00:01. `2025-11-29-a-title.md` may be.
_STAMP = r"\d{1,4}[-:]\d\d[-:](?!\d\d-[A-Za-z_])|\d{4}/\d\d/\d\d[-:]"
_GREP = re.compile(
    rf"(?!{_STAMP})"
    r"(?:\./)?[\w.@+-]{1,80}(?:/[\w.@+-]{1,80}){0,20}"
    r"(?:[:-]\d{1,7}[:-]|\(\d{1,7},\d{1,7}\): )"  # the latter TypeScript's
)
_FINDING = re.compile(r"\s{1,6}\d{1,7}:\d{1,7} {1,8}(?:error|warning|info) {1,8}\S")  # ESLint's
_DIFFSTAT = re.compile(
    r" \S.{0,300}? +\| +(?:\d{1,7} [+-]{1,200}$|Bin )|"
    r" \d{1,7} files? changed, \d{1,7} (?:insertion|deletion)"
)
_BOX = re.compile(r"\s{0,40}(?:\+(?:[-=]{2,}\+)+|\|.{1,2000}\|)$")
_RULE = re.compile(r"[-─=]{2,}(?:[-─=+┼ ]{1,400})?$")
_MARKUP = re.compile(
    r"\s{0,80}<[/!?A-Za-z][^<>]{0,300}>(?:[^<>]{0,60}+(?:<[^<>]{1,300}>)?+){0,8}+$"
)
# In lines of markup something is closed or has attributes; a chat has <ana> and <bo> alone.
_CLOSED = re.compile(r"</|/>|<[!?]|=[\"']")
_SQL = re.compile(
    r"\s{0,40}(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE (?:OR REPLACE )?(?:TABLE|INDEX|VIEW)|"
    r"ALTER TABLE|WITH \w+ AS)\b"
)

# In lower case the words that begin a statement begin sentences too.
_LOWER_SQL = re.compile(
    r"\s{0,40}(?:select|insert into|update|delete from|create (?:or replace )?"
    r"(?:table|index|view)|alter table|with \w+ as)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\s{0,60}(?:select|from|(?:left |right |inner |outer |full |cross )*join|where|and|or|"
    r"group by|order by|having|limit|on|set|values|union|insert into|update|delete from|returning|"
    r"case|when|else|end|with|create|alter|add|drop|[(),]|--)(?![\w'’])",
    re.IGNORECASE,
)
_STATEMENT_SIGN = re.compile(r"[=*<>]|\w[.(]\w|\(\*|;\s*$")
# Each with how many lines of it make a list.
_LISTS = (
    (_LS, 1),
    (_WC, 2),
    (_TREE, 1),
    (_GREP, 2),
    (_FINDING, 1),
    (_DIFFSTAT, 1),
    (_BOX, 3),
)


def listing_end(lines: Sequence[Line], index: int) -> int:
    """Return where the list that starts at this line stops; `index` where none starts."""
    first = lines[index][2]
    if not first.strip() or len(first) > LONGEST_LINE:
        return index
    for pattern, least in _LISTS:
        if pattern is _BOX and not first.lstrip().startswith("+"):
            continue
        stop = lines_while(lines, index, pattern.match)
        if stop - index >= least:
            return stop
    stop = lines_while(lines, index, _is_markup)
    marked_up = stop > index + 1 and any(_CLOSED.search(line) for _, _, line in lines[index:stop])
    if marked_up or (stop > index and has_little_text(first)):
        return stop
    if _SQL.match(first):
        return _statement_end(lines, index)
    if _LOWER_SQL.match(first):
        stop = _statement_end(lines, index)
        statement = [line for _, _, line in lines[index:stop]]
        clauses = sum(
            _CLAUSE.match(line) is not None or line.rstrip().endswith((",", "(", ";"))
            for line in statement
        )
        if 4 * clauses >= 3 * len(statement) and any(map(_STATEMENT_SIGN.search, statement)):
            return stop
    for end in (
        files_end(lines, index),
        configuration_end(lines, index),
        _ruled_table_end(lines, index),
        columns_end(lines, index),
        commands_end(lines, index),
    ):
        if end > index:
            return end
    return index


def _is_markup(line: str) -> bool:
    html = has_little_text(line)
    return _MARKUP.match(line) is not None if html is None else html


def _statement_end(lines: Sequence[Line], index: int) -> int:
    """A statement runs to its semicolon or to a blank line; one line of words alone is prose."""
    at = index
    while at < len(lines) and lines[at][2].strip():
        at += 1
        if lines[at - 1][2].rstrip().endswith(";"):
            return at
    return at if at - index > 1 else index


def _ruled_table_end(lines: Sequence[Line], index: int) -> int:
    """A heading, a rule of dashes with a plus or gaps in it, and rows (psql, sqlite3, kubectl)."""
    if index + 2 >= len(lines) or " | " not in lines[index][2] or "+" not in lines[index + 1][2]:
        return index
    if not _RULE.match(lines[index + 1][2].strip()):
        return index
    stop = lines_while(lines, index + 2, lambda line: "|" in line)
    if stop < len(lines) and re.fullmatch(r"\(\d+ rows?\)", lines[stop][2].strip()):
        stop += 1
    return stop if stop > index + 2 else index
