"""Finds a message's instructions and questions, which survive word for word wherever they stand.

Three kinds of evidence count together: how a sentence is worded (an imperative that prompts use, a
question, words about "the text above"), where it stands (the first or last paragraph, a short
paragraph of its own, or the body of a document), and whether the text around it is dialogue. A
question in the body of a document is document text. A short paragraph at an end of a much longer
message is kept whatever its wording ("in French please"), unless it is a title or a greeting:
no list of words covers how people ask.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compressor.prompt_cues import (
    ADDRESS,
    ASKING_TAG,
    DECISIVE,
    DECLARATIVE,
    DOCUMENT_FOLLOWS,
    GREETING,
    INTERROGATIVE,
    LIST_FOLLOWS,
    OUTRIGHT,
    QUESTION_LABEL,
    SECTION_LABEL,
    STRONG,
    WEAK,
)
from compressor.types import Kind, ProtectedSpan

_PARAGRAPH_BREAK = re.compile(r"\n[ \t\r]*\n\s*")
_SENTENCE = re.compile(
    r"""[^\s](?:[^.!?。！？\n]|[.!?](?=[^\s"'”’)\]」』*_]))*"""
    r"""(?:[.!?。！？]{1,8}["'”’)\]」』*_]{0,4}|(?=\n)|$)""",
)
_LIST_MARK = re.compile(r"(?:[-*+•–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[ \t]+")
_HEADING = re.compile(r"#{1,6}[ \t]")
_SPEAKER = re.compile(
    r"(?:[-*>] ?)?(?:\[?\d{1,2}:\d\d(?::\d\d)?\]?[ \t]*)?(?:<[^\s<>]{1,40}>[ \t]|"
    r"\*{0,2}[^\W\d_a-zà-ÿ][\w.'’-]{0,24}(?:[ \t][\w.'’()-]{1,24}){0,3}"
    r"\*{0,2}[ \t]?[:：]\*{0,2}[ \t])"
)
_QUESTION_END = re.compile(r"[?？]+[\"'”’)\]」』*_]*$")
_UNSPACED = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\u0e00-\u0eff]")
_BARE_LABEL = re.compile(r"\n[^\W\d_][\w' ]{0,30}[:：]\s*$")  # "Label:", for the model to fill in
_USER = re.compile(
    r"(?:user|human|nutzer|utilisateur|usuario|用户|ユーザー)[ \t]?[:：][^\n]+$", re.IGNORECASE
)
_NUMBERING = re.compile(r"(?:[^\W\d_]{1,12} )?\d{1,4}(?:\.\d{1,3}){0,4}[.:)]?\s+")
_SAID = re.compile(r"[.!?:。！？：]")
_QUOTE_OPENS = ('"', "“", "«", "„", "「", "『", "> ")

_PROMPT_WORDS = 40  # a paragraph at an end this short, with any instruction in it, is all prompt
_BRIEF_WORDS = 15
_SHORT_PARAGRAPH = 70  # words; a longer paragraph is document text
_DIALOGUE_LINES = 4
_APART_WORDS = 35  # a paragraph at an end this short is a prompt by its place alone
_APART_SHARE = 1  # provided that the rest of the message is so many times as long at least
_TITLE_WORDS = 8
_LONGEST_LIST = 14  # items that belong to the instruction before them


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence of a prompt: whether it asks, and whether it reads as telling the model to act."""

    text: str
    question: bool
    instruction: bool


@dataclass(slots=True)
class _Sentence:
    start: int
    end: int
    text: str
    question: bool
    strength: int
    spoken: bool
    kept: bool = False


@dataclass(slots=True)
class _Paragraph:
    start: int
    end: int
    words: int
    sentences: list[_Sentence]
    heading: bool


def prompt_spans(text: str, blocks: Sequence[ProtectedSpan]) -> list[ProtectedSpan]:
    """Return the instruction and question sentences of a message, by start.

    `blocks` are code, JSON and tables: what they hold is never an instruction.
    """
    paragraphs = _read_paragraphs(text, blocks)
    if not paragraphs:
        return []
    last = text[paragraphs[-1].start : paragraphs[-1].end]
    if _BARE_LABEL.search(text) or _USER.match(last):  # for the model to complete, or to answer
        for sentence in paragraphs[-1].sentences:
            sentence.spoken = False
    turns = sum(any(s.spoken for s in p.sentences) for p in paragraphs)
    dialogue = sum(s.spoken for p in paragraphs for s in p.sentences) >= _DIALOGUE_LINES
    for paragraph in paragraphs:
        if dialogue:
            paragraph.sentences = [s for s in paragraph.sentences if not s.spoken]
    ends = (paragraphs[0], paragraphs[-1])
    told = any(_is_prompt(p) for p in ends)
    for paragraph in paragraphs:
        if paragraph in ends and _stands_apart(text, paragraph, turns):
            for sentence in paragraph.sentences:
                sentence.kept = True
        elif _is_prompt(paragraph) and paragraph in ends:
            _keep_prompt(paragraph)
        elif paragraph in ends:
            _keep_ends(paragraph, paragraphs, told=told)
        else:
            _keep_within(paragraph)
    _extend_sections(text, paragraphs)
    _keep_tagged(text, paragraphs)
    return [
        ProtectedSpan(s.start, s.end, Kind.QUESTION if s.question else Kind.INSTRUCTION)
        for p in paragraphs
        for s in p.sentences
        if s.kept
    ]


def read_sentences(text: str) -> Iterator[ReadSentence]:
    """Yield the sentences of a text that is all prompt, by wording alone."""
    for sentence in _read_sentences(text, 0, len(text)):
        yield ReadSentence(sentence.text, sentence.question, sentence.strength > 0)


def _is_prompt(paragraph: _Paragraph) -> bool:
    """Whether a paragraph at an end of the message reads as addressed to the model."""
    cues = sum(s.question or s.strength > 0 for s in paragraph.sentences)
    sure = any(s.question or s.strength > 1 for s in paragraph.sentences)
    brief = cues > 0 and paragraph.words <= _BRIEF_WORDS  # "Keep every warning."
    if paragraph.heading or not (sure or brief):
        return False
    if paragraph.words <= _PROMPT_WORDS:
        return True
    return paragraph.words <= _SHORT_PARAGRAPH and 2 * cues >= len(paragraph.sentences)


def _stands_apart(text: str, paragraph: _Paragraph, turns: int) -> bool:
    """Whether a paragraph at an end is short beside a long rest, and no title, greeting or turn."""
    length = paragraph.end - paragraph.start
    if paragraph.words > _APART_WORDS or length * (_APART_SHARE + 1) > len(text):
        return False
    if not paragraph.sentences or paragraph.heading:
        return False
    body = text[paragraph.start : paragraph.end].strip()
    if GREETING.match(body) or body.startswith(_QUOTE_OPENS):
        return False
    if turns > 1 and any(s.spoken for s in paragraph.sentences):
        return False
    if all(_LIST_MARK.match(s.text) for s in paragraph.sentences):
        return False
    cued = any(s.question or s.strength for s in paragraph.sentences)
    typed = body[0].islower()  # as people type and documents do not begin
    if not (cued or typed) and any(DECLARATIVE.match(s.text) for s in paragraph.sentences):
        return False
    numbered = _NUMBERING.match(body)
    bare = body[numbered.end() :] if numbered else body
    title = numbered is not None or body[0].isupper()
    return not (title and not _SAID.search(bare) and paragraph.words <= _TITLE_WORDS)


def _keep_prompt(paragraph: _Paragraph) -> None:
    """Keep all of a short prompt: "Here is a lease. May I keep a dog?" needs both sentences."""
    for sentence in paragraph.sentences:
        sentence.kept = (
            paragraph.words <= _PROMPT_WORDS or sentence.question or sentence.strength > 0
        )
    _keep_between(paragraph.sentences)


def _keep_ends(paragraph: _Paragraph, paragraphs: list[_Paragraph], *, told: bool) -> None:
    """Keep what the message opens and closes with, inside a paragraph that is mostly document.

    Where the other end already says what to do (`told`), a question there is the document's own.
    """
    enough = 3 if told else 2
    for paragraph_at_end, order in ((paragraphs[0], 1), (paragraphs[-1], -1)):
        if paragraph is paragraph_at_end:
            for sentence in paragraph.sentences[::order]:
                if not (sentence.strength >= enough or (sentence.question and not told)):
                    break
                sentence.kept = True
    for sentence in paragraph.sentences:
        sentence.kept = sentence.kept or sentence.strength >= 4


def _keep_within(paragraph: _Paragraph) -> None:
    """Keep a paragraph of nothing but instructions and questions, between documents."""
    short = paragraph.words <= _SHORT_PARAGRAPH and not paragraph.heading
    alone = short and all(s.question or s.strength for s in paragraph.sentences)
    for sentence in paragraph.sentences:
        if alone:
            sentence.kept = sentence.question or sentence.strength >= 2
        else:
            sentence.kept = sentence.strength >= (3 if short else 4)
    if paragraph.words <= _APART_WORDS and any(s.kept for s in paragraph.sentences):
        for sentence in paragraph.sentences:
            sentence.kept = True
    if alone:
        _keep_between(paragraph.sentences)


def _keep_between(sentences: list[_Sentence]) -> None:
    """Keep what stands between two kept sentences of one short paragraph: it belongs to them."""
    kept = [i for i, s in enumerate(sentences) if s.kept]
    if len(kept) > 1:
        for sentence in sentences[kept[0] : kept[-1]]:
            sentence.kept = True


def _extend_sections(text: str, paragraphs: list[_Paragraph]) -> None:
    """Keep the items under `Rules:` or under a kept instruction that ends in a colon."""
    lines = [s for p in paragraphs for s in p.sentences]
    open_until = 0
    announced = False
    for previous, sentence in zip([None, *lines], lines, strict=False):
        if sentence.kept or open_until == 0:
            announces = SECTION_LABEL.match(sentence.text) is not None
            ends_open = sentence.text.rstrip("*_ ").endswith((":", "："))
            sure = sentence.kept and sentence.strength >= 2
            if announces or (sure and ends_open and not _introduces(sentence.text)):
                sentence.kept = sentence.kept or announces
                open_until = _LONGEST_LIST
                announced = True
                continue
        if open_until == 0 or previous is None:
            continue
        gap = text[previous.end : sentence.start]
        item = _LIST_MARK.match(sentence.text) is not None
        same_line = "\n" not in gap
        near = gap.count("\n") == 1 or (
            announced and LIST_FOLLOWS.search(previous.text) is not None
        )
        if item or same_line or (near and len(sentence.text.split()) <= 40):
            sentence.kept = True
            open_until -= 1
        else:
            open_until = 0
        announced = False


def _keep_tagged(text: str, paragraphs: list[_Paragraph]) -> None:
    """Keep what stands in <question>, <instructions> and the like."""
    for tagged in ASKING_TAG.finditer(text):
        for sentence in (s for p in paragraphs for s in p.sentences):
            if sentence.start < tagged.end() and sentence.end > tagged.start():
                sentence.kept = True


def _introduces(sentence: str) -> bool:
    """Whether a colon leads into the document itself: "Summarize this article:"."""
    end = sentence[-80:]
    return DOCUMENT_FOLLOWS.search(end) is not None and LIST_FOLLOWS.search(end) is None


def _read_paragraphs(text: str, blocks: Sequence[ProtectedSpan]) -> list[_Paragraph]:
    paragraphs = []
    for start, end in _outside(len(text), blocks):
        at = start
        for match in [*_PARAGRAPH_BREAK.finditer(text, start, end), None]:
            stop = match.start() if match else end
            sentences = list(_read_sentences(text, at, stop))
            if sentences:
                words = sum(word_count(s.text) for s in sentences)
                heading = len(sentences) == 1 and bool(_HEADING.match(sentences[0].text))
                paragraphs.append(_Paragraph(at, stop, words, sentences, heading))
            at = match.end() if match else end
    return paragraphs


def _outside(length: int, blocks: Sequence[ProtectedSpan]) -> Iterator[tuple[int, int]]:
    at = 0
    for block in sorted((b for b in blocks if not b.conditional), key=lambda b: b.start):
        if block.start > at:
            yield at, block.start
        at = max(at, block.end)
    if at < length:
        yield at, length


def _read_sentences(text: str, start: int, end: int) -> Iterator[_Sentence]:
    spoken = False
    line = -1
    for match in _SENTENCE.finditer(text, start, end):
        sentence = match.group().rstrip()
        line_start = text.rfind("\n", start, match.start()) + 1 or start
        if line_start != line:  # a speaker's turn lasts to the end of the line
            line = line_start
            spoken = _is_spoken(text[line_start : line_start + 90].lstrip())
        if any(c.isalnum() for c in sentence):
            yield _read_sentence(sentence, match.start(), spoken)


def _is_spoken(line: str) -> bool:
    if line.startswith(_QUOTE_OPENS):
        return True
    if QUESTION_LABEL.match(line) or SECTION_LABEL.match(line):
        return False
    speaker = _SPEAKER.match(line)
    if speaker is None:
        return False
    label = speaker.group().split()
    instructs = len(label) > 1 and label[1][0].islower() and STRONG.match(line)
    return not instructs  # "Draft my reply: ..." has no speaker


def _read_sentence(sentence: str, start: int, spoken: bool) -> _Sentence:
    bare = sentence.lstrip("#>*_ \t")
    mark = _LIST_MARK.match(bare)
    bare = (bare[mark.end() :] if mark else bare).lstrip("*_ ")
    question = bool(_QUESTION_END.search(sentence)) or bool(INTERROGATIVE.match(bare))
    labelled = QUESTION_LABEL.match(bare) is not None
    return _Sentence(
        start,
        start + len(sentence),
        sentence,
        question or labelled,
        _strength(bare, labelled),
        spoken and not labelled,
    )


def _strength(sentence: str, labelled: bool) -> int:
    """Return how sure the wording is: 0 nothing, 1 weak, 2 an imperative, 3 and 4 decisive."""
    if OUTRIGHT.search(sentence):
        return 4
    decisive = DECISIVE.search(sentence) is not None
    imperative = STRONG.match(sentence) is not None
    if decisive and (imperative or ADDRESS.search(sentence)):
        return 4
    if labelled or (decisive and not DECLARATIVE.match(sentence)):
        return 3
    if imperative:
        return 2
    return 1 if decisive or WEAK.match(sentence) or ADDRESS.search(sentence) else 0


def word_count(sentence: str) -> int:
    """Return how many words a text has, about two characters being one where no spaces are."""
    unspaced = len(_UNSPACED.findall(sentence))
    return len(sentence.split()) + unspaced // 2
