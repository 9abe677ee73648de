"""Finds a message's instructions and questions, which survive word for word wherever they stand.

Each sentence is weighed by how it is worded, where it stands, what surrounds it and whether the
rest of the message is worded likewise (`prompt_evidence`, `prompt_score`). What the structure of a
message shows is kept with it: what stands in <question> and the like, the items under a kept
instruction that ends in a colon, what stands between two kept sentences of a paragraph.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from compressor.case_folding import fold_case
from compressor.prompt_chats import open_turn
from compressor.prompt_completion import keep, keep_form, keep_from, keep_item_to_complete
from compressor.prompt_cues import (
    BECAUSE,
    DOCUMENT_FOLLOWS,
    FORMAT_FOLLOWS,
    LIST_FOLLOWS,
    QUESTION_LABEL,
    SECTION_LABEL,
)
from compressor.prompt_evidence import Part, read_parts
from compressor.prompt_score import PromptWeights, bundled_weights, scores
from compressor.prompt_text import (
    LIST_MARK,
    Paragraph,
    Sentence,
    read_paragraphs,
    read_spans,
    word_count,
)
from compressor.types import Kind, ProtectedSpan

__all__ = ["ReadSentence", "prompt_spans", "read_sentences", "word_count"]

_ENOUGH = 0.0  # log-odds
_SURE = 1.0  # for what carries the sentences beside it
_ENOUGH_IN_LIST = -5.0  # for what belongs to a kept instruction by the message's structure
_BESIDE_SILENT = (
    3  # times as long a rest is what lets a paragraph that neither asks nor tells be kept
)
_LIKELY = -2.0  # for the likeliest of a message in which nothing else is kept
_UNLIKELY = frozenset({"title", "greeting", "heading", "quotes", "spoken", "all listed"})
_TELLING = frozenset({"verb", "sure3", "sure4"})
_SILENT = frozenset({"none", "mood"})
_APART_WORDS = 30
_APART_SENTENCES = 2
_PROMPT_WORDS = 70  # words; a longer paragraph is no instruction as a whole
_WHOLE_WORDS = 50
_BESIDE_BLOCKS_WORDS = 100
_BLOCKS_SHARE = 3  # code, JSON and tables are at least a third of the message
_FRAME_WORDS = 400  # before or after a document; more is a document of its own
_LONGEST_LIST = 14  # items that belong to the instruction before them
_LONGEST_ITEM = 40  # words
_LONGEST_TAGGED = 2000  # characters; a longer text in <prompt> is a document


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence of a prompt: whether it asks, and whether it reads as telling the model to act."""

    text: str
    question: bool
    instruction: bool


def prompt_spans(
    text: str, blocks: Sequence[ProtectedSpan], weights: PromptWeights | None = None
) -> list[ProtectedSpan]:
    """Return the instruction and question sentences of a message, by start.

    `blocks` are code, JSON and tables: what they hold is never an instruction. `weights` are the
    bundled ones unless given.
    """
    covered = sum(b.end - b.start for b in blocks if not b.conditional)
    paragraphs = read_paragraphs(text, blocks)
    parts = read_parts(text, paragraphs, covered)
    if not parts:
        return []
    words = sum(part.paragraph.words for part in parts)
    for part, scored in zip(parts, scores(parts, weights or bundled_weights()), strict=True):
        beside = words - part.paragraph.words
        typed = covered > 0 and "typed" in part.read[0].evidence  # "cheapest one of these"
        short = beside < _BESIDE_SILENT * part.paragraph.words
        silent = (part.cued == 0 and short and not typed) or _answers_itself(part)
        for read, score in zip(part.read, scored, strict=True):
            read.sentence.score = min(score, _ENOUGH) if silent else score
            read.sentence.kept = read.sentence.score > _ENOUGH
    beside_blocks = _BLOCKS_SHARE * covered > len(text)
    for part in parts:
        _keep_marked(part)
        _keep_between(part)
        _keep_whole(part, beside_blocks=beside_blocks)
        _keep_likely(part)
    _keep_frame(parts)
    _extend_sections(text, parts)
    _keep_listed_questions(parts)
    _keep_asked_between(parts)
    if not any(read.sentence.kept for part in parts for read in part.read):
        _keep_likeliest(parts)
    if parts[-1].position == "to complete":
        keep(parts[-1])
    keep_item_to_complete(text, parts)
    keep_form(parts)
    turn = open_turn(text)
    if turn is not None:
        keep_from(turn, parts)
    return list(_spans(text, paragraphs))


def _answers_itself(part: Part) -> bool:
    """Whether a paragraph tells nothing and says itself why, after each of its questions."""
    answers = [
        BECAUSE.match(b.sentence.folded) for a, b in pairwise(part.read) if a.sentence.question
    ]
    return part.cued == part.questions == len(answers) > 0 and all(answers)


def _spans(text: str, paragraphs: Sequence[Paragraph]) -> Iterator[ProtectedSpan]:
    """Yield the kept sentences, and the tags and rules directly before and after kept ones."""
    for i, paragraph in enumerate(paragraphs):
        if paragraph.mark:
            before = paragraphs[i - 1].sentences[-1:] if i else []
            after = paragraphs[i + 1].sentences[:1] if i + 1 < len(paragraphs) else []
            body = text[paragraph.start : paragraph.end]
            start = paragraph.start + len(body) - len(body.lstrip())
            if any(s.kept for s in (*before, *after)):
                yield ProtectedSpan(start, start + len(body.strip()), Kind.INSTRUCTION)
        for s in paragraph.sentences:
            if s.kept:
                kind = Kind.QUESTION if s.question else Kind.INSTRUCTION
                yield ProtectedSpan(s.start, s.end, kind)


def read_sentences(text: str) -> Iterator[ReadSentence]:
    """Yield the sentences of a text that is all prompt, by wording alone."""
    for sentence in read_spans(text, 0, len(text)):
        yield ReadSentence(sentence.text, sentence.question, sentence.strength > 0)


def _keep_marked(part: Part) -> None:
    """Keep what stands in <question> and the like, and a question that is labelled as one."""
    paragraph = part.paragraph
    tagged = part.place.tag == "asks" and paragraph.end - paragraph.start <= _LONGEST_TAGGED
    once = "label once" in part.evidence and part.place.tag != "data"
    for read in part.read:
        labelled = once and QUESTION_LABEL.match(read.sentence.folded) is not None
        read.sentence.kept = read.sentence.kept or tagged or labelled


def _keep_between(part: Part) -> None:
    """Keep what stands between two kept sentences of one short paragraph: it belongs to them."""
    kept = [i for i, read in enumerate(part.read) if read.sentence.score > _SURE]
    if len(kept) > 1 and part.paragraph.words <= _PROMPT_WORDS:
        for read in part.read[kept[0] : kept[-1]]:
            read.sentence.kept = True


def _keep_whole(part: Part, *, beside_blocks: bool) -> None:
    """Keep all of a short paragraph at an end in which a sentence is surely a prompt's.

    "I'm the candidate." says nothing without what stands around it. Text beside code or a table
    may be longer.
    """
    if part.position not in ("first", "last", "only"):
        return
    best = max(read.sentence.score for read in part.read)
    told = any(read.cue not in ("none", "wish") for read in part.read)
    surely = best > _SURE and part.paragraph.words <= _WHOLE_WORDS
    if surely or (beside_blocks and told and part.paragraph.words <= _BESIDE_BLOCKS_WORDS):
        keep(part)


def _keep_likely(part: Part) -> None:
    """Keep all of a short paragraph in which one sentence is surely a prompt's and all may be."""
    best = max(read.sentence.score for read in part.read)
    if best > _SURE and _least(part) > _LIKELY and part.paragraph.words <= _PROMPT_WORDS:
        keep(part)


def _keep_asked_between(parts: Sequence[Part]) -> None:
    """Keep a paragraph that asks and stands between two that are kept, in no document or talk."""
    for above, part, below in zip(parts, parts[1:], parts[2:], strict=False):
        asks = all(read.sentence.question and not read.sentence.speaker for read in part.read)
        asks = asks and part.paragraph.words <= _LONGEST_ITEM
        if asks and not _is_set_off(part) and _mostly_kept(above) and _mostly_kept(below):
            keep(part)


def _keep_listed_questions(parts: Sequence[Part]) -> None:
    """Keep a list of questions beside what is kept at an end, where nothing else asks."""
    for end, beside in ((0, 1), (-1, -2)) if len(parts) > 2 else ():
        asked = parts[beside]
        listed = all(read.sentence.listed and read.sentence.question for read in asked.read)
        alone = asked.questions == sum(part.questions for part in parts)
        if listed and alone and len(asked.read) <= _LONGEST_LIST and _mostly_kept(parts[end]):
            keep(asked)


def _keep_likeliest(parts: Sequence[Part]) -> None:
    """Keep what a message ends with asking or telling, else the likelier of two short ends.

    This is for where nothing else asks or tells: most messages that hold a document say what to
    do with it, in whatever words.
    """
    last = parts[-1].read[-1].sentence
    if not last.speaker and (_asks_alone(parts) or _tells_alone(parts)):
        last.kept = True
        return
    words = sum(part.paragraph.words for part in parts)
    ends = [
        part
        for part in (parts[0], parts[-1])
        if words - part.paragraph.words >= _BESIDE_SILENT * part.paragraph.words
        and part.paragraph.words <= _APART_WORDS
        and len(part.read) <= _APART_SENTENCES
        and not _UNLIKELY.intersection(_kinds(part))
    ]
    scored = [(max(read.sentence.score for read in part.read), -i) for i, part in enumerate(ends)]
    if scored and max(scored)[0] > _LIKELY:
        keep(ends[-max(scored)[1]])


def _asks_alone(parts: Sequence[Part]) -> bool:
    """Whether a message ends with its one question."""
    last = parts[-1].read[-1].sentence
    alone = last.question and sum(part.questions for part in parts) == 1
    return alone and last.score > _ENOUGH_IN_LIST


def _tells_alone(parts: Sequence[Part]) -> bool:
    """Whether a message ends with the one sentence in it that tells, or wishes for an output."""
    *others, last = [read for part in parts for read in part.read]
    whole = (
        bool(others) and "unclosed" not in others[-1].evidence and last.sentence.bare[:1].isalpha()
    )
    if last.sentence.listed or not whole or last.sentence.words > _LONGEST_ITEM:
        return False
    output = f"output {last.cue}" in last.evidence
    wishes = last.person and output and f"wish {last.cue}" in last.evidence
    tells = last.cue in _TELLING and (output or last.imperative)
    # A request stands out among questions, an imperative in a column does not.
    silent = _SILENT | {"question"} if last.cue == "request" else _SILENT
    return (last.cue == "request" or wishes or tells) and all(r.cue in silent for r in others)


def _kinds(part: Part) -> set[str]:
    """Return the first words of a part's evidence, and of its sentences' own."""
    names = [*part.evidence, *(name for read in part.read for name in read.evidence)]
    return {" ".join(name.split()[: 2 if name.startswith("all ") else 1]) for name in names}


def _keep_frame(parts: Sequence[Part]) -> None:
    """Keep all that stands before or after a document whose ends are marked.

    Where an application sets off the document by a tag, a label or a rule, what it says around
    it, in sections and lists, is its instructions. Before a long paragraph that is not set off,
    lists alone are.
    """
    ends = [i for i, part in enumerate(parts) if _is_set_off(part)]
    long = [i for i, part in enumerate(parts) if part.side == "long"]
    first = min([*ends, *long], default=0)
    before = parts[:first]
    marked = bool(ends) and first == ends[0]
    if (
        before
        and _mostly_kept(before[0])
        and sum(p.paragraph.words for p in before) <= _FRAME_WORDS
    ):
        for part in before[1:]:
            listed = any(read.sentence.listed for read in part.read)
            tells = part.cued == len(part.read) and _least(part) > _LIKELY
            if marked or listed or tells:
                keep(part)
    closed = [i for i, part in enumerate(parts) if part.closes]
    after = parts[closed[-1] + 1 :] if closed else []
    if any(map(_mostly_kept, after)) and sum(p.paragraph.words for p in after) <= _FRAME_WORDS:
        for part in after:
            keep(part)


def _is_set_off(part: Part) -> bool:
    place = part.place
    return place.tag == "data" or place.label == "data" or place.quoted


def _least(part: Part) -> float:
    return min(read.sentence.score for read in part.read)


def _mostly_kept(part: Part) -> bool:
    kept = sum(r.sentence.words for r in part.read if r.sentence.kept)
    return 2 * kept >= part.paragraph.words > 0


def _extend_sections(text: str, parts: Sequence[Part]) -> None:
    """Keep the items under `Rules:` or under a kept instruction that ends in a colon."""
    sentences = [read.sentence for part in parts for read in part.read]
    long = {
        id(read.sentence)
        for part in parts
        if part.paragraph.words > _PROMPT_WORDS
        for read in part.read[:1]
    }
    open_until = 0
    shape = False
    previous: Sentence | None = None
    for sentence, following in zip(sentences, [*sentences[1:], None], strict=True):
        labelled = SECTION_LABEL.match(fold_case(sentence.text)) is not None
        announces = labelled and not sentence.speaker
        listed = following is not None and following.listed
        if _opens(sentence, announces=announces, listed=listed):
            sentence.kept = True
            open_until = _LONGEST_LIST
            shape = FORMAT_FOLLOWS.search(sentence.folded) is not None
        elif (
            open_until
            and previous is not None
            and id(sentence) not in long
            and (shape or sentence.score > _ENOUGH_IN_LIST)
            and _continues(text, previous, sentence)
        ):
            sentence.kept = True
            open_until -= 1
        else:
            open_until = 0
        previous = sentence


def _opens(sentence: Sentence, *, announces: bool, listed: bool) -> bool:
    """Whether a list of instructions follows."""
    if announces and sentence.score > _ENOUGH_IN_LIST:
        return True
    ends_open = sentence.text.rstrip("*_ ").endswith((":", "："))
    sure = sentence.kept and (listed or sentence.strength >= 2)
    return sure and ends_open and not _introduces(sentence.text)


def _continues(text: str, previous: Sentence, sentence: Sentence) -> bool:
    """Whether a sentence belongs to the list above it."""
    gap = text[previous.end : sentence.start]
    if LIST_MARK.match(sentence.text) or "\n" not in gap:
        return True
    above = fold_case(previous.text)
    leads = LIST_FOLLOWS.search(above) or FORMAT_FOLLOWS.search(above)
    near = gap.count("\n") == 1 or leads is not None
    return near and sentence.words <= _LONGEST_ITEM


def _introduces(sentence: str) -> bool:
    """Whether a colon leads into the document itself: "Summarize this article:"."""
    end = fold_case(sentence[-80:])
    return DOCUMENT_FOLLOWS.search(end) is not None and LIST_FOLLOWS.search(end) is None
