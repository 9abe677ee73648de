import json
from typing import Any

import pytest

from policies.types import Role
from proxy.dialects.responses import ResponsesDialect
from proxy.json_spans import Unreadable
from proxy.savings import Usage
from proxy.usage import BodyTap, StreamTap
from tests.proxy.dialects.readings import WRONG, found, said

DIALECT = ResponsesDialect()
COUNTS = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 107,
}
READ = Usage(prompt_tokens=100, completion_tokens=7, cached_tokens=64)


def reading(given: Any, **members: Any) -> Any:
    return DIALECT.read(json.dumps({"model": "gpt-5", **members, "input": given}).encode())


def test_a_string_is_a_text_of_the_user() -> None:
    assert found(reading("hello").texts) == [(Role.USER, ("input",), "hello")]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("user", Role.USER),
        ("assistant", Role.ASSISTANT),
        ("system", Role.SYSTEM),
        ("developer", Role.SYSTEM),
    ],
)
@pytest.mark.parametrize("kind", [{}, {"type": "message"}])
def test_messages_in_both_spellings(name: str, role: Role, kind: dict[str, str]) -> None:
    given = [
        {**kind, "role": name, "content": "one"},
        {**kind, "role": name, "content": [{"type": "input_text", "text": "two"}]},
    ]
    assert found(reading(given).texts) == [
        (role, ("input", 0, "content"), "one"),
        (role, ("input", 1, "content", 0, "text"), "two"),
    ]


@pytest.mark.parametrize("kind", ["function_call_output", "custom_tool_call_output"])
def test_what_the_clients_tools_gave_back(kind: str) -> None:
    given = [
        {"type": kind, "call_id": "c", "output": "one"},
        {
            "type": kind,
            "call_id": "d",
            "output": [
                {"type": "input_text", "text": "two"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA"},
                {"type": "input_file", "file_data": "text"},
            ],
        },
    ]
    assert found(reading(given).texts) == [
        (Role.TOOL, ("input", 0, "output"), "one"),
        (Role.TOOL, ("input", 1, "output", 0, "text"), "two"),
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "no"}]},
        {"type": "reasoning", "content": [{"type": "input_text", "text": "no"}]},
        {"type": "function_call", "name": "f", "arguments": '{"text":"no"}', "call_id": "c"},
        {"type": "computer_call_output", "output": {"type": "input_text", "text": "no"}},
        {"type": "file_search_call", "results": [{"text": "no"}]},
        {"type": "mcp_call", "output": "no", "arguments": "no"},
        {"type": "local_shell_call_output", "output": "no"},
        {"type": "shell_call_output", "output": [{"stdout": "no", "text": "no"}]},
        {"type": "apply_patch_call_output", "output": "no"},
        {"type": "image_generation_call", "result": "no"},
        {"type": "item_reference", "id": "msg_1", "content": "no", "role": "user"},
        {"type": "something_new", "role": "user", "content": "no", "output": "no"},
        {"type": None, "role": "user", "content": "no"},
        {"role": "user", "content": [{"type": "input_image", "text": "no"}]},
        {"role": "user", "content": [{"type": "refusal", "text": "no"}, {"text": "no"}]},
        {"role": "poet", "content": "no"},
        {"content": "no"},
    ],
)
def test_other_items_are_left_alone(item: dict[str, Any]) -> None:
    texts = reading([item, {"role": "user", "content": "yes"}]).texts
    assert said(texts) == [(Role.USER, "yes")]


def test_an_item_that_the_api_keeps_is_left_alone() -> None:
    kept = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "no", "annotations": []}],
    }
    loose = {key: value for key, value in kept.items() if key != "id"}
    assert said(reading([kept, loose]).texts) == [(Role.ASSISTANT, "no")]


@pytest.mark.parametrize("member", ["annotations", "logprobs"])
def test_a_text_whose_places_are_marked_keeps_them(member: str) -> None:
    parts = [
        {"type": "output_text", "text": "marked", member: [{"start_index": 2}]},
        {"type": "output_text", "text": "plain", member: []},
    ]
    texts = reading([{"role": "assistant", "content": parts}]).texts
    assert said(texts) == [(Role.ASSISTANT, "plain")]


def test_instructions_and_prompts_are_left_alone() -> None:
    read = reading(
        "yes",
        instructions="no",
        previous_response_id="resp_1",
        background=True,
        prompt={"id": "pmpt_1", "variables": {"text": {"type": "input_text", "text": "no"}}},
        text={"format": {"type": "json_schema", "schema": {"description": "no"}}},
        tools=[{"type": "function", "name": "f", "description": "no"}],
        stream=True,
        max_output_tokens=77,
    )
    assert said(read.texts) == [(Role.USER, "yes")]
    assert (read.model, read.stream, read.reserved_tokens) == ("gpt-5", True, 77)
    assert read.ask_usage is None


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_values_have_no_text(wrong: Any) -> None:
    assert reading(wrong).texts == ()
    messages = [{"role": "user", "content": wrong}, {"role": wrong, "content": "x"}]
    assert reading(messages).texts == ()
    assert reading([{"type": "function_call_output", "output": wrong}]).texts == ()


def test_a_name_that_comes_twice_is_unreadable() -> None:
    for body in (
        b'{"input":"a","input":"b"}',
        b'{"input":[{"role":"user","content":"a","content":"b"}]}',
        b'{"input":[{"type":"function_call_output","output":"a","output":"b"}]}',
    ):
        with pytest.raises(Unreadable, match="twice"):
            DIALECT.read(body)


def test_descriptions_of_functions_custom_tools_and_namespaces() -> None:
    function = {
        "type": "function",
        "name": "no",
        "description": "f",
        "parameters": {"properties": {"p": {"description": "p"}}},
    }
    tools = [
        function,
        {"type": "custom", "description": "c", "format": {"definition": "no"}},
        {"type": "namespace", "description": "n", "tools": [function]},
        {"type": "mcp", "server_description": "no", "description": "no"},
        {"type": "web_search", "filters": {"description": "no"}},
    ]
    texts = DIALECT.read_tools(json.dumps({"tools": tools}).encode())
    assert found(texts) == [
        (Role.TOOL_SCHEMA, ("tools", 0, "description"), "f"),
        (
            Role.TOOL_SCHEMA,
            ("tools", 0, "parameters", "properties", "p", "description"),
            "p",
        ),
        (Role.TOOL_SCHEMA, ("tools", 1, "description"), "c"),
        (Role.TOOL_SCHEMA, ("tools", 2, "description"), "n"),
        (Role.TOOL_SCHEMA, ("tools", 2, "tools", 0, "description"), "f"),
        (
            Role.TOOL_SCHEMA,
            ("tools", 2, "tools", 0, "parameters", "properties", "p", "description"),
            "p",
        ),
    ]


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


@pytest.mark.parametrize("last", ["completed", "incomplete", "failed"])
@pytest.mark.parametrize("filling", [0, 3_000_000])
def test_usage_is_read_from_the_last_event(last: str, filling: int) -> None:
    tap = StreamTap(DIALECT)
    stream = event("response.created", response={"usage": None})
    stream += event("response.output_text.delta", delta='"usage":{"input_tokens":1}')
    response = {"output": ["x" * filling], "usage": COUNTS, "user": None, "metadata": {}}
    stream += event(f"response.{last}", response=response)
    for start in range(0, len(stream), 100_000):
        assert tap.feed(stream[start : start + 100_000]) == stream[start : start + 100_000]
    assert tap.usage == READ
    assert tap.takes_event()


def test_usage_is_read_from_a_plain_answer() -> None:
    for filling in (0, 500_000):
        tap = BodyTap(DIALECT)
        tap.feed(json.dumps({"output": ["x" * filling], "usage": COUNTS}).encode())
        tap.finish()
        assert tap.usage == READ
    queued = BodyTap(DIALECT)
    queued.feed(b'{"status":"queued","usage":null}')
    queued.finish()
    assert queued.usage == Usage()


def test_an_error_event_has_both_forms() -> None:
    error = {"message": "m", "type": "upstream_error", "param": None, "code": "upstream_cut"}
    name, data = DIALECT.error_event(json.dumps({"error": error}).encode()).split(b"\n", 1)
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "code": "upstream_cut",
        "message": "m",
        "param": None,
        "error": error,
    }
