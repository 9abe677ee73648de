"""Who speaks, where it stands on a line of its own above what is said, as chats are exported."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from compressor.passage_numbers import numbers_alone

TIME = r"\d{1,2}:\d\d(?::\d\d)?(?:[ \u202f]?[AaPp]\.?[Mm]\.?)?"
# A day as well: 14.10.25, Today at, Oct 14, 2025 at, 14. Okt. um.
_DAY = r"(?:\d[\w./-]{0,14}|[A-Z]\w{2,12}|at|um|om|kl|a las|alle|[aàá])"
_STAMP = rf"(?:{_DAY}[,.]?[ \u202f]){{0,6}}{TIME}(?:[ \u202f]UTC)?"
_WORD = r"[^\W\d_a-zà-öø-ÿ][\w.'’&-]{0,30}"
_HANDLE = r"@?[\w.#-]{1,39}\w"
_PARTICLE = r"(?:d[aeiu]l?|v[ao]n|de[nr]|l[ae]|al|bin|\([\w .]{1,20}\))"
_NAME = rf"(?:{_WORD}(?: (?:{_WORD}|{_PARTICLE})){{0,5}}|{_HANDLE})"
_TO = rf"(?:(?:From|Von|De|Da) )?{_NAME}(?: (?:to|[Tt]o|an|à|a) .{{1,40}})?"
_STAMPED = re.compile(
    rf"[ \t]{{0,8}}(?:(?=[\d\[(])[\[(]?{_STAMP}[\])]?[ \t]{{1,4}}(?:[-–—|•] )?"
    rf"{_TO}(?:, {_WORD}(?: {_WORD})?)?:?|"
    rf"{_NAME}(?:,? [\[(]|, | ?[-–—|•·] ?|[ \t]{{2,8}}|\t){_STAMP}[\])]?:?|"
    rf"{_NAME} {TIME}:?)[ \t\r]*"
)
# On the line of what is said: [01:41] <XinZhao> hello, [01:41] XinZhao: hello, lou [01:41] hello.
_SPOKEN = re.compile(
    rf"^[ \t>]{{0,8}}(?:[\[(]?{_STAMP}[\])]?[ \t]{{1,4}}<[^\s<>]{{1,40}}>|"
    rf"[\[(]{_STAMP}[\])][ \t]{{1,4}}{_HANDLE}:|{_HANDLE} [\[(]{_STAMP}[\])]:?)(?=[ \t])",
    re.MULTILINE,
)
# Who does something where others speak: [14:03] * kira sighs, of a text with <kira> in it.
_NICK = re.compile(
    rf"^[ \t>]{{0,8}}(?:[\[(]?{_STAMP}[\])]?[ \t]{{1,4}})?<([^\s<>]{{1,40}})>[ \t]", re.MULTILINE
)
_ACTION = re.compile(
    rf"^[ \t>]{{0,8}}(?:[\[(]?{_STAMP}[\])]?[ \t]{{1,4}})?"
    r"\*{1,3}[ \t]{1,4}(?P<nick>[^\s*]{1,40})(?=[ \t])",
    re.MULTILINE,
)
# Below a name; one that begins with a word could be a name with its time.
_STAMP_LINE = re.compile(
    rf"(?=[ \t\d\[(]|\w{{3,12}},? (?:at|um|om|kl|[aàá]) )[ \t]{{0,8}}[\[(]?{_STAMP}[\])]?[ \t\r]*"
)
_NAME_LINE = re.compile(rf"[ \t]{{0,8}}{_NAME}[ \t\r]*")
_WROTE = re.compile(
    r"(?<=[ >])(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|пишет|написала?|"
    r"napisał[a(]?\w*\)?)(?: [^\n:]{0,60})?:[ \t\r]*$",
    re.MULTILINE,
)
_ATTRIBUTED = re.compile(r"[> \t]{0,20}[^\W\d_a-z][\w-]{0,20} [^\n]{0,120}(?:\d{1,2}:\d\d|@|\d{4})")
_LONGEST_ATTRIBUTION = 200
_CLOCK = re.compile(r":(?<=\d:)\d\d")
_LONGEST_LINE = 90
# Without a stamp the same two names have to come again.
_BARE = re.compile(
    r"(?P<mark>#{1,6} |\*\*|__)?[^\W\d_a-zà-öø-ÿ][\w'’-]{0,30}(?: [\w.'’-]{1,30}){0,3}"
    r"(?P<colon>:)?(?:\*\*|__)?(?P<after>:)?[ \t\r]*"
)
_LONGEST_BARE = 40
# In a line where others have spoken already: Anna: We are late. Speaker 2: By a week.
_TURN = re.compile(
    r"(?:(?<=[.!?…\"”»][ \t])|^[ \t>]{0,8}(?:[-*•][ \t])?)"
    r"(?P<name>[^\W\d_a-zà-öø-ÿ][\w.'’-]{0,30}"
    r"(?: (?:[^\W\d_a-zà-öø-ÿ][\w.'’-]{0,30}|\d{1,3})){0,3}):(?=[ \t]+\S)",
    re.MULTILINE,
)
# Of a screenplay: a name in capitals, set in, with what is said right below.
_CUE = re.compile(
    r"(?:\A|(?<=\n)[ \t]{0,80}\n)(?P<cue>[ \t]{8,60}[A-ZÀ-Þ][A-ZÀ-Þ0-9 .'’-]{1,30}"
    r"(?: ?\([A-Z. ]{1,12}\))?[ \t\r]*)(?=\n[ \t]{4,60}\S[^\n]{0,120}[a-zß-ÿ])"
)
_LEAST_NAMES = 2


def speaker_lines(text: str) -> list[tuple[int, int]]:
    """Return the lines that say who speaks below them, half-open character ranges, ascending.

    They name somebody with a time before or behind it, on one line or on two; or they are short
    and come again, as do others like them; or they are what e-mails have above a quote, or the
    number of a passage.
    """
    heads = (*_stamped(text), *_repeated(text), *_cues(text), *_attributions(text))
    return _apart(text, (*heads, *numbers_alone(text)))


def message_stamps(text: str) -> list[tuple[int, int]]:
    """Return what says in a chat who speaks, whole lines or their beginnings.

    Nothing of that stays for its own sake.
    """
    spoken = [m.span() for m in _SPOKEN.finditer(text)] if _CLOCK.search(text) else []
    return _apart(text, (*_stamped(text), *_repeated(text), *spoken))


def action_ends(text: str) -> dict[int, int]:
    """Return where the name ends of who does something, by the starts of such lines of a chat."""
    if "<" not in text or "* " not in text:
        return {}
    names = {nick.lower() for nick in _NICK.findall(text)}
    return {
        line.start(): line.end()
        for line in _ACTION.finditer(text)
        if names and line["nick"].lower() in names
    }


def turns_within(text: str) -> list[tuple[int, int]]:
    """Return who speaks inside of lines, half-open character ranges, ascending.

    Somebody has spoken at the line's beginning, or the same speaks elsewhere as well.
    """
    turns = list(_TURN.finditer(text))
    times = Counter(turn["name"] for turn in turns)
    found: list[tuple[int, int]] = []
    headed = -1  # the end of the last line that begins with somebody
    for turn in turns:
        if turn.start() == 0 or text[turn.start() - 1] == "\n":
            headed = _line_end(text, turn.start())
        elif turn.start() < headed or times[turn["name"]] > 1:
            found.append((turn.start("name"), turn.end()))
    return found


def _apart(text: str, lines: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return those lines, the longest of each, that have text between them and the next."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(lines, key=lambda one: (one[0], -one[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return [
        (start, end)
        for (start, end), (after, _) in pairwise([*found, (len(text), len(text))])
        if text[end:after].strip(" \t\r\n>")
    ]


def _stamped(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    end = -1
    for clock in _CLOCK.finditer(text):
        if clock.start() < end:
            continue
        start = text.rfind("\n", 0, clock.start()) + 1
        end = _line_end(text, clock.start())
        if end - start > _LONGEST_LINE:
            continue
        if _STAMP_LINE.fullmatch(text, start, end):
            before = text.rfind("\n", 0, max(0, start - 1)) + 1
            if 0 < start - before <= _LONGEST_LINE and _NAME_LINE.fullmatch(
                text, before, start - 1
            ):
                found.append((before, end))
        elif _STAMPED.fullmatch(text, start, end):
            found.append((start, end))
    return found


def _cues(text: str) -> list[tuple[int, int]]:
    """Return the names above the speeches of a screenplay."""
    found = [cue.span("cue") for cue in _CUE.finditer(text)]
    return found if len(found) >= _LEAST_NAMES else []


def _attributions(text: str) -> Iterator[tuple[int, int]]:
    """Yield lines like "On Mon, 13 Oct 2025 at 17:40, Priya Nair wrote:", on one line or on two."""
    for wrote in _WROTE.finditer(text) if "\n>" in text else ():
        start = text.rfind("\n", 0, wrote.start()) + 1
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        if wrote.end() - start > _LONGEST_ATTRIBUTION:
            continue
        if _ATTRIBUTED.match(text, start, wrote.end()):
            yield start, wrote.end()
        elif start - before <= _LONGEST_LINE and _ATTRIBUTED.match(text, before, wrote.end()):
            yield before, wrote.end()


def _repeated(text: str) -> list[tuple[int, int]]:
    """Return the names that come again, and among marked ones those marked alike that do not."""
    lines = text.split("\n")
    counts = Counter(line.rstrip() for line in lines if 0 < len(line) <= _LONGEST_BARE)
    if sum(times > 1 and bool(line) for line, times in counts.items()) < _LEAST_NAMES:
        return []
    heads: list[tuple[int, str, str]] = []
    at = 0
    for number, line in enumerate(lines):
        found = _BARE.fullmatch(line) if 0 < len(line) <= _LONGEST_BARE else None
        if found and not (number and lines[number - 1].strip()):
            shape = f"{found['mark'] or ''}{found['colon'] or found['after'] or ''}"
            if any(below.strip() for below in lines[number + 1 : number + 2 + bool(shape)]):
                heads.append((at, line.rstrip(), shape))
        at += len(line) + 1
    names = Counter((line, shape) for _, line, shape in heads)
    again = Counter(shape for (_, shape), times in names.items() if times > 1)
    return [
        (start, start + len(line))
        for start, line, shape in heads
        if again[shape] >= _LEAST_NAMES
        and (names[line, shape] > 1 or (shape and shape[0] != "#"))  # other headings are others
    ]


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
