"""How the words of a text stand to each other: gaps, lines and their labels, sentences, pairs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.blank_lines import surplus
from compressor.labels import SHORT_LINE, line_labels
from compressor.nesting import nested
from compressor.passage_numbers import below_titles
from compressor.referents import referents
from compressor.speakers import speaker_lines
from compressor.types import Kind, ProtectedSpan
from compressor.words import Word, is_mark, is_unspaced

# The white space before a word, weakest to strongest; a single space is a better gap to keep
# between distant words than a run of them.
GAP_NONE, GAP_RUN, GAP_SPACE, GAP_LINE, GAP_PARAGRAPH = range(5)

_ENDS = frozenset(".!?…。！？؟।॥．｡۔។៕။")
_CLAUSE_MARKS = frozenset(",;:、，；：—–()（）[]،؛၊")
# What parts clauses where words are not spaced, weakest first; ASCII's behind such a word only.
_PARTING = "、,，:：;；!！?？。"
_PAIRS = {
    "(": ")", "[": "]", "{": "}", "（": "）", "「": "」", "『": "』", "【": "】", "《": "》",
    "［": "］", "〔": "〕", "｛": "｝", "“": "”", "„": "“", "«": "»", "‘": "’", "‹": "›",
    "〈": "〉",
    "&lt;": "&gt;", "&ldquo;": "&rdquo;", "&laquo;": "&raquo;",
}  # fmt: skip
# What opens only where it hugs the word behind it, as German and Danish have it: »so« and ‚so‘.
_TURNED = {"»": "«", "›": "‹", "‚": "‘"}
_CLOSERS = frozenset(_PAIRS.values()) | frozenset(_TURNED.values())
_SYMMETRIC = frozenset({'"', "'", "*", "**", "***", "__", "~~", "''", "'''", "&quot;", "&#39;"})
_HEADING = frozenset({"==", "===", "====", "====="})  # of a wiki: around its whole line
_EMPHASIS = frozenset({"*", "**", "***", "~~"})
_PAIR_REACH = 400  # words between an opening mark and its partner
_ABBREVIATION_LIST = (
    "mr mrs ms dr prof sr jr st vs etc no nos vol fig figs eq sec ch pp cf ca al inc ltd co corp "
    "dept est approx bzw usw nr bd hrsg evtl ggf mme mlle art núm pág gen col sgt capt rev hon gov "
    "sen rep inkl exkl zzgl abzgl abs lit resp jan feb mar apr jun jul aug sep sept oct nov dec"
)
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
_WORDS_TOO = frozenset({"no", "nos", "art"})  # abbreviations before a number alone
_NUMBERED = re.compile(r"[#º°]|[A-Z]{0,6}[-/]?\d")  # no. 5, no. EU714029


@dataclass(frozen=True, slots=True)
class Structure:
    """Arrays over the words of a text, each of shape (n,).

    `gap` is the class of the white space before a word (GAP_*); `sentence`, `clause` and `block`
    are ascending numbers (a block is a labelled line and what follows it up to a blank line or the
    next label); `label` marks a block's bullet, number or speaker name; `ending` marks sentence
    ends, `stop` full stops of any kind; `partner` is the other mark of a bracket or quote pair, -1
    without one; `round` marks brackets that open round. `links`, of shape
    (links, 5), are the marks of a Markdown link: the `!` of an image (else its first bracket
    again), `[`, `]`, `(` and `)`, or `[` and `]` once more where it names a reference, as those
    that are `references` do. `parting` is how strongly a mark parts clauses of a script without
    spaces, outside brackets, 0 for none; `negated` marks the words of clauses with a negation that
    is protected. `begins` marks words with which something protected
    begins; `referents`, of shape (pairs, 2), are words of numbers and identifiers, and what those
    are of; `nested`, of shape (pairs, 4), are ranges of words, and those that stand under them;
    `surplus`, of shape (runs, 2), are the characters that runs of blank lines have too much.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    mark: NDArray[np.bool_]
    gap: NDArray[np.int8]
    sentence: NDArray[np.int32]
    clause: NDArray[np.int32]
    block: NDArray[np.int32]
    label: NDArray[np.bool_]
    ending: NDArray[np.bool_]
    stop: NDArray[np.bool_]
    partner: NDArray[np.int32]
    round: NDArray[np.bool_]
    links: NDArray[np.int32]
    references: NDArray[np.bool_]
    parting: NDArray[np.int8]
    negated: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    referents: NDArray[np.int64]
    nested: NDArray[np.int64]
    surplus: NDArray[np.int64]


def read_structure(
    text: str,
    words: Sequence[Word],
    borders: Sequence[int] = (),
    protected: Sequence[ProtectedSpan] = (),
) -> Structure:
    """Return how the words stand to each other; no sentence or block goes over a border.

    `borders` are character offsets, `protected` the spans that stay whole.
    """
    n = len(words)
    starts = np.fromiter((w.start for w in words), np.int64, n)
    ends = np.fromiter((w.end for w in words), np.int64, n)
    mark = np.fromiter((is_mark(text, w) for w in words), np.bool_, n)
    gap = np.fromiter(_gaps(text, words), np.int8, n)
    label, opens = line_labels(text, starts, ends, mark)
    paragraph = gap == GAP_PARAGRAPH
    said = _speak(text, starts, label, opens, paragraph)
    below = np.searchsorted(starts, np.asarray(below_titles(text), np.int64))
    paragraph[below[below < n]] = False  # a passage goes with the number before its title
    ending = _endings(text, words, mark, gap) & ~label
    fresh = np.zeros(n + 1, np.bool_)
    fresh[np.searchsorted(starts, np.asarray(borders, np.int64))] = True
    fresh = fresh[:n]
    said |= _behind_lines(text, starts, protected)
    sentence = _sentences(words, mark, gap, ending, opens, fresh | said)
    clause = _clauses(text, words, mark, sentence)
    block = np.cumsum(opens | fresh | paragraph, dtype=np.int32)
    partner = _partners(text, words, mark, gap, label)
    links = _links(text, starts, gap, partner)
    references = np.fromiter((text[starts[at]] == "[" for at in links[:, 3]), np.bool_, len(links))
    begins = _begins(starts, ends, mark, protected)
    return Structure(
        starts=starts,
        ends=ends,
        mark=mark,
        gap=gap,
        sentence=sentence,
        clause=clause,
        block=block,
        label=label,
        ending=ending,
        stop=mark & np.fromiter((text[start] == "." for start in starts.tolist()), np.bool_, n),
        partner=partner,
        round=mark & np.fromiter((text[start] in "(（" for start in starts.tolist()), np.bool_, n),
        links=links,
        references=references,
        parting=_parting(text, starts, mark, partner),
        negated=_negated(starts, clause, protected),
        begins=begins,
        referents=referents(text, starts, ends, protected),
        nested=nested(text, starts, label, block),
        surplus=surplus(text, starts, ends, protected),
    )


def _gaps(text: str, words: Sequence[Word]) -> Iterator[int]:
    end = 0
    for word in words:
        start = word.start
        if start == end:
            yield GAP_NONE
        elif start == end + 1:
            yield GAP_LINE if text[end] in "\n\r" else GAP_SPACE
        else:
            breaks = text.count("\n", end, start)
            yield GAP_PARAGRAPH if breaks > 1 else GAP_LINE if breaks else GAP_RUN
        end = word.end


def _speak(
    text: str,
    starts: NDArray[np.int64],
    label: NDArray[np.bool_],
    opens: NDArray[np.bool_],
    paragraph: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Make labels of the lines that say who speaks, and return which words come right behind one.

    Up to the next one, or to a list, the paragraphs below belong to it; below the last one the
    first does.
    """
    said = np.zeros(len(starts), np.bool_)
    lines = speaker_lines(text)
    edges = np.searchsorted(starts, np.asarray(lines, np.int64).reshape(-1, 2)).tolist()
    for number, (first, stop) in enumerate(edges):
        if first == stop or stop == len(starts):
            continue
        last = edges[number + 1][0] if number + 1 < len(edges) else stop + 1
        listed = np.flatnonzero(opens[stop:last])
        if len(listed):  # what stands behind a list is no part of its last item
            last = max(stop + 1, stop + int(listed[0]))
        label[first:stop], opens[first] = True, True
        opens[first + 1 : stop + 1] = False
        said[stop] = True
        paragraph[first + 1 : last] = False
    return said


def _behind_lines(
    text: str, starts: NDArray[np.int64], protected: Sequence[ProtectedSpan]
) -> NDArray[np.bool_]:
    """Return which words come right behind lines of code or of a log.

    No sentence goes on there: the full stop of one that is gone would end the last of them.
    """
    lines = {s.start: s.end for s in protected if s.kind is Kind.CODE}
    behind = [
        end
        for start, end in lines.items()
        if text[start - 1 : start] in "\n"
        and text[end : end + 1] in "\r\n"
        and end + 1 not in lines
    ]
    found = np.zeros(len(starts) + 1, np.bool_)
    found[np.searchsorted(starts, np.asarray(behind, np.int64))] = True
    return found[:-1]


def _endings(
    text: str, words: Sequence[Word], mark: NDArray[np.bool_], gap: NDArray[np.int8]
) -> NDArray[np.bool_]:
    """Return which marks end a sentence; not the dot of an abbreviation or an initial."""
    ending = np.zeros(len(words), np.bool_)
    for index in np.flatnonzero(mark).tolist():
        word = words[index]
        first = text[word.start]
        if first not in _ENDS or gap[index] >= GAP_LINE:  # a mark that opens a line ends nothing
            continue
        following = text[words[index + 1].start] if index + 1 < len(words) else "\n"
        tight = index + 1 < len(words) and gap[index + 1] == GAP_NONE
        if first < "\u0600" and tight and following.isalnum():
            continue
        if first == "!" and tight and following == "[":  # an image
            continue
        if first == "." and (following.islower() or _abbreviates(text, words, index)):
            continue
        ending[index] = True
    return ending


def _abbreviates(text: str, words: Sequence[Word], index: int) -> bool:
    if index == 0 or words[index - 1].end != words[index].start or index + 1 == len(words):
        return False
    before = text[words[index - 1].start : words[index - 1].end]
    if before.lower() in _WORDS_TOO:
        following = words[index + 1]
        return _NUMBERED.match(text, following.start, following.end) is not None
    return before.lower() in _ABBREVIATIONS or (len(before) == 1 and before.isupper())


def _sentences(
    words: Sequence[Word],
    mark: NDArray[np.bool_],
    gap: NDArray[np.int8],
    ending: NDArray[np.bool_],
    opens: NDArray[np.bool_],
    fresh: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Number the sentences; a label, a blank line and a line broken on purpose begin a new one.

    So do the words that are `fresh`, whatever stands before them.
    """
    numbers = np.zeros(len(words), np.int32)
    number, ended, line_start = 0, False, 0
    for index, space in enumerate(gap.tolist()):
        if index:
            if fresh[index]:
                number, ended, line_start = number + 1, False, words[index].start
            elif space >= GAP_LINE:
                short = words[index - 1].end - line_start < SHORT_LINE
                if space == GAP_PARAGRAPH or opens[index] or short or ended:
                    number, ended = number + 1, False
                line_start = words[index].start
            elif ended and not (mark[index] and space == GAP_NONE):
                number, ended = number + 1, False
        numbers[index] = number
        ended = ended or bool(ending[index])
    return numbers


def _clauses(
    text: str, words: Sequence[Word], mark: NDArray[np.bool_], sentence: NDArray[np.int32]
) -> NDArray[np.int32]:
    cuts = np.zeros(len(words), np.bool_)
    for index in np.flatnonzero(mark).tolist():
        cuts[index] = text[words[index].start] in _CLAUSE_MARKS
    cuts[1:] |= sentence[1:] != sentence[:-1]
    return np.cumsum(cuts, dtype=np.int32)


def _partners(
    text: str,
    words: Sequence[Word],
    mark: NDArray[np.bool_],
    gap: NDArray[np.int8],
    label: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Pair brackets and quotes within a paragraph, the innermost first."""
    partner = np.full(len(words), -1, np.int32)
    open_marks: list[tuple[str, int]] = []
    paragraph = np.cumsum(gap == GAP_PARAGRAPH)
    for index in np.flatnonzero(mark & ~label).tolist():
        word = words[index]
        sign = text[word.start : word.end]
        while open_marks and (
            paragraph[open_marks[0][1]] != paragraph[index]
            or index - open_marks[0][1] > _PAIR_REACH
        ):
            open_marks.pop(0)
        if sign in _CLOSERS or sign in _SYMMETRIC or sign in _HEADING:
            at = next(
                (i for i in range(len(open_marks) - 1, -1, -1) if open_marks[i][0] == sign), -1
            )
            if at >= 0 and gap[index] < GAP_LINE:
                opener = open_marks[at][1]
                partner[opener], partner[index] = index, opener
                del open_marks[at:]
                continue
        if len(open_marks) == 16:
            continue
        if sign in _PAIRS:
            open_marks.append((_PAIRS[sign], index))
        elif sign in _HEADING and (index == 0 or gap[index] >= GAP_LINE):
            open_marks.append((sign, index))
        elif (
            (sign in _SYMMETRIC or sign in _TURNED)
            and index + 1 < len(words)
            and gap[index + 1] == GAP_NONE
            and (index == 0 or gap[index] != GAP_NONE or _parts(text[word.start - 1], sign))
        ):
            open_marks.append((_TURNED.get(sign, sign), index))
    return partner


def _parts(before: str, sign: str) -> bool:
    """Whether a symmetric mark may open something right behind this character."""
    eastern = is_unspaced(before) or (before > "\u2fff" and before in _CLAUSE_MARKS | _ENDS)
    return before in _PAIRS or (sign in _EMPHASIS and eastern)


def _parting(
    text: str, starts: NDArray[np.int64], mark: NDArray[np.bool_], partner: NDArray[np.int32]
) -> NDArray[np.int8]:
    """Return how strongly each mark parts clauses of a script without spaces; 0: not at all."""
    found = np.zeros(len(starts), np.int8)
    if text.isascii():
        return found
    for index in np.flatnonzero(mark).tolist():
        start = int(starts[index])
        strength = _PARTING.find(text[start]) + 1
        if strength and (text[start] > "\u3000" or (start and is_unspaced(text[start - 1]))):
            found[index] = strength
    at = np.arange(len(starts))
    opens, closes = partner > at, (partner >= 0) & (partner < at)
    found[np.cumsum(opens.astype(np.int32) - closes) > 0] = 0
    return found


def _links(
    text: str, starts: NDArray[np.int64], gap: NDArray[np.int8], partner: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the marks of the Markdown links, shape (links, 5)."""
    found: list[tuple[int, int, int, int, int]] = []
    for closes in np.flatnonzero((partner >= 0) & (partner < np.arange(len(partner)))).tolist():
        opens, target = int(partner[closes]), closes + 1
        if target == len(partner) or partner[target] <= target or gap[target] != GAP_NONE:
            continue
        if text[starts[closes]] == "]" and text[starts[target]] in "([":
            image = opens and gap[opens] == GAP_NONE and text[starts[opens - 1]] == "!"
            found.append((opens - bool(image), opens, closes, target, int(partner[target])))
    return np.asarray(found, np.int32).reshape(-1, 5)


def _negated(
    starts: NDArray[np.int64], clause: NDArray[np.int32], protected: Sequence[ProtectedSpan]
) -> NDArray[np.bool_]:
    at = [span.start for span in protected if span.kind is Kind.NEGATION]
    words = np.searchsorted(starts, np.asarray(at, np.int64), side="right") - 1
    return np.isin(clause, clause[words[words >= 0]])


def _begins(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    mark: NDArray[np.bool_],
    protected: Sequence[ProtectedSpan],
) -> NDArray[np.bool_]:
    """Return which words begin something protected; a mark that is protected alone does not."""
    begins = np.zeros(len(starts), np.bool_)
    edges = np.asarray([(span.start, span.end) for span in protected], np.int64).reshape(-1, 2)
    first = np.searchsorted(starts, edges[:, 0])
    stop = np.searchsorted(ends, edges[:, 1], side="right")
    content = np.concatenate(([0], np.cumsum(~mark)))
    says = content[np.maximum(first, stop)] > content[first]
    begins[first[says]] = True
    return begins
