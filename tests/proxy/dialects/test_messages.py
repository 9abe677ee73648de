import json
from typing import Any

import pytest

from policies.types import Role
from proxy.dialects.messages import MessagesDialect
from proxy.json_spans import Unreadable
from proxy.savings import Usage
from proxy.usage import BodyTap, StreamTap
from tests.proxy.dialects.readings import WRONG, found, said

DIALECT = MessagesDialect()
CACHED = {"type": "ephemeral", "ttl": "1h"}


def reading(messages: Any, **members: Any) -> Any:
    body = {"model": "claude-sonnet-4-5", "max_tokens": 99, **members, "messages": messages}
    return DIALECT.read(json.dumps(body).encode())


def test_contents_in_both_spellings() -> None:
    read = reading(
        [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
            {"role": "user", "content": [{"type": "text", "text": "3", "cache_control": CACHED}]},
            {"role": "system", "content": "four"},
        ]
    )
    assert found(read.texts) == [
        (Role.USER, ("messages", 0, "content"), "one"),
        (Role.ASSISTANT, ("messages", 1, "content", 0, "text"), "two"),
        (Role.USER, ("messages", 2, "content", 0, "text"), "3"),
        (Role.SYSTEM, ("messages", 3, "content"), "four"),
    ]
    assert (read.model, read.stream, read.reserved_tokens) == ("claude-sonnet-4-5", False, 99)


def test_the_system_prompt_in_both_spellings() -> None:
    assert found(reading([], system="be brief").texts) == [(Role.SYSTEM, ("system",), "be brief")]
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": CACHED}]
    assert found(reading([], system=blocks).texts) == [
        (Role.SYSTEM, ("system", 0, "text"), "a"),
        (Role.SYSTEM, ("system", 1, "text"), "b"),
    ]


def test_tool_results_in_both_spellings() -> None:
    content = [
        {"type": "tool_result", "tool_use_id": "t", "content": "one"},
        {
            "type": "tool_result",
            "tool_use_id": "u",
            "content": [
                {"type": "text", "text": "two"},
                {"type": "image", "source": {"type": "base64", "data": "text"}},
                {"type": "search_result", "content": [{"type": "text", "text": "no"}]},
            ],
        },
        {"type": "tool_result", "tool_use_id": "v"},
        {"type": "text", "text": "three"},
    ]
    texts = reading([{"role": "user", "content": content}]).texts
    assert sorted(found(texts), key=str) == sorted(
        [
            (Role.TOOL, ("messages", 0, "content", 0, "content"), "one"),
            (Role.TOOL, ("messages", 0, "content", 1, "content", 0, "text"), "two"),
            (Role.USER, ("messages", 0, "content", 3, "text"), "three"),
        ],
        key=str,
    )


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "no", "signature": "no", "text": "no"},
        {"type": "redacted_thinking", "data": "no", "text": "no"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"type": "text", "text": "no"}},
        {"type": "server_tool_use", "input": {"text": "no"}},
        {"type": "web_search_tool_result", "content": [{"type": "text", "text": "no"}]},
        {"type": "mcp_tool_result", "content": [{"type": "text", "text": "no"}]},
        {"type": "document", "source": {"type": "text", "data": "no"}, "context": "no"},
        {"type": "search_result", "content": [{"type": "text", "text": "no"}]},
        {"type": "image", "source": {"type": "url", "url": "no"}},
        {"type": "compaction", "content": "no"},
        {"type": "text", "text": "no", "citations": [{"cited_text": "no", "start_char_index": 1}]},
        {"type": ["text"], "text": "no"},
        {"text": "no"},
    ],
)
def test_other_blocks_are_left_alone(block: dict[str, Any]) -> None:
    content = [block, {"type": "text", "text": "yes", "citations": None}]
    messages = [{"role": role, "content": content} for role in ("assistant", "user")]
    assert said(reading(messages).texts) == [(Role.ASSISTANT, "yes"), (Role.USER, "yes")]


def test_an_answer_that_was_begun_for_the_model_stays() -> None:
    begun = [{"role": "user", "content": "ask"}, {"role": "assistant", "content": "{"}]
    assert said(reading(begun).texts) == [(Role.USER, "ask")]
    over = [*begun, {"role": "user", "content": "on"}]
    assert said(reading(over).texts) == [
        (Role.USER, "ask"),
        (Role.ASSISTANT, "{"),
        (Role.USER, "on"),
    ]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_values_have_no_text(wrong: Any) -> None:
    assert reading(wrong).texts == ()
    assert reading([], system=wrong).texts == ()
    assert reading([{"role": "user", "content": wrong}]).texts == ()
    assert reading([{"role": wrong, "content": "x"}]).texts == ()
    result = [{"type": "tool_result", "content": wrong}]
    assert reading([{"role": "user", "content": result}]).texts == ()


@pytest.mark.parametrize(
    "body",
    [
        b'{"system":"a","system":"b"}',
        b'{"messages":[{"role":"user","content":[{"type":"text","type":"x","text":"a"}]}]}',
        b'{"messages":[{"role":"user","content":[{"type":"tool_result","content":"a",'
        b'"content":"b"}]}]}',
    ],
)
def test_a_name_that_comes_twice_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="twice"):
        DIALECT.read(body)


def test_descriptions_of_the_clients_own_tools() -> None:
    tools = [
        {
            "name": "no",
            "description": "d",
            "input_schema": {"properties": {"p": {"description": "p"}}},
            "cache_control": CACHED,
        },
        {"type": "custom", "description": "c"},
        {"type": "bash_20250124", "name": "bash", "description": "no"},
    ]
    texts = DIALECT.read_tools(json.dumps({"tools": tools}).encode())
    assert found(texts) == [
        (Role.TOOL_SCHEMA, ("tools", 0, "description"), "d"),
        (
            Role.TOOL_SCHEMA,
            ("tools", 0, "input_schema", "properties", "p", "description"),
            "p",
        ),
        (Role.TOOL_SCHEMA, ("tools", 1, "description"), "c"),
    ]


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def test_a_streams_counts_come_in_two_events() -> None:
    begun = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 100,
        "output_tokens": 1,
    }
    tap = StreamTap(DIALECT)
    tap.feed(event("message_start", message={"role": "assistant", "usage": begun}))
    assert tap.usage == Usage(prompt_tokens=115, completion_tokens=1, cached_tokens=100)
    tap.feed(event("ping") + event("content_block_delta", delta={"text": '"usage"'}))
    tap.feed(event("message_delta", delta={}, usage={"input_tokens": None, "output_tokens": 42}))
    tap.feed(event("message_stop"))
    assert tap.usage == Usage(prompt_tokens=115, completion_tokens=42, cached_tokens=100)
    assert tap.takes_event()


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, Usage(3, 4)),
        ({"input_tokens": 3, "cache_read_input_tokens": 0}, Usage(3, None, 0)),
        ({"input_tokens": "3", "output_tokens": True}, Usage()),
        ({}, Usage()),
    ],
)
def test_counts_of_a_plain_answer(counts: dict[str, Any], usage: Usage) -> None:
    tap = BodyTap(DIALECT)
    tap.feed(json.dumps({"content": [], "usage": counts}).encode())
    tap.finish()
    assert tap.usage == usage


def test_an_error_event_is_named() -> None:
    assert DIALECT.error_event(b'{"type":"error"}') == b'event: error\ndata: {"type":"error"}\n\n'
