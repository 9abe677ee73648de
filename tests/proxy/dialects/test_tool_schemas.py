import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.types import Role
from proxy.dialects.base import BodyText
from proxy.dialects.chat import ChatDialect
from proxy.dialects.messages import MessagesDialect
from proxy.dialects.responses import ResponsesDialect
from proxy.json_spans import Edit, Unreadable, splice, string_literal
from tests.proxy import json_bodies

CHAT, RESPONSES, MESSAGES = ChatDialect(), ResponsesDialect(), MessagesDialect()


def of(schema: Any) -> list[tuple[tuple[str | int, ...], str]]:
    body = {"tools": [{"name": "f", "input_schema": schema}]}
    texts = MESSAGES.read_tools(json.dumps(body).encode())
    assert all(text.role is Role.TOOL_SCHEMA for text in texts)
    return [(text.path[3:], text.text) for text in texts]


def test_descriptions_wherever_a_schema_holds_a_schema() -> None:
    leaf = {"type": "string", "description": "d"}
    named = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
    for name in named:
        assert of({name: {"a": leaf, "b": {"items": leaf}}}) == [
            ((name, "a", "description"), "d"),
            ((name, "b", "items", "description"), "d"),
        ]
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        assert of({name: [leaf, True, leaf]}) == [
            ((name, 0, "description"), "d"),
            ((name, 2, "description"), "d"),
        ]
    for name in ("items", "additionalProperties", "not", "if", "then", "else", "contains"):
        assert of({name: leaf}) == [((name, "description"), "d")]


def test_a_parameter_may_be_called_anything() -> None:
    schema = {
        "properties": {
            "description": {"type": "string", "description": "one"},
            "properties": {"properties": {"enum": {"description": "two"}}},
            "items": {"type": "string"},
            "type": {"enum": ["description"]},
        }
    }
    assert of(schema) == [
        (("properties", "description", "description"), "one"),
        (("properties", "properties", "properties", "enum", "description"), "two"),
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": [{"description": "no"}]},
        {"const": {"description": "no"}},
        {"default": {"description": "no"}},
        {"examples": [{"description": "no"}]},
        {"properties": {"a": {"default": {"properties": {"b": {"description": "no"}}}}}},
        {"description": ["no"]},
        {"description": {"description": "no"}},
        {"properties": {"description": "no"}},
        {"properties": [{"description": "no"}]},
        {"anyOf": {"description": "no"}},
        {"items": [{"description": "no"}]},
        {"x-description": "no", "Description": "no", "title": "no"},
        True,
        None,
        ["no"],
        "no",
    ],
)
def test_data_is_no_description(schema: Any) -> None:
    assert of(schema) == []


def test_chats_tools_and_its_older_functions() -> None:
    function = {"name": "f", "description": "f", "parameters": {"items": {"description": "p"}}}
    body = {
        "tools": [
            {"type": "function", "function": function, "description": "no"},
            {"type": "custom", "custom": {"name": "c", "description": "c"}},
        ],
        "functions": [function],
        "response_format": {"json_schema": {"description": "no", "schema": {"description": "no"}}},
        "messages": [{"role": "user", "content": "no", "tool_calls": [{"function": function}]}],
    }
    texts = CHAT.read_tools(json.dumps(body).encode())
    assert [(text.path, text.text) for text in texts] == [
        (("tools", 0, "function", "description"), "f"),
        (("tools", 0, "function", "parameters", "items", "description"), "p"),
        (("tools", 1, "custom", "description"), "c"),
        (("functions", 0, "description"), "f"),
        (("functions", 0, "parameters", "items", "description"), "p"),
    ]


def test_a_schema_that_readers_may_take_two_ways_is_not_read() -> None:
    body = b'{"tools":[{"input_schema":{"properties":{"a":{"description":"x"},"a":{}}}}]}'
    with pytest.raises(Unreadable, match="'a' twice"):
        MESSAGES.read_tools(body)


def test_a_schema_nested_without_end_is_not_read() -> None:
    deep = b'{"items":' * 100_000 + b"{}" + b"}" * 100_000
    with pytest.raises(Unreadable, match="nested too deep"):
        MESSAGES.read_tools(b'{"tools":[{"input_schema":' + deep + b"}]}")


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | json_bodies.texts,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["description", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(["description", "type", "properties", "items", "a", "é", ""])


def _object(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["object", "string"])},
        optional={
            "description": json_bodies.texts | DATA,
            "properties": st.dictionaries(NAMES, inner | DATA, max_size=3) | DATA,
            "$defs": st.dictionaries(NAMES, inner, max_size=2),
            "items": inner | DATA,
            "anyOf": st.lists(inner, max_size=2) | DATA,
            "additionalProperties": st.booleans() | inner,
            "enum": st.lists(DATA, max_size=2),
            "default": DATA,
            "required": st.lists(NAMES, max_size=2),
        },
    )


SCHEMAS = st.recursive(DATA, _object, max_leaves=8)
Reader = Callable[[bytes], tuple[BodyText, ...]]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Reader, bytes]:
    schema, text = draw(SCHEMAS), draw(json_bodies.texts)
    function = {"name": "f", "description": text, "parameters": schema, "strict": True}
    tools: Any
    reader, tools = draw(
        st.sampled_from(
            [
                (CHAT.read_tools, [{"type": "function", "function": function}]),
                (RESPONSES.read_tools, [{"type": "function", **function}]),
                (
                    MESSAGES.read_tools,
                    [{"name": "f", "description": text, "input_schema": schema}],
                ),
            ]
        )
    )
    return reader, json.dumps({"tools": tools}).encode()


def only_descriptions_differ(before: Any, after: Any) -> bool:
    """Whether two values are the same but for strings under the name `description`."""
    if isinstance(before, dict) and isinstance(after, dict):
        return list(before) == list(after) and all(
            (name == "description" and isinstance(value, str) and isinstance(after[name], str))
            or only_descriptions_differ(value, after[name])
            for name, value in before.items()
        )
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(only_descriptions_differ, before, after))
    return type(before) is type(after) and before == after


@given(case=bodies())
@settings(deadline=None, max_examples=300)
def test_everything_but_descriptions_stays(case: tuple[Reader, bytes]) -> None:
    reader, body = case
    texts = reader(body)
    edits = [
        Edit(text.start, text.end, string_literal("shorter", body[text.start : text.end]))
        for text in texts
    ]
    after = splice(body, edits)
    assert only_descriptions_differ(json.loads(body), json.loads(after))
    for text in texts:
        assert text.path[-1] == "description"
        assert json_bodies.at(json.loads(after), text.path) == "shorter"
    same = [Edit(text.start, text.end, body[text.start : text.end]) for text in texts]
    assert splice(body, same) == body
