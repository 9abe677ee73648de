"""A classifier that is told which words to keep: one token a word."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import Encoded
from compressor.windows import Window, plan_windows
from compressor.words import split_words


class ScriptedClassifier:
    """Gives words the probabilities of `likely`, others one between 0.1 and 0.2 by spelling.

    `encoded` counts texts, `classified` classifier tokens.
    """

    revision = "scripted"

    def __init__(self, likely: Mapping[str, float] | None = None) -> None:
        self.likely = dict(likely or {})
        self.encoded: list[str] = []
        self.classified = 0
        self._spelling: dict[int, str] = {}

    def encode(self, text: str) -> Encoded:
        self.encoded.append(text)
        spans = [(word.start, word.end) for word in split_words(text)]
        ids = []
        for start, end in spans:
            word = text[start:end]
            number = int.from_bytes(word.encode("utf-8", "replace")[:6], "big")
            self._spelling[number] = word
            ids.append(number)
        return Encoded(np.array(ids, np.int64), np.array(spans, np.int32).reshape(-1, 2))

    def pieces(self, encoded: Encoded) -> list[str]:
        return ["▁" + self._spelling[number] for number in encoded.ids.tolist()]

    def windows(self, encoded: Encoded) -> list[Window]:
        return plan_windows(len(encoded.ids))

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        ids = encoded.ids[window.used_start : window.used_end].tolist()
        self.classified += len(ids)
        values = [self.likely.get(self._spelling[i], 0.1 + i % 1000 / 10_000) for i in ids]
        return np.array(values, np.float32)
