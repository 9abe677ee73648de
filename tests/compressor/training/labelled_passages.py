"""Annotated passages with labels by a rule, and a classifier that knows the rule."""

import numpy as np

from compressor.training.examples import Passage
from compressor.words import is_mark, split_words
from tests.compressor.scripted_classifier import ScriptedClassifier

TEXTS = (
    "The harbour was closed on Monday because of a storm, said the mayor of the small town.",
    "Members asked about repairs near an old bridge, and others about much lower taxes there.",
    "A ferry will leave again when the wind turns, and until then people wait in the library.",
    "Nobody knows how the treasurer found the letter that the committee had lost in spring.",
)


def passages() -> list[Passage]:
    """A passage a text: long words are kept by both grades, middling ones by the light one."""
    return [_passage(number, text) for number, text in enumerate(TEXTS)]


def knowing() -> ScriptedClassifier:
    """A classifier that ranks the words of TEXTS as they are labelled."""
    words = {text[w.start : w.end] for text in TEXTS for w in split_words(text)}
    return ScriptedClassifier({word: min(len(word), 9) / 10 for word in words})


def turned() -> ScriptedClassifier:
    """A classifier that ranks them the other way round."""
    told = knowing()
    return ScriptedClassifier({word: 1 - likely for word, likely in told.likely.items()})


def _passage(number: int, text: str) -> Passage:
    words = split_words(text)
    labels = [
        np.nan if is_mark(text, w) else 1.0 if w.end - w.start > 5 else 0.5 * (w.end - w.start > 3)
        for w in words
    ]
    return Passage(
        id=str(number),
        source="made up",
        doc=f"document {number}",
        lang="en",
        text=text,
        spans=np.array([(w.start, w.end) for w in words], np.int64),
        labels=np.array(labels, np.float32),
    )
