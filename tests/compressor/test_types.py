"""Settings say what is wrong with them before anything is done by them."""

from typing import Any

import numpy as np
import pytest

from compressor.engine import Compressor
from compressor.types import Kind, Settings
from tests.compressor.scripted_classifier import ScriptedClassifier


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "set exactly one of"),
        ({"rate": True}, "rate is True, which is no number"),
        ({"rate": "0.5"}, "rate is '0.5', which is no number"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"threshold": [1]}, "threshold is .1., which is no number"),
        ({"threshold": True}, "threshold is True, which is no number"),
        ({"target_tokens": True}, "target_tokens is True, which is no whole number"),
        ({"target_tokens": 2.5}, "target_tokens is 2.5, which is no whole number"),
        ({"target_tokens": float("nan")}, "target_tokens is nan, which is no whole number"),
        ({"target_tokens": "5"}, "target_tokens is '5', which is no whole number"),
        ({"rate": 0.5, "force_tokens": (1,)}, "force_tokens has 1, which is no text"),
        ({"rate": 0.5, "force_tokens": None}, "force_tokens is None; give a tuple of texts"),
        ({"rate": 0.5, "force_tokens": "a"}, "force_tokens is one text"),
        ({"rate": 0.5, "chunk_end_tokens": [1]}, "chunk_end_tokens has 1, which is no text"),
        ({"rate": 0.5, "force_tokens": ["", "a"]}, "an empty force_token would keep nothing"),
        ({"rate": 0.5, "protect": None}, "protect is None; give a set of kinds"),
        ({"rate": 0.5, "protect": "number"}, "protect is 'number'; give a set of kinds"),
        ({"rate": 0.5, "protect": {"nope"}}, "protect has 'nope', which is no kind"),
        ({"rate": 0.5, "question": 5}, "the question is 5, which is no text"),
        ({"rate": 0.5, "encoding": None}, "encoding is None, which is no text"),
    ],
)
def test_what_cannot_be_is_said_by_name(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Settings(**fields)


def test_numbers_of_any_kind_are_numbers() -> None:
    assert Settings(rate=np.float32(0.5)).rate == 0.5
    assert Settings(target_tokens=np.int64(5)).target_tokens == 5
    assert Settings(threshold=1).threshold == 1


def test_any_collection_will_do() -> None:
    fields: dict[str, Any] = {"protect": ["number"], "force_tokens": ["a b"]}
    same = Settings(rate=0.5, protect=frozenset({Kind.NUMBER}), force_tokens=("a b",))
    assert Settings(rate=0.5, **fields) == same
    assert hash(Settings(rate=0.5, **fields)) == hash(same)


@pytest.mark.parametrize("text", [None, b"The committee met.", ["The", "committee"], 5])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with (
        Compressor(ScriptedClassifier({})) as compressor,
        pytest.raises(TypeError, match=f"the text is of type {type(text).__name__}"),
    ):
        compressor.compress(text, rate=0.5)
