"""Prompts that say what may be cut, segment by segment: `<llmlingua, rate=0.4>…</llmlingua>`.

LLMLingua's notation, in which a tag has `rate` (what is kept of its segment), `compress` (False:
nothing is touched, whatever the rate), both, in either order, or neither. Text outside of tags
counts as a segment without either. Segments do not nest, and may contain `<`.
Source: structured_compress_prompt in llmlingua/prompt_compressor.py.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compressor.contexts import (
    SEPARATOR,
    ContextClassifier,
    ContextFilter,
    ReadText,
    ask_texts,
    classify_texts,
    fit_together,
    joined,
    surviving,
)
from compressor.extract import extract
from compressor.protect import find_protected
from compressor.scoring import word_probabilities
from compressor.types import ProtectedSpan, Settings, Span, TokenCounter
from compressor.words import Word, split_words

# What follows the name decides whether it is one: <llmlingua2> is text, <llmlingua/> a broken tag.
_TAG = re.compile(r"<\s{0,20}(/?)\s{0,20}llmlingua(?=[\s,>/]|\Z)([^<>]{0,200})(>?)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"[\s,]*(\w+)\s*=\s*[\"']?([\w.+-]+)[\"']?[\s,]*")


class TagError(ValueError):
    """A tag that cannot be read; the message says where it is and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a prompt and what its tag says: `rate` is None where it says nothing."""

    text: str
    rate: float | None = None
    compress: bool = True


@dataclass(frozen=True, slots=True)
class CompressedSegment:
    """A segment and what became of it; `kept` are the slices of its text, in order."""

    segment: Segment
    text: str
    kept: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class CompressedStructure:
    """Structured contexts, compressed, without their tags.

    `source` is all contexts without tags, joined. `contexts` has the segments of each, none for one
    that did not survive; `survived` are the survivors' indices. Tokens are counted without tags.
    """

    text: str
    source: str
    contexts: tuple[tuple[CompressedSegment, ...], ...]
    survived: tuple[int, ...]
    tokens_before: int
    tokens_after: int
    budget_unmet: bool


def parse_segments(text: str) -> list[Segment]:
    """Return the segments of a text, in order; their texts joined are the text without tags.

    Raises TagError, with line and column.
    """
    segments: list[Segment] = []
    position = 0
    opened: tuple[re.Match[str], Segment] | None = None
    for tag in _TAG.finditer(text):
        if not tag[3]:
            raise _fault(text, tag, "the tag is not closed with >")
        inside = Segment(text[position : tag.start()])
        position = tag.end()
        if tag[1]:
            if opened is None:
                raise _fault(text, tag, "nothing is open that it could close")
            if tag[2].strip():
                raise _fault(text, tag, "a closing tag has no attributes")
            segments.append(replace(opened[1], text=inside.text))
            opened = None
            continue
        if opened is not None:
            where = _place(text, opened[0].start())
            raise _fault(text, tag, f"segments do not nest, and the one of {where} is still open")
        segments.append(inside)
        opened = (tag, _attributes(text, tag))
    if opened is not None:
        raise _fault(text, opened[0], "</llmlingua> is missing")
    segments.append(Segment(text[position:]))
    return [s for s in segments if s.text]


def _attributes(text: str, tag: re.Match[str]) -> Segment:
    """Return an empty segment with what its tag says."""
    found: dict[str, float | bool] = {}
    position = 0
    while position < len(tag[2]) and tag[2][position:].strip(", \t\r\n"):
        attribute = _ATTRIBUTE.match(tag[2], position)
        if attribute is None:
            left = tag[2][position:].strip(", \t\r\n")
            raise _fault(text, tag, f"'{left}' is not of the form rate=0.4 or compress=False")
        name, value = attribute[1], attribute[2]
        if name in found:
            raise _fault(text, tag, f"it has {name} twice")
        if name == "rate":
            found[name] = _rate(text, tag, value)
        elif name == "compress":
            if value.lower() not in ("true", "false"):
                raise _fault(text, tag, f"compress is '{value}'; it is True or False")
            found[name] = value.lower() == "true"
        else:
            raise _fault(text, tag, f"'{name}' is not known; rate and compress are")
        position = attribute.end()
    rate = found.get("rate")
    return Segment("", None if rate is None else float(rate), bool(found.get("compress", True)))


def _rate(text: str, tag: re.Match[str], value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        raise _fault(text, tag, f"rate is '{value}', which is no number") from None
    if not 0 < rate <= 1:
        raise _fault(text, tag, f"rate is {value}; it is a share kept, above 0 and at most 1")
    return rate


def _fault(text: str, tag: re.Match[str], what: str) -> TagError:
    return TagError(f"{_place(text, tag.start())}: {tag.group()}: {what}")


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"


def compress_structured(
    compressor: ContextClassifier,
    contexts: Sequence[str],
    settings: Settings,
    *,
    context_filter: ContextFilter | None = None,
    frame: Callable[[str], str] = str,
    fine: bool = True,
) -> CompressedStructure:
    """Compress tagged texts. `settings` say how much of what no tag decides about.

    With `rate` or `threshold` every such segment is cut by itself; with `target_tokens`, a cap on
    everything together, they share what the other segments leave. `frame` puts the text into the
    whole prompt that the cap is on. A context with a segment of compress=False passes every filter.
    Without `fine` no words are cut and only contexts go.
    Raises TagError, and what the classifier raises.
    """
    if isinstance(contexts, str):
        raise TypeError("contexts are one text, of which each letter would be one; give a list")
    segments = [parse_segments(context) for context in contexts]
    settings = compressor.resolved(settings)
    counter = compressor.counter(settings.encoding)
    parts = _read_parts(compressor, segments, settings)
    read = [_whole(own) for own in parts]
    wanted = context_filter or ContextFilter()
    fixed = {i for i, own in enumerate(segments) if any(not s.compress for s in own)}
    wanted = replace(wanted, force=wanted.force | fixed)
    survived = surviving(read, [context.score for context in read], wanted, counter)
    cut = _cut([parts[i] for i in survived], settings, counter, frame)
    before, after = counter.count(joined(read)), counter.count(_text(cut))
    if after >= before or not fine:
        cut = [[part.whole() for part in parts[i]] for i in survived]
        after = counter.count(_text(cut))
    done: list[tuple[CompressedSegment, ...]] = [()] * len(contexts)
    for index, own in zip(survived, cut, strict=True):
        done[index] = tuple(own)
    cap = settings.target_tokens
    return CompressedStructure(
        text=_text(cut),
        source=joined(read),
        contexts=tuple(done),
        survived=survived,
        tokens_before=before,
        tokens_after=after,
        budget_unmet=cap is not None and counter.count(frame(_text(cut))) > cap,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment with the white space at its ends, which stays, and what stands between, read."""

    segment: Segment
    before: str
    after: str
    core: ReadText

    @property
    def is_open(self) -> bool:
        """Whether only the global settings decide about it."""
        return self.segment.compress and self.segment.rate is None and bool(self.core.words)

    def cut_to(self, kept: Sequence[Span]) -> CompressedSegment:
        start, end = len(self.before), len(self.before) + len(self.core.text)
        spans = [Span(0, start), *(Span(s.start + start, s.end + start) for s in kept)]
        spans.append(Span(end, len(self.segment.text)))
        filled = tuple(s for s in spans if s.end > s.start)
        text = "".join(self.segment.text[s.start : s.end] for s in filled)
        return CompressedSegment(self.segment, text, filled)

    def whole(self) -> CompressedSegment:
        return self.cut_to([Span(0, len(self.core.text))])


def _read_parts(
    compressor: ContextClassifier, segments: Sequence[Sequence[Segment]], settings: Settings
) -> list[list[_Part]]:
    """Return the parts of each context, which is classified as one text, without its tags."""
    texts = ["".join(s.text for s in own) for own in segments]
    parts: list[list[_Part]] = []
    cores = [list(_cores(own)) for own in segments]
    classified = classify_texts(compressor, texts, settings)
    words = [[word for core in own for word in core.in_context] for own in cores]
    asked = ask_texts(compressor, texts, words, settings)
    for text, own, seen, log_odds in zip(texts, cores, classified, asked, strict=True):
        of_context: list[_Part] = []
        # Of the whole, or every segment would be a prompt whose first and last line count more.
        protected = find_protected(text, settings)
        first = 0
        for core in own:
            how = settings.token_to_word
            of_words = word_probabilities(core.in_context, seen.offsets, seen.probabilities, how)
            spans = _clipped(protected, core.shift, core.shift + len(core.text))
            odds = None if log_odds is None else log_odds[first : first + len(core.words)]
            read = ReadText(core.text, core.words, of_words, spans, odds)
            of_context.append(_Part(core.segment, core.before, core.after, read))
            first += len(core.words)
        parts.append(of_context)
    return parts


@dataclass(frozen=True, slots=True)
class _Core:
    """A segment without the white space around it, and where that begins in its context."""

    segment: Segment
    before: str
    text: str
    after: str
    shift: int
    words: list[Word]

    @property
    def in_context(self) -> list[Word]:
        return [Word(w.start + self.shift, w.end + self.shift) for w in self.words]


def _cores(segments: Sequence[Segment]) -> Iterator[_Core]:
    position = 0
    for segment in segments:
        start = len(segment.text) - len(segment.text.lstrip())
        end = max(start, len(segment.text.rstrip()))
        core = segment.text[start:end]
        words = split_words(core)  # of the segment, so that none reaches across its ends
        before, after = segment.text[:start], segment.text[end:]
        yield _Core(segment, before, core, after, position + start, words)
        position += len(segment.text)


def _clipped(protected: Sequence[ProtectedSpan], start: int, end: int) -> tuple[ProtectedSpan, ...]:
    """Return what of the spans lies between these offsets, counted from `start`."""
    return tuple(
        replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
        for span in protected
        if span.start < end and span.end > start
    )


def _whole(parts: Sequence[_Part]) -> ReadText:
    """Return a context as one text, for its score and its length."""
    text = "".join(part.segment.text for part in parts)
    words = [word for part in parts for word in part.core.words]
    of_words = np.concatenate([np.empty(0, np.float32), *(p.core.probabilities for p in parts)])
    asked = [p.core.log_odds for p in parts if p.core.log_odds is not None]
    return ReadText(text, words, of_words, log_odds=np.concatenate(asked) if asked else None)


def _text(contexts: Sequence[Sequence[CompressedSegment]]) -> str:
    texts = ("".join(segment.text for segment in own) for own in contexts)
    return SEPARATOR.join(text for text in texts if text.strip())


def _cut(
    contexts: Sequence[Sequence[_Part]],
    settings: Settings,
    counter: TokenCounter,
    frame: Callable[[str], str],
) -> list[list[CompressedSegment]]:
    cut = [[_cut_alone(part, settings, counter) for part in own] for own in contexts]
    return (
        cut if settings.target_tokens is None else _share(contexts, cut, settings, counter, frame)
    )


def _cut_alone(part: _Part, settings: Settings, counter: TokenCounter) -> CompressedSegment:
    """Cut a segment by its own rate or the global one; under a global cap leave it whole."""
    rate = part.segment.rate
    if rate is not None:
        settings = replace(settings, rate=rate, threshold=None, target_tokens=None)
    if not part.segment.compress or not part.core.words or settings.target_tokens is not None:
        return part.whole()
    core = part.core
    result = extract(
        core.text,
        core.words,
        core.probabilities,
        settings,
        counter,
        protected=core.protected,
        log_odds=core.log_odds,
    )
    return part.cut_to(result.kept)


def _share(
    contexts: Sequence[Sequence[_Part]],
    cut: list[list[CompressedSegment]],
    settings: Settings,
    counter: TokenCounter,
    frame: Callable[[str], str],
) -> list[list[CompressedSegment]]:
    """Cut the open segments to what the others leave of the cap."""
    places = [(i, j) for i, own in enumerate(contexts) for j, p in enumerate(own) if p.is_open]

    def filled(kept: Sequence[tuple[Span, ...]]) -> list[list[CompressedSegment]]:
        tried = [list(own) for own in cut]
        for (i, j), spans in zip(places, kept, strict=True):
            tried[i][j] = contexts[i][j].cut_to(spans)
        return tried

    cores = [contexts[i][j].core for i, j in places]
    return filled(fit_together(cores, lambda kept: frame(_text(filled(kept))), settings, counter))
