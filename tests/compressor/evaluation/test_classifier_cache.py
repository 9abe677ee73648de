from pathlib import Path

import numpy as np

from compressor.classifier.base import Encoded
from compressor.evaluation.classifier_cache import CachedClassifier
from compressor.windows import Window


class Counting:
    """A token's probability is its id / 100; counts the windows that it is asked for."""

    def __init__(self, revision: str = "1") -> None:
        self.revision = revision
        self.asked = 0

    def encode(self, text: str) -> Encoded:
        ids = np.array([ord(c) % 100 for c in text], np.int64)
        return Encoded(ids, np.array([(i, i + 1) for i in range(len(text))], np.int32))

    def pieces(self, encoded: Encoded) -> list[str]:
        return [str(i) for i in encoded.ids]

    def windows(self, encoded: Encoded) -> list[Window]:
        return [Window(0, len(encoded.ids), 0, len(encoded.ids))]

    def keep_probabilities(self, encoded: Encoded, window: Window) -> np.ndarray:
        self.asked += 1
        return encoded.ids[window.used_start : window.used_end].astype(np.float32) / 100


def test_a_window_is_classified_once_and_across_runs(tmp_path: Path) -> None:
    for run in range(2):
        inner = Counting()
        cached = CachedClassifier(inner, tmp_path / "windows.db")
        encoded = cached.encode("some words")
        [window] = cached.windows(encoded)
        for _ in range(2):
            found = cached.keep_probabilities(encoded, window)
            assert found.tolist() == inner.keep_probabilities(encoded, window).tolist()
            assert found.dtype == np.float32
        assert (cached.misses, cached.hits) == ((1, 1) if run == 0 else (0, 2))
        assert cached.pieces(encoded) == inner.pieces(encoded)
        cached.close()


def test_another_text_part_or_revision_is_another_window(tmp_path: Path) -> None:
    cached = CachedClassifier(Counting(), tmp_path / "windows.db")
    first, second = cached.encode("aaaa"), cached.encode("aaab")
    windows = [Window(0, 4, 0, 4), Window(0, 4, 0, 3), Window(0, 3, 0, 3)]
    found = [cached.keep_probabilities(e, w).tolist() for e in (first, second) for w in windows]
    assert len(found[0]) == 4
    assert len(found[1]) == 3
    assert cached.misses == 5  # the first three tokens by themselves are the same twice
    cached.close()
    other = CachedClassifier(Counting("2"), tmp_path / "windows.db")
    other.keep_probabilities(first, windows[0])
    assert other.misses == 1
    other.close()
