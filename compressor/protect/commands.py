"""Lines for machines outside fences: prompts, Dockerfiles, crontabs, requirements, make, commits."""

import re
from collections.abc import Sequence

from compressor.protect.lines import Line

# What makes code of one indented line: flags, pipes, calls, assignments, a command's name.
COMMAND_LINE = re.compile(
    r"(?<=\s)--?[A-Za-z][\w-]*(?=[\s=]|$)|\s(?:\|\|?|&&|>>?|<<?|=>|->|[-+*/:|]?=|==|!=)\s|\w\(\S*\)|"
    r"\w=\S|\$\{?\w*[A-Za-z_]|[{}];?$|\w::\w|^\s*(?:\$|>>>|#!|//|@\w)|"
    r"^\s*(?:sudo|pip3?|npm|npx|yarn|pnpm|git|docker|kubectl|helm|terraform|cargo|apt|apt-get|brew|"
    r"conda|poetry|uv|curl|wget|ssh|scp|psql|python3?|systemctl|journalctl|chmod|chown|mkdir|grep|"
    r"aws|gcloud|redis-cli|mysql|pg_dump|pg_restore|ansible(?:-playbook)?|dotnet|mvn|gradle|rustup|"
    r"go (?:build|run|test|get|install))"
    r" \S+(?: \S+){0,7}$"
)
_PROMPT = re.compile(
    r"(?:\([\w.-]{1,40}\) )?[\w.-]{1,40}@[\w.-]{1,60}[: ]\S{0,200}[$#%] \S|PS [A-Z]:\\[^<>|]{0,200}> ?\S|"
    r"(?:\d{1,3}(?:\.\d{1,3}){3}:\d{2,5}(?:\[\d{1,3}\])?|mysql|sqlite|MariaDB \[.{1,60}\])> \S|"
    r"[A-Z]:\\[^<>|\n]{0,200}> ?\S|(?:>>>|In \[\d{1,4}\]:) \S|\$ [a-z./~].{0,400}(?<![.!?])$"
)
_FROM = re.compile(r"FROM \S{1,200}(?:\s+(?:AS|as) \S{1,80})?\s*$")
_INSTRUCTION = re.compile(
    r"(?:FROM|ARG|RUN|CMD|LABEL|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ONBUILD|"
    r"STOPSIGNAL|HEALTHCHECK|SHELL)\s+\S"
)
_REMARK = re.compile(r"\s{0,40}#")
_CRON = re.compile(
    r"(?=[^a-zA-Z]{0,60}\*)(?:[\d*/,-]{1,30}[ \t]{1,8}){5}\S|"
    r"@(?:reboot|yearly|monthly|weekly|daily|hourly)[ \t]{1,8}\S"
)
_PINNED = re.compile(
    r"[A-Za-z0-9][\w.-]{0,80}(?:\[[\w, -]{1,80}\])?\s?"
    r"(?:(?:[=<>!~]=|===|[<>])\s?[\w.*+-]{1,40}(?:,\s?(?:[=<>!~]=|[<>])\s?[\w.*+-]{1,40}){0,4}"
    r"(?:\s?;.{1,200})?|\s?;\s?\w{1,40} ?[=<>!]=? ?.{1,100})\s*$"
)
_BARE = re.compile(r"[A-Za-z0-9][\w.-]{0,80}\s*$|-(?:e|r|c|-[a-z-]{2,30})[ =]\S{1,200}\s*$")
_TARGET = re.compile(r"[a-z.%$][\w./%$(){}-]{0,80}(?:[ \t]{1,4}[\w./%$(){}-]{1,80}){0,20}:(?:\s|$)")
_COMMIT = re.compile(r"commit [0-9a-f]{7,64}\b")
_RECIPE = re.compile(r"\t\S")
# A heading may have text indented below it: of a recipe one line at least is a command.
_RECIPE_COMMAND = re.compile(
    r"\t(?:[@-]\S|\S{0,80}[/$~]\S|(?:echo|cd|rm|cp|mv|mkdir|pytest|gcc|cc|ruff|mypy|tox)(?: \S|\s*$))"
)
_COMMIT_FIELD = re.compile(r"(?:Merge|Author|AuthorDate|Date|Commit|CommitDate):\s")


def commands_end(lines: Sequence[Line], index: int) -> int:
    """Return where what starts at this line stops; `index` where nothing of the kind starts."""
    line = lines[index][2]
    if _PROMPT.match(line):
        return index + 1
    if _FROM.match(line):
        return _dockerfile_end(lines, index)
    if _COMMIT.match(line):
        return _followed_end(lines, index, _COMMIT_FIELD)
    if _TARGET.match(line):
        stop = _followed_end(lines, index, _RECIPE)
        recipe = (text for _, _, text in lines[index + 1 : stop])
        return stop if any(map(_is_command, recipe)) else index
    following = lines[index + 1][2] if index + 1 < len(lines) else ""
    if _CRON.match(line) or (_REMARK.match(line) and _CRON.match(following)):
        return _rows_end(lines, index, _CRON, _REMARK, least=1)
    if _PINNED.match(line):
        return _rows_end(lines, index, _PINNED, _BARE, least=2)
    return index


def _is_command(line: str) -> bool:
    return bool(_RECIPE_COMMAND.match(line) or COMMAND_LINE.search(line))


def _followed_end(lines: Sequence[Line], index: int, row: re.Pattern[str]) -> int:
    """Return where the rows right behind this line stop; `index` where there are none."""
    at = index + 1
    while at < len(lines) and row.match(lines[at][2]):
        at += 1
    return at if at > index + 1 else index


def _rows_end(
    lines: Sequence[Line], index: int, row: re.Pattern[str], other: re.Pattern[str], *, least: int
) -> int:
    """Return where rows stop, with remarks and others between; `index`: fewer than `least`."""
    rows, stop = 0, index
    for at in range(index, len(lines)):
        line = lines[at][2]
        if row.match(line):
            rows, stop = rows + 1, at + 1
        elif not (_REMARK.match(line) or other.match(line)):
            break
    return stop if rows >= least else index


def _dockerfile_end(lines: Sequence[Line], index: int) -> int:
    stop, instructions, going_on = index + 1, 0, False
    for at in range(index + 1, len(lines)):
        line = lines[at][2]
        if going_on or _INSTRUCTION.match(line):
            instructions, stop = instructions + (not going_on), at + 1
            going_on = line.rstrip().endswith("\\")
        elif not _REMARK.match(line) and (line.strip() or not lines[at - 1][2].strip()):
            break
    return stop if instructions else index
