import json
from typing import Any

import pytest

from policies.types import Role
from proxy.dialects.completions import CompletionsDialect
from proxy.json_spans import Unreadable, splice
from proxy.savings import Usage
from tests.proxy.dialects.readings import found

DIALECT = CompletionsDialect()


def reading(prompt: Any, **members: Any) -> Any:
    return DIALECT.read(json.dumps({"model": "m", **members, "prompt": prompt}).encode())


def test_a_prompt_is_a_text_of_the_user() -> None:
    assert found(reading("once upon").texts) == [(Role.USER, ("prompt",), "once upon")]


def test_every_prompt_of_a_list_is_a_text() -> None:
    assert found(reading(["one", "two"]).texts) == [
        (Role.USER, ("prompt", 0), "one"),
        (Role.USER, ("prompt", 1), "two"),
    ]


@pytest.mark.parametrize(
    "prompt", [None, 7, [], [1, 2, 3], [[1, 2], [3]], {"text": "x"}, [["x"]], [{"text": "x"}]]
)
def test_tokens_and_other_values_have_no_text(prompt: Any) -> None:
    assert reading(prompt).texts == ()


@pytest.mark.parametrize(
    "members",
    [
        {"echo": True},
        {"echo": True, "logprobs": 3},
        {"echo": 1},
        {"prompt_logprobs": 0},
        {"prompt_logprobs": 5},
        {"suffix": "\nreturn x"},
    ],
)
def test_a_prompt_that_the_answer_shows_or_fits_into_is_left_alone(members: dict[str, Any]) -> None:
    read = reading("long", stream=True, **members)
    assert read.texts == ()
    assert next(name for name in members) in read.note
    assert (read.model, read.stream) == ("m", True)
    assert read.ask_usage is not None


@pytest.mark.parametrize(
    "members",
    [{"echo": False}, {"echo": None}, {"logprobs": 3}, {"suffix": None}, {"suffix": ""}],
)
def test_what_shows_nothing_of_the_prompt_is_compressed(members: dict[str, Any]) -> None:
    read = reading("long", **members)
    assert [text.text for text in read.texts] == ["long"]
    assert read.note is None


def test_the_rest_of_the_request() -> None:
    read = reading("x", stream=True, max_tokens=9)
    assert (read.model, read.stream, read.reserved_tokens) == ("m", True, 9)
    body = b'{"prompt":"x","stream":true}'
    edit = DIALECT.read(body).ask_usage
    assert edit is not None
    asked = b'{"prompt":"x","stream":true,"stream_options":{"include_usage":true}}'
    assert splice(body, [edit]) == asked
    assert DIALECT.read_tools(body) == ()


def test_prompts_in_a_list_are_independent() -> None:
    assert reading(["one", "two"]).independent
    assert not reading("one").independent


def test_a_body_that_is_no_object_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="not a JSON object"):
        DIALECT.read(b"[]")


def test_usage_is_that_of_chat() -> None:
    answer = {"usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
    assert DIALECT.usage(DIALECT.counts(answer)) == Usage(5, 2)  # type: ignore[arg-type]
    assert DIALECT.error_event(b"{}") == b"data: {}\n\n"
