from collections.abc import Sequence
from threading import Barrier, current_thread, main_thread

import numpy as np
import pytest
from numpy.typing import NDArray

from compressor.classifier.base import Encoded
from compressor.training.isolation import isolation
from compressor.windows import Window
from tests.compressor.scripted_classifier import ScriptedClassifier

TEXTS = [" ".join(f"word{number}{text}" for number in range(300)) for text in range(4)]


class Remembering(ScriptedClassifier):
    """What a window gets depends a little on the window before it."""

    def __init__(self) -> None:
        super().__init__()
        self.before = 0

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        found = super().keep_probabilities(encoded, window)
        found[0] += np.float32(self.before * 1e-6)
        self.before = int(encoded.ids[window.used_start]) % 100
        return found


class Crowded(ScriptedClassifier):
    """What a window gets depends on whether another is run at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.meeting = Barrier(2)

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        found = super().keep_probabilities(encoded, window)
        if current_thread() is not main_thread():
            self.meeting.wait(timeout=10)  # so that there is another one
            found[0] += np.float32(1e-6)
        return found


class Batching(ScriptedClassifier):
    """Several windows in one call share a scale."""

    batch_tokens = 10_000

    def keep_probabilities_of(
        self, asked: Sequence[tuple[Encoded, Window]]
    ) -> list[NDArray[np.float32]]:
        found = [self.keep_probabilities(encoded, window) for encoded, window in asked]
        return [outputs + np.float32(len(asked) * 1e-5) for outputs in found]


def test_one_that_looks_at_its_window_only_is_found_to() -> None:
    found = isolation(ScriptedClassifier(), TEXTS)
    assert found.windows == 8
    assert found.changed == {}
    assert found.faults() == []


def test_no_more_texts_are_run_than_have_to_be() -> None:
    assert isolation(ScriptedClassifier(), TEXTS, most=3).windows == 4


def test_a_memory_shows_in_another_order() -> None:
    found = isolation(Remembering(), TEXTS)
    assert {"backwards", "in another order"} <= found.changed.keys()
    assert "of 8 windows have another output backwards than alone" in found.faults()[0]


def test_what_is_shared_between_threads_shows() -> None:
    found = isolation(Crowded(), TEXTS)
    assert found.changed == {"beside other threads": 8, "in the compressor's queue": 8}


def test_what_is_shared_in_a_batch_shows_in_the_queue() -> None:
    assert set(isolation(Batching(), TEXTS).changed) == {"in the compressor's queue"}


def test_without_text_nothing_can_be_said() -> None:
    with pytest.raises(ValueError, match="no text"):
        isolation(ScriptedClassifier(), [" "])
