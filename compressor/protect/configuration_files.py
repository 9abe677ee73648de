"""Configuration files outside fences: YAML and INI, told from transcripts and lists of terms."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from compressor.protect.lines import Line

_KEY = re.compile(
    r"(?P<indent> {0,60})(?P<item>(?:- {1,3}){0,3})"
    r"(?P<key>[A-Za-z_.$*/<][\w.$*/<-]{0,80}|\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'):"
    r"(?:[ \t]+(?P<value>\S.{0,400}))?\s*$"
)
_ITEM = re.compile(r"(?P<indent> {0,60})- {1,3}(?P<value>\S.{0,400})$")
_SCALAR = re.compile(r"[|>][+-]?\d?\s*(?:#.*)?$")  # what follows is indented text
_END = re.compile(r"\w[.!?。]$")
_LEAST_KEYS = 3
_FIRST_CHECK = 16  # entries
_FEW_WORDS = 4  # to a value, in the mean
_SECTION = re.compile(r"\[{1,2}[A-Za-z][\w .:\"'/@-]{0,80}\]{1,2}\s{0,8}$")
_FIRST_SETTING = 6  # lines behind the first section, at most
_SETTING = re.compile(r"[ \t]{0,8}[\w.\"'-]{1,80}[ \t]{0,20}=")
_REMARK = re.compile(r"[ \t]{0,60}[;#]")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of YAML: its depth in columns, its key ("" for a plain item) and its value."""

    depth: int
    key: str
    value: str
    item: bool


def configuration_end(lines: Sequence[Line], index: int) -> int:
    """Return where the YAML or INI that starts at this line stops; `index` where none starts."""
    first = lines[index][2]
    if _SECTION.match(first):
        return _ini_end(lines, index)
    if first.startswith("---") and first.strip() == "---" and index + 1 < len(lines):
        stop = _yaml_end(lines, index + 1)
        return stop if stop > index + 1 else index
    return _yaml_end(lines, index)


def _ini_end(lines: Sequence[Line], index: int) -> int:
    """Sections in brackets and their settings; a blank line or a remark may stand between."""
    stop, settings = index + 1, 0
    for at in range(index + 1, len(lines)):
        line = lines[at][2]
        if _SETTING.match(line):
            settings, stop = settings + 1, at + 1
        elif _SECTION.match(line) or _REMARK.match(line):
            stop = at + 1
        elif line.strip() or (at > index + 1 and not lines[at - 1][2].strip()):
            break
        if not settings and at > index + _FIRST_SETTING:
            break
    return stop if settings else index


def _yaml_end(lines: Sequence[Line], index: int) -> int:
    if not _KEY.match(lines[index][2]):
        return index
    entries: list[_Entry] = []
    stop = at = sure = index
    due, speaking = _FIRST_CHECK, 0
    while at < len(lines) and speaking * 4 <= len(entries) + 8:
        line = lines[at][2]
        if (entry := _entry(line)) is not None:
            entries.append(entry)
            speaking += entry.key[:1].isupper() or _is_sentence(entry.value)
            if _SCALAR.match(entry.value):
                at = _deeper_end(lines, at, entry.depth) - 1
            stop = at + 1
        elif line.startswith("---"):
            stop = at + 1
        elif line.strip():
            if not _REMARK.match(line):
                break
        elif at + 1 == len(lines) or _entry(lines[at + 1][2]) is None:
            break
        at += 1
        if len(entries) >= due or (not line.strip() and 2 * len(entries) >= due):
            if _reads_as_yaml(entries):
                sure = stop
            elif len(entries) >= due:  # not to the end of a long transcript from each of its lines
                return sure
            due = max(due, 4 * len(entries))
    return stop if _reads_as_yaml(entries) else sure


def _deeper_end(lines: Sequence[Line], index: int, depth: int) -> int:
    """Return where the lines that stand deeper than this one stop."""
    stop = at = index + 1
    while at < len(lines):
        line = lines[at][2]
        if line.strip():
            if len(line) - len(line.lstrip(" ")) <= depth:
                break
            stop = at + 1
        at += 1
    return stop


def _entry(line: str) -> _Entry | None:
    if found := _KEY.match(line):
        depth = found.end("item")
        return _Entry(depth, found["key"], found["value"] or "", bool(found["item"]))
    if found := _ITEM.match(line):
        return _Entry(len(found["indent"]) + 2, "", found["value"], item=True)
    return None


def _reads_as_yaml(entries: Sequence[_Entry]) -> bool:
    """Whether keys and values are those of a program.

    Speakers and terms begin with capitals, come again, or have sentences behind them; so one key
    under another has to be there, or keys that are all different with a word or two each.
    """
    keyed = [entry for entry in entries if entry.key]
    if len(keyed) < _LEAST_KEYS or 5 * sum(e.key[0].isupper() for e in keyed) > len(keyed):
        return False
    values = [entry.value for entry in entries if entry.value]
    words = sum(len(value.split()) for value in values)
    if words > _FEW_WORDS * len(values) or 5 * sum(map(_is_sentence, values)) > len(values):
        return False
    nested = any(
        not above.value and below.key and below.depth > above.depth and above.key
        for above, below in pairwise(entries)
    )
    return nested or (
        not any(entry.item for entry in entries)
        and len({entry.key for entry in keyed}) == len(keyed)
        and words <= 2 * len(values)
    )


def _is_sentence(value: str) -> bool:
    return len(value.split()) > 2 and _END.search(value) is not None
