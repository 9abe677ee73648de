"""The question that a message asks: what the texts around it are scored against."""

from collections.abc import Iterator, Sequence

from compressor.protect.blocks import block_spans
from compressor.protect.json_values import json_spans
from compressor.protect.line_ends import WINDOWS
from compressor.question import prompt_spans, word_count

# A message this short has no room for a document beside its question.
_SHORT_WORDS = 60
_SHORT_CHARACTERS = 600  # spares counting the words of long ones


def question_of(texts: Sequence[str]) -> str | None:
    """Return what a message asks, one sentence a line; None where nothing in it asks or tells.

    `texts` are the message's, in order. A short message is its question as a whole; of a longer
    one the question is its question and instruction sentences, and a short last text as a whole.
    """
    # A line end of Windows is one character here: what a block's lines end with tells what it is.
    filled = [text.replace(WINDOWS, "\n") for text in texts if text.strip()]
    if not filled:
        return None
    if _is_short("\n".join(filled)):
        return "\n".join(text.strip() for text in filled)
    *others, last = filled
    asked = [sentence for text in others for sentence in _sentences(text)]
    asked += [last.strip()] if others and _is_short(last) else _sentences(last)
    return "\n".join(asked) or None


def _is_short(text: str) -> bool:
    return len(text) <= _SHORT_CHARACTERS and word_count(text) <= _SHORT_WORDS


def _sentences(text: str) -> Iterator[str]:
    blocks = sorted([*block_spans(text), *json_spans(text)], key=lambda s: (s.start, -s.end))
    for span in prompt_spans(text, blocks):
        yield text[span.start : span.end]
