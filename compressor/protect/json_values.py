"""JSON objects and arrays inside running text, found by parsing them."""

import json
import re

from compressor.types import Kind, ProtectedSpan

_OPENING = re.compile(r"[{\[]")
# What follows an opening bracket in JSON; cheap to test, and most brackets in prose fail it.
_PLAUSIBLE = re.compile(r"\{\s{0,200}[\"}]|\[\s{0,200}[\[{\"\-\d\]tfn]")
_NESTED = re.compile(r"[\"{\[]")
_DEEP_COST = 1_000
_MIN_NUMBERS = 3

_DECODER = json.JSONDecoder()


def json_spans(text: str) -> list[ProtectedSpan]:
    """Return the outermost valid JSON objects and arrays of `text`.

    Arrays of one or two bare numbers are citations more often than data and are left out, unless
    they are all there is. Work
    on brackets that turn out not to open JSON is bounded by a multiple of the text's length.
    """
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if _is_whole(text[start:end]):
        return [ProtectedSpan(start, end, Kind.JSON)]
    spans: list[ProtectedSpan] = []
    allowance = 4 * len(text) + _DEEP_COST
    position = 0
    while allowance > 0 and (found := _OPENING.search(text, position)):
        start = position = found.start()
        if not _PLAUSIBLE.match(text, start):
            position += 1
            continue
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            allowance -= max(error.pos - start, 16)
            position += 1
            continue
        except (RecursionError, ValueError):  # nested too deep, or an integer of over 4,300 digits
            allowance -= _DEEP_COST
            position += 1
            continue
        if _is_data(value):
            spans.append(ProtectedSpan(start, end, Kind.JSON))
        position = end
    return spans


def _is_whole(text: str) -> bool:
    """Whether a text is a JSON string or one of the lists that `_is_data` takes for citations."""
    if (text[:1], text[-1:]) not in {('"', '"'), ("[", "]")} or len(text) < 2:
        return False
    if text[0] == "[" and (_NESTED.search(text, 1) or text.count(",") >= _MIN_NUMBERS):
        return False  # data, which is parsed below
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, str) or not _is_data(value)


def _is_data(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value)
    if not isinstance(value, list):
        return False
    return len(value) >= _MIN_NUMBERS or any(isinstance(v, str | dict | list) for v in value)
