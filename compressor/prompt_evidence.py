"""What speaks for and against a sentence being an instruction or a question to the model.

Each piece of evidence is a name; `prompt_weights` holds what a name weighs. Names say where the
sentence stands, how it is worded, and whether the rest of the message is worded likewise: a
question in a text full of questions, or an imperative in a manual, is the text's own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from compressor.case_folding import fold_case
from compressor.prompt_cues import DECLARATIVE, GREETING, GREETS_BY_NAME, QUESTION_LABEL
from compressor.prompt_languages import VERB
from compressor.prompt_mood import REQUEST, WISH, Voice, is_imperative, voice_of
from compressor.prompt_regions import Place, places
from compressor.prompt_text import LIST_MARK, QUOTE_OPENS, Paragraph, Sentence, mark_turns

_ENDS_WHOLE = (".", "!", "?", "。", "！", "？", "…", '"', "”", "」", ")", ":", "：")
_DIALOGUE_TURNS = 4
_TITLE_WORDS = 8
_LONG_WORDS = 60  # of a paragraph that is document text more often than not


@dataclass(slots=True)
class Read:
    """A sentence with what its wording alone says of it."""

    sentence: Sentence
    imperative: bool
    person: bool
    cue: str
    evidence: list[str]


@dataclass(slots=True)
class Part:
    """A paragraph that is no mark line, its sentences as read, and where it stands."""

    paragraph: Paragraph
    place: Place
    read: list[Read]
    cued: int = 0
    questions: int = 0
    imperatives: int = 0
    persons: int = 0
    position: str = "within"
    zone: str = "only"
    side: str = "none"
    closes: bool = False
    evidence: list[str] = field(default_factory=list)


def read_parts(text: str, paragraphs: Sequence[Paragraph], blocks: int = 0) -> list[Part]:
    """Return the paragraphs with all their evidence, in order.

    `blocks`: characters of the text that are code, JSON and tables.
    """
    mark_turns(paragraphs)
    parts = [
        _read_part(paragraph, place)
        for paragraph, place in zip(paragraphs, places(text, paragraphs), strict=True)
        if not paragraph.mark
    ]
    _number(parts)
    _divide(parts)
    rest = _Rest(text, parts, blocks)
    for i, part in enumerate(parts):
        around = (parts[i - 1] if i else None, parts[i + 1] if i + 1 < len(parts) else None)
        part.evidence = list(_of_part(text, part, rest, around))
    return parts


def evidence_of(part: Part, index: int, parts: Sequence[Part]) -> Iterator[str]:
    """Yield the names for one sentence of a part."""
    read = part.read[index]
    yield from read.evidence
    yield from part.evidence
    at = part.position
    before = part.read[index - 1].cue if index else "start"
    after = part.read[index + 1].cue if index + 1 < len(part.read) else "end"
    yield f"before {before}"
    yield f"after {after}"
    yield f"{at} {read.cue}"
    yield f"{at} {read.cue} {_size(part.paragraph.words)}"
    yield f"zone {part.zone} {read.cue}"
    yield f"side {part.side} {read.cue}"
    answered = read.sentence.question and after == "none"
    if answered:
        yield "answered"
        yield f"{at} answered"
    if at in ("first", "only") and index == 0:
        yield f"opens {read.cue}"
    if at in ("last", "only") and index + 1 == len(part.read):
        yield f"closes {read.cue}"


def _read_part(paragraph: Paragraph, place: Place) -> Part:
    read = [_read(sentence) for sentence in paragraph.sentences]
    return Part(
        paragraph,
        place,
        read,
        sum(r.cue != "none" for r in read),
        sum(r.sentence.question for r in read),
        sum(r.imperative for r in read),
        sum(r.person for r in read),
    )


def _read(sentence: Sentence) -> Read:
    """Read a sentence by its wording: its cue is the strongest that it has."""
    imperative = sentence.told > 0 or is_imperative(sentence.folded)
    wish = WISH.search(sentence.folded) is not None
    voice = voice_of(sentence.folded)
    if sentence.strength >= 3:
        cue = f"sure{sentence.strength}"
    elif sentence.question and (sentence.told == VERB or REQUEST.match(sentence.folded)):
        cue = "request"
    elif sentence.question and sentence.strength < 2:
        cue = "question"
    elif sentence.strength == 2:
        cue = "verb"
    elif imperative or sentence.strength == 1:
        cue = "mood"
    elif wish or voice.output:
        cue = "wish"
    else:
        cue = "none"
    evidence = list(_of_wording(sentence, cue, voice))
    evidence += [f"{name} {cue}" for name, has in (("wish", wish), ("output", voice.output)) if has]
    if imperative:
        evidence.append(f"imperative {cue}")
    return Read(sentence, imperative, voice.first or voice.second, cue, evidence)


def _of_wording(sentence: Sentence, cue: str, voice: Voice) -> Iterator[str]:
    yield cue
    yield f"words {_length(sentence.words)}"
    if sentence.question:
        yield "asks"
    if voice.first:
        yield "first person"
        yield f"first person {cue}"
    if voice.second:
        yield "second person"
        yield f"second person {cue}"
    if DECLARATIVE.match(sentence.folded):
        yield "declarative"
        yield f"declarative {cue}"
    if sentence.bare[:1].islower():
        yield "typed"
    if sentence.listed:
        yield "listed"
        yield f"listed {cue}"
    said = sentence.text.rstrip("*_")  # a full stop may stand within the emphasis
    if not said.endswith(_ENDS_WHOLE):
        yield "unclosed"
    if said.endswith((":", "：")):
        yield "colon"
    if sentence.speaker:
        yield "spoken"
        yield f"spoken {cue}"


def _number(parts: Sequence[Part]) -> None:
    """Say where each part stands among those that are no titles: first, second, last …"""
    counted = [p for p in parts if not p.place.titled] or list(parts)
    if not counted:
        return
    for name, index in (("second", 1), ("last but one", -2), ("first", 0), ("last", -1)):
        if len(counted) > 2 or name in ("first", "last"):
            counted[index].position = name
    if len(counted) == 1:
        counted[0].position = "only"
    if parts[-1] is not counted[-1]:
        parts[-1].position = "to complete"


def _divide(parts: Sequence[Part]) -> None:
    """Say for each part which zone it is in, and on which side of the long paragraphs it stands.

    A part closes a document where a tag or a rule, and no label, parts it from the next.

    Zones are what labels, tags and rules part; the one with the most words is the document.
    """
    words = Counter[int]()
    for part in parts:
        words[part.place.zone] += part.paragraph.words
    zones = sorted(words)
    largest = max(zones, key=lambda z: words[z], default=0)
    for part, following in pairwise(parts):
        set_off = part.place.tag == "data" or part.place.label == "data" or part.place.quoted
        part.closes = set_off and part.place.marked_after and following.place.label != "data"
    for part in parts if len(zones) > 1 else ():
        zone = part.place.zone
        order = {zones[0]: "first", zones[-1]: "last"}.get(zone, "inner")
        part.zone = "largest" if zone == largest else order
    long = [i for i, part in enumerate(parts) if part.paragraph.words > _LONG_WORDS]
    for i, part in enumerate(parts if long else ()):
        if i in (long[0], long[-1]) or part.paragraph.words > _LONG_WORDS:
            part.side = "long"
        else:
            part.side = "before" if i < long[0] else "after" if i > long[-1] else "between"


class _Rest:
    """Sums over a message, so that what is beside a part costs one subtraction."""

    def __init__(self, text: str, parts: Sequence[Part], blocks: int) -> None:
        self.blocks = _ratio(blocks, len(text)) if blocks else "none"
        self.sentences = sum(len(p.read) for p in parts)
        self.questions = sum(p.questions for p in parts)
        self.imperatives = sum(p.imperatives for p in parts)
        self.persons = sum(p.persons for p in parts)
        self.words = sum(p.paragraph.words for p in parts)
        turns = Counter(r.sentence.speaker for p in parts for r in p.read if r.sentence.speaker)
        self.dialogue = turns.total() >= _DIALOGUE_TURNS and len(turns) < turns.total()
        self.speakers = {s for s, n in turns.items() if n > 1} if self.dialogue else set[str]()
        self.once = {s for s, n in turns.items() if n == 1}
        self.tagged = any(p.place.tag == "data" for p in parts)
        self.labels = Counter(
            m[0] for p in parts for r in p.read if (m := QUESTION_LABEL.match(r.sentence.folded))
        )

    def style(self, part: Part) -> Iterator[str]:
        """Yield how common questions, imperatives and persons are beside a part."""
        beside = max(1, self.sentences - len(part.read))
        yield "questions " + _share(self.questions - part.questions, beside)
        yield "imperatives " + _share(self.imperatives - part.imperatives, beside)
        yield "persons " + _share(self.persons - part.persons, beside)


def _of_part(
    text: str, part: Part, rest: _Rest, around: tuple[Part | None, Part | None]
) -> Iterator[str]:
    at, place, paragraph = part.position, part.place, part.paragraph
    size = _size(paragraph.words)
    cues = _cues(part)
    yield at
    yield f"{at} {size}"
    yield f"{at} {size} {cues}"
    yield f"paragraph {cues}"
    yield from _of_style(part, rest, cues)
    yield f"{at} share {_ratio(paragraph.words, rest.words)}"
    yield f"{at} blocks {rest.blocks}"
    yield f"{at} of {_bucket(rest.words, (15, 40, 80, 200))}"
    first = QUESTION_LABEL.match(part.read[0].sentence.folded)
    if first:
        yield "labels recur" if rest.labels[first[0]] > 1 else "label once"
    beside = around[1] if at == "first" else around[0]
    if beside is not None and paragraph.words * 3 <= beside.paragraph.words:
        yield f"{at} short beside"
    yield from _of_place(place, at)
    yield from _of_zone(part, cues)
    yield from _of_shape(text, part)
    yield from _of_title(part)
    if rest.dialogue:
        yield "dialogue"
        if any(r.sentence.speaker in rest.speakers for r in part.read):
            yield "turn"
    if part.read[0].sentence.speaker in rest.once:
        yield f"speaks once {at}"
    above = around[0].read[-1] if around[0] is not None else None
    if above is not None and above.sentence.text.endswith((":", "：")):
        yield f"after colon {above.cue}"
    if rest.tagged and not place.tag:
        yield f"outside tags {at}"


def _of_style(part: Part, rest: _Rest, cues: str) -> Iterator[str]:
    counts = {
        "questions": part.questions,
        "imperatives": part.imperatives,
        "persons": part.persons,
    }
    for style in rest.style(part):
        yield style
        if counts[style.split()[0]]:
            yield f"{cues} as {style}"
            yield f"{part.position} as {style}"


def _of_zone(part: Part, cues: str) -> Iterator[str]:
    yield f"zone {part.zone}"
    yield f"zone {part.zone} {part.position}"
    yield f"zone {part.zone} {part.place.label}"
    yield f"zone {part.zone} {cues}"
    yield f"side {part.side}"
    yield f"side {part.side} {part.position}"
    yield f"side {part.side} {cues}"
    yield f"side {part.side} zone {part.zone}"


def _of_shape(text: str, part: Part) -> Iterator[str]:
    body = text[part.paragraph.start : part.paragraph.end].strip()
    if GREETING.match(fold_case(body)):
        yield f"greeting {part.position}"
    if body.startswith(QUOTE_OPENS):
        yield "quotes"
    if GREETS_BY_NAME.match(part.read[0].sentence.bare):
        yield "letter"
        yield f"letter {part.position}"
    if part.paragraph.heading:
        yield "heading"
    items = [r for r in part.read if LIST_MARK.match(r.sentence.text)]
    titles = [r for r in part.read if r.sentence.text.startswith("**") and "unclosed" in r.evidence]
    if items and len(items) + len(titles) == len(part.read):
        yield f"all listed {part.position}"
    lines = zip(part.read, part.read[1:], strict=False)
    if any(a.sentence.text.endswith((":", "：")) and b.sentence.listed for a, b in lines):
        yield f"leads a list {part.position}"


def _of_title(part: Part) -> Iterator[str]:
    """Yield what tells a title or a signature from a short request without its full stop."""
    [read, *more] = part.read
    if more or read.sentence.words > _TITLE_WORDS or "unclosed" not in read.evidence:
        return
    words = read.sentence.bare.split()
    small = [w for w in words if w[:1].islower()]
    case = "typed" if words and words[0][:1].islower() else "sentence" if small else "capitals"
    yield f"title {part.position}"
    yield f"title {part.position} {case}"
    yield f"title {read.cue} {case}"


def _of_place(place: Place, at: str) -> Iterator[str]:
    if place.tag:
        yield f"tag {place.tag}"
    if place.label:
        yield f"label {place.label}"
        yield f"label {place.label} {at}"
    if place.titled:
        yield f"titled {place.label}"
    if place.marked_before:
        yield f"marked before {at}"
    if place.marked_after:
        yield f"marked after {at}"
    if place.mail:
        yield "mail"
        yield f"mail {at}"
    if place.quoted:
        yield "quoted"


def _cues(part: Part) -> str:
    if part.cued == 0:
        return "uncued"
    if part.cued == len(part.read):
        return "all cued"
    return "half cued" if 2 * part.cued >= len(part.read) else "few cued"


def _size(words: int) -> str:
    return _bucket(words, (8, 20, 40, 70))


def _length(words: int) -> str:
    return _bucket(words, (3, 6, 12, 25))


def _share(count: int, of: int) -> str:
    if count == 0:
        return "none"
    return "some" if count * 8 < of or count == 1 else "many" if count * 3 < of else "most"


def _ratio(words: int, of: int) -> str:
    return _bucket(100 * words // max(1, of), (5, 15, 30, 50, 80))


def _bucket(value: int, limits: tuple[int, ...]) -> str:
    return str(next((limit for limit in limits if value <= limit), "more"))
