import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.types import Role
from proxy.dialects.base import BodyReading
from proxy.dialects.chat import ChatDialect
from proxy.json_spans import Edit, Unreadable, splice, string_literal
from tests.proxy import json_bodies
from tests.proxy.dialects.readings import found

READ = ChatDialect().read


def reading(messages: Any, **members: Any) -> BodyReading:
    return READ(json.dumps({"model": "gpt-4o", **members, "messages": messages}).encode())


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("system", Role.SYSTEM),
        ("developer", Role.SYSTEM),
        ("user", Role.USER),
        ("assistant", Role.ASSISTANT),
        ("tool", Role.TOOL),
        ("function", Role.TOOL),
    ],
)
def test_a_string_content_is_a_text_of_its_role(name: str, role: Role) -> None:
    texts = reading([{"role": name, "content": "hello"}]).texts
    assert found(texts) == [(role, ("messages", 0, "content"), "hello")]


@pytest.mark.parametrize("role", ["user", "tool", "assistant"])
def test_text_parts_of_a_list_are_texts_and_other_parts_are_not(role: str) -> None:
    content = [
        {"type": "text", "text": "one", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f"}, "text": "no"},
        {"type": "refusal", "refusal": "no"},
        {"text": "no type"},
        {"text": "two", "type": "text"},
    ]
    texts = reading([{"role": role, "content": content}]).texts
    assert [(text.path, text.text) for text in texts] == [
        (("messages", 0, "content", 0, "text"), "one"),
        (("messages", 0, "content", 6, "text"), "two"),
    ]


def test_nothing_but_contents_is_text() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"text":"x"}'}}
    texts = reading(
        [
            {"role": "assistant", "content": None, "tool_calls": [call], "refusal": "no"},
            {"role": "user", "name": "content", "content": "yes", "text": "no"},
        ],
        tools=[{"type": "function", "function": {"name": "f", "description": "text"}}],
        prediction={"type": "content", "content": "no"},
        response_format={"type": "json_schema", "json_schema": {"content": "no"}},
        metadata={"messages": [{"role": "user", "content": "no"}]},
        n=3,
        logprobs=True,
    ).texts
    assert [text.text for text in texts] == ["yes"]


def test_a_message_that_the_answer_goes_on_from_stays() -> None:
    messages = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two", "prefix": True},
        {"role": "assistant", "content": "three", "prefix": False},
    ]
    assert [text.text for text in reading(messages).texts] == ["one", "three"]
    continued = reading(messages, continue_final_message=True).texts
    assert [text.text for text in continued] == ["one"]
    assert reading([], continue_final_message=True).texts == ()
    assert reading(7, continue_final_message=True).texts == ()


@pytest.mark.parametrize(
    "messages", [None, 7, "text", {"role": "user", "content": "x"}, [], [None], [[]], ["x"], [{}]]
)
def test_messages_of_a_wrong_type_have_no_text(messages: Any) -> None:
    assert reading(messages).texts == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "user"},
        {"role": "user", "content": None},
        {"role": "user", "content": 7},
        {"role": "user", "content": {"type": "text", "text": "x"}},
        {"role": "user", "content": ["x", 7, None, [], {}]},
        {"role": "user", "content": [{"type": "text", "text": 7}, {"type": "text"}]},
        {"role": "user", "content": [{"type": ["text"], "text": "x"}]},
        {"role": "poet", "content": "x"},
        {"role": ["user"], "content": "x"},
        {"role": {"user": 1}, "content": "x"},
        {"content": "x"},
    ],
)
def test_a_part_of_a_wrong_type_is_skipped_and_the_others_are_read(wrong: Any) -> None:
    texts = reading([wrong, {"role": "user", "content": "fine"}]).texts
    assert found(texts) == [(Role.USER, ("messages", 1, "content"), "fine")]


@pytest.mark.parametrize("body", [b"[]", b"7", b'"x"', b"null"])
def test_a_root_that_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="not a JSON object"):
        READ(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","messages":[],"messages":[]}',
        b'{"model":"m","model":"n","messages":[]}',
        b'{"messages":[{"role":"user","content":"a","content":"b"}]}',
        b'{"messages":[{"role":"user","role":"system","content":"b"}]}',
        b'{"messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}',
    ],
)
def test_a_doubled_name_on_the_way_to_a_text_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="twice"):
        READ(body)


@pytest.mark.parametrize(("model", "name"), [("gpt-4o", "gpt-4o"), ("é", "é"), (7, ""), (None, "")])
def test_the_model_is_a_string_or_none(model: Any, name: str) -> None:
    assert reading([], model=model).model == name
    assert READ(b"{}").model == ""


@pytest.mark.parametrize(("stream", "is_stream"), [(True, True), (False, False), (1, False)])
def test_only_true_is_a_stream(stream: Any, is_stream: bool) -> None:
    found = reading([], stream=stream)
    assert found.stream is is_stream
    assert (found.ask_usage is not None) is is_stream


@pytest.mark.parametrize(
    ("members", "tokens"),
    [
        ({}, 0),
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 50, "max_tokens": 100}, 50),
        ({"max_completion_tokens": None, "max_tokens": 100}, 100),
        ({"max_tokens": -1}, 0),
        ({"max_tokens": True}, 0),
        ({"max_tokens": "100"}, 0),
        ({"max_tokens": 10**30}, 0),
    ],
)
def test_tokens_reserved_for_the_answer(members: dict[str, Any], tokens: int) -> None:
    assert reading([], **members).reserved_tokens == tokens


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ("", ',"stream_options":{"include_usage":true}'),
        (',"stream_options": null', ',"stream_options": {"include_usage":true}'),
        (',"stream_options":{ }', ',"stream_options":{"include_usage":true }'),
        (
            ',"stream_options":{"x": 1e5 }',
            ',"stream_options":{"x": 1e5,"include_usage":true }',
        ),
        (
            ',"stream_options":{"include_usage": null,"x":1}',
            ',"stream_options":{"include_usage": true,"x":1}',
        ),
    ],
)
def test_a_stream_is_made_to_report_usage(options: str, asked: str) -> None:
    start, end = '{"messages":[], "stream":true', ' , "n":1e0\n}\n'
    body = f"{start}{options}{end}".encode()
    edit = READ(body).ask_usage
    assert edit is not None
    expected = f"{start}{asked}{end}" if options else f'{start} , "n":1e0{asked}\n}}\n'
    assert splice(body, [edit]).decode() == expected


@pytest.mark.parametrize(
    "options",
    [{"include_usage": True}, {"include_usage": False}, {"include_usage": 0}, [], "x", 7, False],
)
def test_a_stream_that_said_what_it_wants_is_not_asked(options: Any) -> None:
    assert reading([], stream=True, stream_options=options).ask_usage is None


def test_a_refusal_of_usage_can_be_overruled() -> None:
    body = b'{"messages":[],"stream":true,"stream_options":{"include_usage" : false,"x":1}}'
    edit = READ(body).overrule_usage
    assert edit is not None
    assert splice(body, [edit]) == body.replace(b"false", b"true")
    for asked in (True, None, 0, "false"):
        options = {"include_usage": asked}
        assert reading([], stream=True, stream_options=options).overrule_usage is None
    declined = {"include_usage": False}
    assert reading([], stream=False, stream_options=declined).overrule_usage is None


@given(body=json_bodies.bodies())
@settings(deadline=None, max_examples=150)
def test_texts_are_what_a_parser_finds_at_their_paths(body: bytes) -> None:
    read = READ(body)
    root = json_bodies.loads(body)
    assert read.model == root["model"]
    for text in read.texts:
        assert json_bodies.at(root, text.path) == text.text
        assert json.loads(body[text.start : text.end]) == text.text


@given(body=json_bodies.bodies())
@settings(deadline=None, max_examples=100)
def test_putting_every_literal_back_gives_the_same_bytes(body: bytes) -> None:
    same = [Edit(text.start, text.end, body[text.start : text.end]) for text in READ(body).texts]
    assert splice(body, same) == body


@given(body=json_bodies.bodies(), data=st.data())
@settings(deadline=None, max_examples=150)
def test_only_the_replaced_strings_change(body: bytes, data: st.DataObject) -> None:
    read = READ(body)
    expected = json_bodies.loads(body)
    edits = []
    for text in data.draw(st.permutations(read.texts)):
        if not data.draw(st.booleans()):
            continue
        new = data.draw(json_bodies.texts)
        edits.append(Edit(text.start, text.end, string_literal(new, body[text.start : text.end])))
        # Two lone surrogates side by side are one character in any JSON text.
        json_bodies.with_value(expected, text.path, json.loads(json.dumps(new)))
    after = splice(body, edits)
    assert json_bodies.loads(after) == expected
    at_before = at_after = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        untouched = body[at_before : edit.start]
        assert after[at_after : at_after + len(untouched)] == untouched
        at_before, at_after = edit.end, at_after + len(untouched) + len(edit.new)
    assert after[at_after:] == body[at_before:]


@given(body=json_bodies.bodies())
@settings(deadline=None, max_examples=150)
def test_asking_for_usage_adds_exactly_that(body: bytes) -> None:
    edit = READ(body).ask_usage
    if edit is None:
        return
    root = json_bodies.loads(body)
    options = root.get("stream_options") or {}
    root["stream_options"] = {**options, "include_usage": True}
    assert json_bodies.loads(splice(body, [edit])) == root
