"""Under what the items of lists stand: under a deeper list's item, or a short line with a colon."""

import re

import numpy as np
from numpy.typing import NDArray

from compressor.labels import ROMAN

_LINE = re.compile(
    rf"[ \t>]*(?P<item>(?:[-*+•‣◦–·▪]|\(?(?:\d{{1,3}}|[a-zA-Z]|{ROMAN})[.)])[ \t])?"
    r"(?=\S)"
)
_LEAD = re.compile(r"[^\n]{0,72}\w[)\"'*_”»’]{0,4}[:：][*_]{0,2}[ \t\r]*(?:\n|\Z)")
_HEADING = re.compile(r"#{1,6} ")
_LONGEST_LEAD = 8  # words
_TAB = 4  # columns


def nested(
    text: str, starts: NDArray[np.int64], label: NDArray[np.bool_], block: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return what stands under what, shape (pairs, 4): half-open word ranges, above and below.

    Ascending by what is below. `starts` are the words' offsets, `label` and `block` those of a
    Structure.
    """
    pairs: list[tuple[int, int, int, int]] = []
    above: list[tuple[float, int, int]] = []  # depth in columns, first word, word behind the last
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if (line := _LINE.match(text, position, end)) is not None:
            begin = line.start("item") if line["item"] else line.end()
            depth = float(len(text[position:begin].expandtabs(_TAB)))
            first = int(np.searchsorted(starts, begin))
            lead = int(np.searchsorted(starts, end)), _LEAD.match(text, begin)
            if line["item"] and first < len(label) and label[first]:
                stop = int(np.searchsorted(block, block[first], side="right"))
                above = [one for one in above if one[0] < depth]
                pairs += [(*above[-1][1:], first, stop)] if above else []
                above.append((depth, first, stop))
            elif (lead[1] or _HEADING.match(text, begin)) and lead[0] - first <= _LONGEST_LEAD:
                above = [one for one in above if one[0] < depth]
                above.append((depth - 0.5, first, lead[0]))
            elif not depth:
                above.clear()
        position = end + 1
    return np.asarray(pairs, np.int64).reshape(-1, 4)
