"""Reads a message into paragraphs and sentences, as the detector of instructions weighs them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compressor.case_folding import fold_case
from compressor.prompt_cues import (
    ADDRESS,
    DECLARATIVE,
    INTERROGATIVE,
    OUTRIGHT,
    QUESTION_LABEL,
    SECTION_LABEL,
    STRONG,
    WEAK,
    is_decisive,
)
from compressor.prompt_languages import told
from compressor.types import ProtectedSpan

# A line of nothing but a tag or a rule parts what stands above it from what stands below.
MARK_LINE = re.compile(
    r"^[ \t]*(?:(?:</?[A-Za-z][\w:.-]{0,40}(?:[ \t][^<>\n]{0,200})?/?>[ \t]*)+|[-=*_~#+]{3,}|"
    r"([-=*~#])\1{2,}[ \t]*(?=[^\s-])[^\n]{1,40}?[ \t]*\1{3,}|"
    r"\"{3}|'{3}|[<>]{3,}|\[/?[A-Z_]{3,20}\])[ \t]*$",
    re.MULTILINE,
)
# A star opens an item where white space follows: **so** and *so* are emphasis.
LIST_MARK = re.compile(r"(?:[-+•–・]|\*(?=[ \t])|\(?\d{1,3}[.)、]|\(?[a-zA-Z][.)])[ \t]*(?=\S)")
QUOTE_OPENS = ('"', "“", "«", "„", "「", "『", "> ")
# So does a label of a prompt's template at the start of a line: "Context: ...", "Question: ...".
_TEMPLATE_LABEL = (
    r"[#*_ ]{0,4}(?:(?:user |customer |final |my |follow[ -]up |standalone )?(?:context|passages?|"
    r"documents?|article|text|sources?|transcript|input|output|question|query|answer|task|instructions?|rules|history|"
    r"kontext|text|dokument|frage|antwort|aufgabe|contexte|texte|question|réponse|consignes?|"
    r"contexto|texto|documento|pregunta|respuesta|instrucciones|pergunta|resposta|contesto|testo|"
    r"domanda|risposta|q|a|vraag|antwoord|pytanie|odpowiedź|вопрос|ответ|текст|контекст|soru|cevap|metin|"
    r"câu hỏi|trả lời|السؤال|الجواب|النص|प्रश्न|उत्तर|질문|답변|내용)(?:[ ]?\d{1,2})?[*_]{0,2}[ ]?:|"
    r"(?:文脈|コンテキスト|文章|質問|回答|上下文|背景|文档|资料|问题|答案)[:：])"
)
_PARAGRAPH_BREAK = re.compile(rf"\n[ \t\r]*\n\s*|\n(?={_TEMPLATE_LABEL})", re.IGNORECASE)
_SENTENCE = re.compile(
    r"""(?:\(?(?:\d{1,3}|[a-zA-Z])[.)][ \t]+(?=[^\s]))?"""  # a list's number is no sentence
    r"""[^\s](?:[^.!?。！？؟।\n]|[.!?](?=[^\s"'”’)\]」』*_]))*"""
    r"""(?:[.!?。！？؟।]{1,8}["'”’)\]」』*_]{0,4}|(?=\n)|$)""",
)
_SPACED_MARK = re.compile(r"(?:[-*+•–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[ \t]+|[・•]")
_HEADING = re.compile(r"#{1,6}[ \t]")
_TAGS = re.compile(r"(?:</?[A-Za-z][\w:.-]{0,40}(?:[ \t][^<>\n]{0,200})?>[ \t]*)+")
_SPEAKER = re.compile(
    r"(?:[-*>] ?)?(?:\[?\d{1,2}:\d\d(?::\d\d)?\]?[ \t]*)?(?:<[^\s<>]{1,40}>[ \t]|"
    r"([\w.-]{1,24})[ \t](?:\d{1,2}:\d\d(?::\d\d)?:|[\[(]\d{1,2}:\d\d(?::\d\d)?[\])]:?)[ \t]|"
    r"\*{0,2}([^\W\d_a-zà-ÿ][\w.'’-]{0,24}(?:[ \t][\w.'’()-]{1,24}){0,3})"
    r"\*{0,2}[ \t]?[:：]\*{0,2}(?:[ \t]|(?<=：)))"
)
_SAYS = re.compile(r"[^\W\d_][^\n:：.!?。？]{0,60}[:：][*_]{0,2}[ \t]*(?=\S)")
# A document's heading, which names it and asks for nothing.
_NUMBERED_TEXT = re.compile(
    r"(?:text|document|passage|article|version|source) (?:[a-d]|\d{1,3})[*_]*:?"
)
_QUESTION_END = re.compile(r"[?？؟]+[\"'”’)\]」』*_]*$")
_UNSPACED = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\u0e00-\u0eff]")
_RECURS = 3  # times a label stands in a message before it is read as a speaker


@dataclass(slots=True)
class Sentence:
    """A sentence of a message; `bare` is without the list mark, heading mark or tag before it,
    and `folded` is that in lower case.

    `strength` is how sure the wording of an instruction is, 0 to 4, and `told` what its own
    language says of that (`prompt_languages`); `speaker` who is named as saying it, empty where
    nobody is.
    """

    start: int
    end: int
    text: str
    bare: str
    folded: str
    words: int
    question: bool
    strength: int
    told: int
    speaker: str
    listed: bool
    kept: bool = False
    score: float = 0.0


@dataclass(slots=True)
class Paragraph:
    """Sentences between blank lines, or lines of nothing but a tag or a rule (`mark`)."""

    start: int
    end: int
    words: int
    sentences: list[Sentence]
    heading: bool
    mark: bool = False


def read_paragraphs(text: str, blocks: Sequence[ProtectedSpan]) -> list[Paragraph]:
    """Return the paragraphs outside of the blocks that are kept whole."""
    paragraphs = []
    for start, end in _outside(len(text), blocks):
        for at, stop, mark in _cut(text, start, end):
            sentences = list(read_spans(text, at, stop))
            if sentences or mark:
                words = sum(s.words for s in sentences)
                heading = len(sentences) == 1 and bool(_HEADING.match(sentences[0].text))
                paragraphs.append(Paragraph(at, stop, words, sentences, heading, mark))
    return paragraphs


def read_spans(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield the sentences between two offsets."""
    speaker = ""
    line = -1
    for match in _SENTENCE.finditer(text, start, end):
        sentence = match.group().rstrip()
        line_start = text.rfind("\n", start, match.start()) + 1 or start
        if line_start != line:  # a speaker's turn lasts to the end of the line
            line = line_start
            speaker = _speaker(text[line_start : line_start + 90].lstrip())
        if any(c.isalnum() for c in sentence):
            yield _read_sentence(sentence, match.start(), speaker)


def mark_turns(paragraphs: Sequence[Paragraph]) -> None:
    """Read "Question:" and "Answer:" as speakers where they recur, as in an interview.

    The last of each may still be the one to answer, where nothing but a label follows.
    """
    labelled = [
        (match[0], sentence)
        for paragraph in paragraphs
        for sentence in paragraph.sentences
        if (match := QUESTION_LABEL.match(sentence.folded) or SECTION_LABEL.match(sentence.folded))
    ]
    times = Counter(label for label, _ in labelled)
    lines = [p.sentences for p in paragraphs if p.sentences]
    open_ended = bool(lines) and lines[-1][-1].text.rstrip("*_ ").endswith((":", "："))
    last = {label: id(sentence) for label, sentence in labelled} if open_ended else {}
    for label, sentence in labelled:
        if times[label] >= _RECURS and last.get(label) != id(sentence):
            sentence.speaker = label
            sentence.strength = 0
            sentence.question = sentence.text.rstrip("\"'”’)*_ ").endswith(("?", "？"))


def word_count(sentence: str) -> int:
    """Return how many words a text has, about two characters being one where no spaces are."""
    unspaced = len(_UNSPACED.findall(sentence))
    return len(sentence.split()) + unspaced // 2


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the stretches between blank lines and mark lines, and the mark lines."""
    at = start
    for mark in [*MARK_LINE.finditer(text, start, end), None]:
        stop = mark.start() if mark else end
        for gap in [*_PARAGRAPH_BREAK.finditer(text, at, stop), None]:
            yield at, gap.start() if gap else stop, False
            at = gap.end() if gap else stop
        if mark:
            yield mark.start(), mark.end(), True
            at = mark.end()


def _outside(length: int, blocks: Sequence[ProtectedSpan]) -> Iterator[tuple[int, int]]:
    at = 0
    for block in sorted((b for b in blocks if not b.conditional), key=lambda b: b.start):
        if block.start > at:
            yield at, block.start
        at = max(at, block.end)
    if at < length:
        yield at, length


def _speaker(line: str) -> str:
    """Return who says a line: the name before the colon, or a quotation mark."""
    if line.startswith(QUOTE_OPENS):
        return line[0]
    folded = fold_case(line)
    if QUESTION_LABEL.match(folded) or SECTION_LABEL.match(folded):
        return ""
    speaker = _SPEAKER.match(line)
    if speaker is None:
        return ""
    label = speaker.group().split()
    instructs = len(label) > 1 and label[1][0].islower() and STRONG.match(folded)
    if instructs:  # "Draft my reply: ..." has no speaker
        return ""
    return speaker[1] or speaker[2] or label[0]


def _read_sentence(sentence: str, start: int, speaker: str) -> Sentence:
    bare = sentence.lstrip("#>*_ \t")
    tags = _TAGS.match(bare)
    bare = bare[tags.end() :] if tags else bare
    mark = _SPACED_MARK.match(bare)
    bare = (bare[mark.end() :] if mark else bare).lstrip("*_ ")
    said = _SAYS.match(bare) if speaker else None  # "Employee: my screen is black"
    bare = _shown(bare[said.end() :] if said else bare)
    folded = fold_case(bare)
    question = bool(_QUESTION_END.search(sentence)) or bool(INTERROGATIVE.match(folded))
    labelled = QUESTION_LABEL.match(folded) is not None
    imperative = told(folded)
    return Sentence(
        start,
        start + len(sentence),
        sentence,
        bare,
        folded,
        word_count(sentence),
        question or labelled,
        max(_strength(folded, labelled), imperative),
        imperative,
        "" if labelled else speaker,
        mark is not None,
    )


def _shown(bare: str) -> str:
    """Return a very long sentence's ends: patterns need not read a line of data to the end."""
    return bare if len(bare) <= 600 else f"{bare[:400]} {bare[-200:]}"


def _strength(sentence: str, labelled: bool) -> int:
    """Return how sure the wording is: 0 nothing, 1 weak, 2 an imperative, 3 and 4 decisive."""
    if OUTRIGHT.search(sentence):
        return 4
    if _NUMBERED_TEXT.fullmatch(sentence):
        return 0
    decisive = is_decisive(sentence)
    imperative = STRONG.match(sentence) is not None
    if decisive and (imperative or ADDRESS.search(sentence)):
        return 4
    if labelled or (decisive and not DECLARATIVE.match(sentence)):
        return 3
    if imperative:
        return 2
    return 1 if decisive or WEAK.match(sentence) or ADDRESS.search(sentence) else 0
