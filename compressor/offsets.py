"""Offsets into a text and into a view of it in which some stretches are one character each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compressor.types import Span


@dataclass(frozen=True, slots=True)
class Offsets:
    """Turns offsets of a view into those of its text, and back.

    `ends` are the offsets in the view behind each character that is longer in the text, ascending;
    `saved`, of the same shape (n,), is by how many characters it and those before it are.
    """

    ends: NDArray[np.int64]
    saved: NDArray[np.int64]

    def in_text(self, offsets: Sequence[int]) -> NDArray[np.int64]:
        """Return where in the text these characters of the view begin, shape (len(offsets),)."""
        at = np.asarray(offsets, np.int64)
        moved: NDArray[np.int64] = at + self._saved_before(
            np.searchsorted(self.ends, at, side="right")
        )
        return moved

    def spans_in_text(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Return the slices of the text that these slices of the view stand for."""
        starts = self.in_text([span.start for span in spans]).tolist()
        ends = self.in_text([span.end for span in spans]).tolist()
        return tuple(map(Span, starts, ends))

    def in_view(self, offsets: Sequence[int]) -> NDArray[np.int64]:
        """Return where in the view these characters of the text are, shape (len(offsets),)."""
        at = np.asarray(offsets, np.int64)
        before = np.searchsorted(self.ends + self.saved, at, side="right")
        # Inside the next such stretch: the character that stands for it.
        following = np.append(self.ends, np.iinfo(np.int64).max)[before] - 1
        moved: NDArray[np.int64] = np.minimum(at - self._saved_before(before), following)
        return moved

    def _saved_before(self, count: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.concatenate(([0], self.saved))[count]
