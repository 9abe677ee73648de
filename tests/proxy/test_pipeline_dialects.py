"""What the pipeline makes of every API's bodies."""

import json
from typing import Any

import pytest

from policies.types import Mode, Policy, Role
from proxy.dialects import DIALECTS
from proxy.pipeline import Pipeline, Prepared
from proxy.savings import Treatment
from tests.fakes import FakeCompressor, FakeTokenizers
from tests.proxy.pipelines import LONG, POLICIES, SHORT, config, prepare

TOOLS = Policy(name="tools", rate=0.5, min_tokens=99, tool_descriptions=4)
PIPELINE = Pipeline(
    config("tools").model_copy(update={"policies": {**POLICIES, "tools": TOOLS}}),
    FakeCompressor(),
    FakeTokenizers(),
)
SCHEMA = {
    "type": "object",
    "description": LONG,
    "properties": {"q": {"type": "string", "description": LONG, "enum": [LONG]}},
    "required": ["q"],
}
FUNCTION = {"name": "f", "description": LONG, "parameters": SCHEMA}


def body(**members: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", **members}).encode()


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": LONG}]}),
        ("/v1/completions", {"prompt": ["x", LONG]}),
        ("/v1/responses", {"input": LONG, "instructions": "x"}),
        ("/v1/responses", {"input": [{"type": "function_call_output", "output": LONG}]}),
        ("/v1/messages", {"max_tokens": 5, "messages": [{"role": "user", "content": LONG}]}),
    ],
)
async def test_the_text_is_shortened_and_every_other_byte_stays(
    path: str, members: dict[str, Any]
) -> None:
    pipeline = Pipeline(config(), FakeCompressor(), FakeTokenizers())
    sent = body(**members, seed=1).replace(b'"seed": 1', b'"seed" :1e5')
    prepared = await prepare(pipeline, sent, path=path)
    assert prepared.body == sent.replace(LONG.encode(), SHORT.encode())
    assert prepared.report.treatment is Treatment.COMPRESSED
    assert prepared.report.tokens_sent < prepared.report.tokens_before


@pytest.mark.parametrize("path", DIALECTS)
async def test_a_body_that_cannot_be_read_goes_on_as_it_is(path: str) -> None:
    for sent in (b"{", b"[]", b'{"model":"gpt-4o","model":"gpt-4o"}'):
        prepared = await prepare_gpt(sent, path)
        assert prepared.body is sent
        assert prepared.report.treatment is Treatment.PASSED
        assert prepared.report.note


async def prepare_gpt(sent: bytes, path: str) -> Prepared:
    return await prepare(PIPELINE, sent, {"x-team": "a"}, path)


async def test_why_a_prompt_was_not_looked_at_is_in_the_report() -> None:
    pipeline = Pipeline(config(), FakeCompressor(), FakeTokenizers())
    sent = body(prompt=LONG, echo=True)
    prepared = await prepare(pipeline, sent, path="/v1/completions")
    assert prepared.body is sent
    assert prepared.report.treatment is Treatment.UNCHANGED
    assert "echo" in (prepared.report.note or "")


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/v1/chat/completions", {"tools": [{"type": "function", "function": FUNCTION}]}),
        ("/v1/chat/completions", {"functions": [FUNCTION]}),
        ("/v1/responses", {"tools": [{"type": "function", **FUNCTION}]}),
        ("/v1/messages", {"tools": [{"name": "f", "description": LONG, "input_schema": SCHEMA}]}),
    ],
)
async def test_descriptions_of_tools_where_the_policy_says_so(
    path: str, members: dict[str, Any]
) -> None:
    sent = body(**members)
    pattern = f'"description": "{LONG}"'
    prepared = await prepare(PIPELINE, sent, path=path)
    expected = sent.decode().replace(pattern, pattern.replace(LONG, SHORT))
    assert prepared.body.decode() == expected
    assert expected.count(f'"description": "{SHORT}"') == 3
    assert LONG in expected  # as an enum's value
    assert {part.role for part in prepared.report.parts} == {Role.TOOL_SCHEMA}

    plain = Pipeline(config(), FakeCompressor(), FakeTokenizers())
    untouched = await prepare(plain, sent, path=path)
    assert untouched.body is sent
    assert untouched.report.parts == ()


async def test_short_descriptions_do_not_fill_the_record() -> None:
    sent = body(functions=[{"name": "f", "description": "three short words"}], messages=[])
    prepared = await prepare(PIPELINE, sent)
    assert prepared.body is sent
    assert prepared.report.parts == ()


async def test_tools_that_cannot_be_read_leave_the_rest_to_be_compressed() -> None:
    policy = TOOLS.model_copy(update={"min_tokens": 4})
    pipeline = Pipeline(
        config("tools").model_copy(update={"policies": {**POLICIES, "tools": policy}}),
        FakeCompressor(),
        FakeTokenizers(),
    )
    tools = b'[{"function":{"parameters":{"properties":{"a":{"description":"x"},"a":{}}}}}]'
    sent = body(messages=[{"role": "user", "content": LONG}], tools=1)
    sent = sent.replace(b'"tools": 1', b'"tools": ' + tools)
    prepared = await prepare(pipeline, sent)
    assert prepared.body == sent.replace(LONG.encode(), SHORT.encode())
    assert "its tools are left alone" in (prepared.report.note or "")


async def test_the_compressor_is_told_which_texts_describe_tools() -> None:
    compressor = FakeCompressor()
    settings = config("tools").model_copy(update={"policies": {**POLICIES, "tools": TOOLS}})
    pipeline = Pipeline(settings, compressor, FakeTokenizers())
    message = "the rain in spain stays mainly in the plain " * 20
    await prepare(
        pipeline, body(functions=[FUNCTION], messages=[{"role": "user", "content": message}])
    )
    told = {text: settings.tool_description for text, settings, *_ in compressor.calls}
    assert told == {LONG: True, message: False}


async def test_a_policy_that_is_off_looks_at_no_tools() -> None:
    off = Policy(name="tools", mode=Mode.OFF, tool_descriptions=1)
    pipeline = Pipeline(
        config("tools").model_copy(update={"policies": {**POLICIES, "tools": off}}),
        FakeCompressor(),
        FakeTokenizers(),
    )
    prepared = await prepare(pipeline, body(functions=[FUNCTION], messages=[]))
    assert prepared.report.parts == ()
