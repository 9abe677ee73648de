"""A text with the line ends of Windows as one with plain line breaks, and offsets back to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from compressor.offsets import Offsets
from compressor.protect.json_prose import JsonProse
from compressor.types import ProtectedSpan

WINDOWS = "\r\n"


@dataclass(frozen=True, slots=True)
class PlainLines:
    """A text in which a line break is one character; `offsets` lead from `text` to the source."""

    text: str
    offsets: Offsets

    @classmethod
    def of(cls, source: str) -> "PlainLines":
        """Return the source as such a text."""
        ends = np.asarray([m.start() + 1 for m in re.finditer(WINDOWS, source)], np.int64)
        saved = np.arange(1, len(ends) + 1)
        return cls(source.replace(WINDOWS, "\n"), Offsets(ends - saved + 1, saved))

    def in_source(self, spans: Sequence[ProtectedSpan]) -> list[ProtectedSpan]:
        """Return spans of the text as spans of the source; none ends inside a line break."""
        starts = self.offsets.in_text([span.start for span in spans]).tolist()
        ends = self.offsets.in_text([span.end for span in spans]).tolist()
        return _moved(spans, starts, ends)

    def prose(self, prose: JsonProse) -> JsonProse:
        """Return the prose of a view, which is the source, with its places in the text."""
        starts = self.offsets.in_view([span.start for span in prose.rest]).tolist()
        ends = self.offsets.in_view([span.end for span in prose.rest]).tolist()
        values = self.offsets.in_view([edge for value in prose.values for edge in value]).tolist()
        return replace(
            prose,
            view=self.text,
            rest=tuple(_moved(prose.rest, starts, ends)),
            values=tuple(zip(values[::2], values[1::2], strict=True)),
        )


def _moved(
    spans: Sequence[ProtectedSpan], starts: Sequence[int], ends: Sequence[int]
) -> list[ProtectedSpan]:
    places = zip(spans, starts, ends, strict=True)
    return [replace(span, start=start, end=end) for span, start, end in places]
