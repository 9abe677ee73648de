"""What a line begins with: its bullet, its number, who speaks on it."""

import re

import numpy as np
from numpy.typing import NDArray

from compressor.speakers import TIME, action_ends, turns_within

SHORT_LINE = 45  # characters; a line this short was broken on purpose, not wrapped
_DAY = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?[ \u202f]"
_HAN_NUMERAL = "[一二三四五六七八九十]{1,3}"
# Letters of a name, and the vowels and accents that stand on those of other scripts.
_NAME = (
    r"[\w.'’()/&\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e00-\u0eff"
    r"\u1000-\u109f\u1780-\u17ff-]"
)
_FIRST_NAME, _MORE_OF_IT = rf"[^\W\d_a-zà-ÿ]{_NAME}{{0,30}}", rf"(?:[ \t]{_NAME}{{1,30}})"
ROMAN = r"(?:[ivx]{2,5}|[IVX]{2,5})"  # of an item; a single letter counts one too
# The number of a retrieved passage, by itself or before its title.
_NUMBERED = r"\[\d{1,3}\]"
_TITLED = rf"(?:Document|Passage|Source)[ \t]{_NUMBERED}"
_LABEL = re.compile(
    r"[ \t\u3000\ufeff>]{0,40}"  # a file may begin with a byte order mark
    r"(?P<item>(?:(?:[-*+•‣◦–·▪↳▸➤⁃→⇒]|\\item(?:\[[^\]\n]{0,40}\])?|"
    r"\*{2,8}|\(?\d{1,4}[.):](?!\d)|\d{1,3}(?:\.\d{1,3}){1,4}\.?|\(?[a-zA-Z][.)]|"
    rf"\(?{ROMAN}[.)]|"
    r"#{1,6}|"
    r":[A-Za-z][\w -]{0,40}:|\[[^\[\]\n]{1,60}\]:|"
    rf"{_NUMBERED}|"
    r"\.\. (?:_[^:\n]{1,60}:|\[[^\[\]\n]{1,40}\]|[A-Za-z][\w:.-]{0,40}::)|"
    r"\.{1,2}(?=[ \t][^\W_])(?![ \t][\w:.-]{1,40}::))"
    r"(?:[ \t]{1,8}(?:\[[ xX-]\]|(?:TODO|DONE|NEXT|WAITING|CANCELL?ED|HOLD)(?:[ \t]\[#[A-Z]\])?))?"
    r"[ \t]{1,8}|"
    rf"(?:[・●○◆◇■□▶►※①-⑳❶-❿㈠-㈩]|（(?:\d{{1,3}}|{_HAN_NUMERAL})）|(?:\d{{1,3}}|{_HAN_NUMERAL})、)"
    r"[ \t\u3000]{0,8}|"
    rf"{_TITLED}(?=\(Title:)))?"
    rf"(?:[\[(]{{0,2}}(?:{_DAY})?{TIME}[\])]{{0,2}}[ \t]{{1,4}}(?:[-–][ \t])?)?"
    r"(?:<[^\s<>]{1,40}>(?=[ \t])|<v(?:\.[\w.-]{1,30})? [^<>\n]{1,60}>|"
    r"(?<=[\])][ \t])@?[\w.#-]{1,40}:(?=[ \t])|"
    rf"(?:@?[\w.#-]{{1,40}}|{_FIRST_NAME}{_MORE_OF_IT}{{0,2}})[ \t][\[(]{TIME}[\])]:?(?=[ \t])|"
    rf"(?:\*\*)?{_FIRST_NAME}{_MORE_OF_IT}{{0,4}}[ \t]?"
    r"(?:(?:\*\*:|:\*\*|:)(?!//)(?=[ \t]|[^\x00-\x7f])|：(?!\s*$)))?"
)

_RULE = re.compile(r"[ \t]*(\S)(?:[ \t]+\1)+[ \t]*$")  # * * *
_ENDS = frozenset(".!?;。！？；")
_OVER = re.compile(r"</|<END\b|[ \t]*\\end\{")
_PASSAGE = re.compile(rf"[ \t]*(?:{_NUMBERED}|{_TITLED})")


def line_labels(
    text: str, starts: NDArray[np.int64], ends: NDArray[np.int64], mark: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which words are a line's label, and which words open a labelled line."""
    label = np.zeros(len(starts), np.bool_)
    opens = np.zeros(len(starts), np.bool_)
    acting = action_ends(text)
    position = 0
    while position <= len(text):
        found = _LABEL.match(text, position)
        stop = text.find("\n", position)
        stop = len(text) if stop < 0 else stop
        listed = found is not None and found["item"] is not None
        if _OVER.match(text, position) or (not listed and _is_between_lists(text, position, stop)):
            opens[np.searchsorted(starts, position)] = True
        for end in [acting[position]] if position in acting else _label_ends(found):
            first = int(np.searchsorted(starts, position))
            last = int(np.searchsorted(ends, end, side="right"))
            inside = last < len(starts) and starts[last] < stop and not mark[last:].all()
            if last > first and inside and not _RULE.match(text, position, stop):
                label[first:last] = True
                opens[first] = True
                after = int(np.searchsorted(starts, stop))
                item = found is not None and end == found.end("item")
                if after < len(starts) and (
                    _is_one_line(text, int(starts[first]), end)
                    or (item and _is_short_item(text, position, stop))
                ):
                    opens[after] = True
                break
        position = stop + 1
    for start, end in turns_within(text):
        first, last = np.searchsorted(starts, (start, end))
        if last < len(starts) and not (mark[last] or label[first]):
            label[first:last] = True
            opens[first] = True
    return label, opens


def _is_one_line(text: str, start: int, end: int) -> bool:
    """Whether a label is a heading's, or a key's whose value stands in a column."""
    return text[start] in "#>" or text[end : end + 1] == "\t" or text[end : end + 2] == "  "


def _is_between_lists(text: str, start: int, stop: int) -> bool:
    """Whether a short line that is no item ends the list before it, and stands above the next one.

    The item before it ends with a sentence, so that this line is no part of it.
    """
    ended = start > 1 and text[start - 2] in _ENDS
    if not ended or stop - start >= SHORT_LINE or text[start : start + 1].isspace():
        return False
    before = text.rfind("\n", 0, start - 1) + 1
    return _is_item(text, before) and _is_item(text, stop + 1)


def _is_item(text: str, start: int) -> bool:
    found = _LABEL.match(text, start)
    return found is not None and found["item"] is not None


def _is_short_item(text: str, start: int, stop: int) -> bool:
    """Whether an item's line was not wrapped, and what stands below it is not set under it.

    Below `[2] Title` stands the passage that has the number.
    """
    own = text[stop + 1 : stop + 2].isspace() or _PASSAGE.match(text, start)
    return stop - start < SHORT_LINE and not own


def _label_ends(found: re.Match[str] | None) -> list[int]:
    """Return where a line's label may end: behind its speaker, or else behind its bullet."""
    if found is None or not found.group() or found.group().isspace():
        return []
    item = found.end("item")  # -1 without one
    speaker = found.string[max(item, found.start()) : found.end()]
    if speaker.count("(") > speaker.count(")"):  # Tokyo (Japanese: 東京) speaks not
        return [item] if item > 0 else []
    return [found.end(), item] if 0 < item < found.end() else [found.end()]
