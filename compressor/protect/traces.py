"""Frames that repeat inside one stack trace: all but the first and the last may go."""

from collections import defaultdict
from dataclasses import replace

from compressor.types import ProtectedSpan


def loosened_frames(text: str, block: ProtectedSpan) -> list[ProtectedSpan]:
    """Return a trace's block with the frames that repeat inside it as conditional spans.

    A line is loose that stands in the block before and again after, word for word; stretches of
    such lines are one span each, so that a frame's two lines go together.
    """
    bounds = _line_bounds(text, block)
    seen: dict[str, list[int]] = defaultdict(list)
    for number, (start, end) in enumerate(bounds):
        seen[text[start:end]].append(number)
    loose = {n for numbers in seen.values() if len(numbers) > 2 for n in numbers[1:-1]}
    found: list[ProtectedSpan] = []
    for number, (start, end) in enumerate(bounds):
        conditional = number in loose
        if found and found[-1].conditional == conditional:
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(ProtectedSpan(start, end, block.kind, conditional))
    return found


def _line_bounds(text: str, block: ProtectedSpan) -> list[tuple[int, int]]:
    bounds, at = [], block.start
    while at < block.end:
        end = text.find("\n", at, block.end)
        end = block.end if end < 0 else end
        if end > at:
            bounds.append((at, end))
        at = end + 1
    return bounds
