"""What must come out byte for byte: code, JSON, tables, URLs, numbers, negations, quotes."""

from bisect import bisect_right

from compressor.protect.blocks import block_spans
from compressor.protect.dates import date_spans
from compressor.protect.inline import digit_spans, forced_spans, inline_spans
from compressor.protect.json_prose import JsonProse
from compressor.protect.json_values import json_spans
from compressor.protect.line_ends import WINDOWS, PlainLines
from compressor.protect.literals import literal_spans
from compressor.protect.logs import cut_at_log_lines, without_values
from compressor.protect.markup import tag_spans
from compressor.protect.negation import negation_spans
from compressor.protect.numbers import number_spans
from compressor.protect.quotes import quote_spans
from compressor.question import prompt_spans
from compressor.speakers import message_stamps
from compressor.tool_rules import tool_rules
from compressor.types import Kind, ProtectedSpan, Settings

_PROMPT = frozenset({Kind.INSTRUCTION, Kind.QUESTION})
_ASKED_FOR = _PROMPT | {Kind.FORCED, Kind.URL}


def find_protected(
    text: str, settings: Settings, prose: JsonProse | None = None
) -> list[ProtectedSpan]:
    """Return the spans of the kinds that `settings.protect` names, and what is forced, by start.

    With `prose`, `text` is its view. Spans may overlap; none lies inside an unconditional block,
    JSON value or table.
    """
    if WINDOWS not in text:
        return _found(text, settings, prose)
    lines = PlainLines.of(text)
    prose = None if prose is None else lines.prose(prose)
    return lines.in_source(_found(lines.text, settings, prose))


def _found(text: str, settings: Settings, prose: JsonProse | None) -> list[ProtectedSpan]:
    """Do as `find_protected` does, for a text whose line breaks are one character."""
    forces = settings.force_tokens or settings.force_digits
    wanted = settings.protect | {Kind.FORCED} if forces else settings.protect
    found_blocks = [s for s in block_spans(text) if s.kind in wanted]
    if prose is not None:  # not a choice: whatever is cut of a JSON string, the JSON stays whole
        found_blocks = [s for s in found_blocks if prose.leaves_alone(s)] + list(prose.rest)
    elif Kind.JSON in wanted:
        found_blocks += json_spans(text)
        # A log line goes as a whole, whatever Python printed into it.
        found_blocks += literal_spans(text, sorted(found_blocks, key=_place))
    blocks = _disjoint(found_blocks)
    found: list[ProtectedSpan] = list(inline_spans(text))
    found += tag_spans(text)
    if Kind.NUMBER in wanted:
        found += number_spans(text)
        found += date_spans(text)
    if Kind.NEGATION in wanted:
        found += negation_spans(text)
    if Kind.QUOTE in wanted:
        # The marks of a literal that is shortened are JSON's, and no quote ends at them.
        found += [s for s in quote_spans(text) if prose is None or prose.leaves_alone(s)]
    if wanted & _PROMPT:
        found += prompt_spans(text, blocks)
        found += tool_rules(text, blocks) if settings.tool_description else ()
    if Kind.FORCED in wanted:
        found += forced_spans(text, settings.force_tokens)
        if settings.force_digits:
            found += digit_spans(text)
    log_lines = [s for s in blocks if s.conditional]
    found = list(cut_at_log_lines(list(without_values(text, found, log_lines)), log_lines))
    whole = [s for s in blocks if not s.conditional]
    starts = [s.start for s in whole]
    outside = [s for s in found if s.kind in wanted and not _inside(s, whole, starts)]
    return sorted(blocks + _without_stamps(text, outside), key=_place)


def _place(span: ProtectedSpan) -> tuple[int, int]:
    return span.start, -span.end  # the longest first of those that begin together


def _without_stamps(text: str, spans: list[ProtectedSpan]) -> list[ProtectedSpan]:
    """Leave out what is in the line that says who speaks: that goes with what is said."""
    lines = message_stamps(text)
    starts = [start for start, _ in lines]

    def stamps(span: ProtectedSpan) -> bool:
        index = bisect_right(starts, span.start) - 1
        return index >= 0 and span.end <= lines[index][1] and span.kind not in _ASKED_FOR

    return [span for span in spans if not stamps(span)] if lines else spans


def _disjoint(spans: list[ProtectedSpan]) -> list[ProtectedSpan]:
    """Keep the first and longest of overlapping blocks; a log line gives way to the JSON in it."""
    chosen: list[ProtectedSpan] = []
    for span in sorted(spans, key=_place):
        if chosen and span.end <= chosen[-1].end and not chosen[-1].conditional:
            continue
        chosen.append(span)
    return chosen


def _inside(span: ProtectedSpan, blocks: list[ProtectedSpan], starts: list[int]) -> bool:
    index = bisect_right(starts, span.start) - 1
    return index >= 0 and span.end <= blocks[index].end
