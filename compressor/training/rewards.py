"""What a shortened text is worth to a task: rewards that a classifier is tuned by."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Protocol

from compressor.evaluation.datasets import DatasetError, Question
from compressor.evaluation.metrics import standing, surviving

_TEXTS = 4096  # whose answers are kept; a tuning run on more looks for them once a pass


class Reward(Protocol):
    """Scores a shortened text, 0 to 1. Called for every sample, so it has to be quick or cached."""

    def __call__(self, source: str, shortened: str, questions: Sequence[Question]) -> float:
        """Return how good `shortened` is for answering the questions about `source`."""
        ...


def answer_survival(source: str, shortened: str, questions: Sequence[Question]) -> float:
    """Return the share of questions of which an answer still stands in the shortened text."""
    found = surviving(_standing(source, tuple(questions)), shortened)
    known = [kept for kept in found if kept is not None]
    return sum(known) / len(known) if known else 0.0


@lru_cache(maxsize=_TEXTS)
def _standing(source: str, questions: tuple[Question, ...]) -> list[list[str]]:
    return standing(source, [question.answers for question in questions])


def named_reward(name: str) -> Reward:
    """Return the reward of a name: `survival`, or a function of yours as `module:function`.

    A judge that asks a model, for instance. Raises DatasetError where there is none.
    """
    if name == "survival":
        return answer_survival
    module, colon, function = name.partition(":")
    try:
        found = getattr(import_module(module), function) if colon else None
    except (ImportError, AttributeError) as error:
        raise DatasetError(f"reward '{name}' cannot be loaded: {error}") from error
    if not callable(found):
        raise DatasetError(f"reward '{name}' is neither `survival` nor `module:function`")
    reward: Reward = found
    return reward
