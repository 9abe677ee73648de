"""Keeps what a message leaves to the model to complete: an item, a form, a last question."""

import re
from collections.abc import Sequence
from itertools import groupby

from compressor.prompt_cues import QUESTION_LABEL
from compressor.prompt_evidence import Part

_SHORTEST_FORM = 3  # labels
_LONGEST_QUESTION = 70  # words; a longer one is a document behind a label
_LONGEST_TO_COMPLETE = 1000  # characters; a longer item's text is a document
_EMPTY_LABEL = re.compile(r"[ \t]*[^\W\d_][^\n:：.!?。？]{0,30}[:：]$")
_LINE_LABEL = re.compile(r"^[ \t]*[^\W\d_][^\n:：.!?。？]{0,30}[:：]", re.MULTILINE)


def keep_item_to_complete(text: str, parts: Sequence[Part]) -> None:
    """Keep the last of several items alike, whose last label stands empty for the model to fill.

    So end few-shot prompts ("Review: ... Sentiment:") and transcripts ("User: ... Assistant:").
    """
    end = len(text.rstrip())
    line = text.rfind("\n", 0, end) + 1
    empty = _EMPTY_LABEL.match(text, line, end)
    if empty is None:
        return
    _keep_last_labelled_question(text, parts)
    before = text[:line]
    filled = before.rfind(f"\n{empty[0]}")
    if filled < 0 and not before.startswith(empty[0]):
        return
    for label in _LINE_LABEL.finditer(text, max(filled + 1, line - _LONGEST_TO_COMPLETE), line):
        again = before.startswith(label[0]) or 0 <= before.find(f"\n{label[0]}") < filled
        if again and label[0] != empty[0]:
            keep_from(label.start(), parts)
            return
    keep_from(line, parts)


def _keep_last_labelled_question(text: str, parts: Sequence[Part]) -> None:
    """Keep the last "Question: ..." of several; steps towards its answer may stand below it."""
    sentences = [read.sentence for part in parts for read in part.read]
    labelled = [i for i, s in enumerate(sentences) if QUESTION_LABEL.match(s.folded)]
    if len(labelled) < 2:
        return
    line = [sentences[labelled[-1]]]
    for sentence in sentences[labelled[-1] + 1 :]:
        if "\n" in text[line[-1].end : sentence.start]:
            break
        line.append(sentence)
    if sum(sentence.words for sentence in line) <= _LONGEST_QUESTION:
        for sentence in line:
            sentence.kept = True


def keep_form(parts: Sequence[Part]) -> None:
    """Keep labels in a row that all stand empty: a form for the model to fill."""
    sentences = [read.sentence for part in parts for read in part.read]
    for empty, run in groupby(sentences, lambda s: _EMPTY_LABEL.match(s.text) is not None):
        form = list(run)
        if empty and len(form) >= _SHORTEST_FORM:
            for sentence in form:
                sentence.kept = True


def keep_from(start: int, parts: Sequence[Part]) -> None:
    """Keep every sentence from an offset on."""
    for part in reversed(parts):
        for read in part.read:
            if read.sentence.end > start:
                read.sentence.kept = True
        if part.paragraph.start < start:
            return


def keep(part: Part) -> None:
    """Keep every sentence of a part."""
    for read in part.read:
        read.sentence.kept = True
