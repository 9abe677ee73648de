"""Requests that nobody would write: schemathesis on our own endpoints and the APIs we rewrite."""

import asyncio
import json
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from proxy.dialects import DIALECTS
from proxy.openapi import document
from proxy.text_compression import PATH as COMPRESS_PATH
from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import JSON, USAGE, Connection, FakeUpstream, Received
from tests.integration.raw_client import parse_answer, request_bytes
from tests.integration.test_probes import ready

pytestmark = pytest.mark.frameworks
schemathesis = pytest.importorskip("schemathesis")

LONG = " ".join(f"w{number}" for number in range(40))
# Beside a schema that takes everything, others in one `anyOf` would be merged into it.
TEXT = {"enum": [LONG, f"{LONG} \U0001f600 \u00e9 <|endoftext|>", "short"]}
ODD = {"enum": [None, 7, -0.5, True]}
OWN = [path for path, operations in document()["paths"].items() if "get" in operations]
AS_DESCRIBED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
ANSWER = json.dumps({"id": "x", "object": "x", "usage": USAGE}).encode()


def fixed(examples: int) -> settings:
    """Return settings under which every run tries the same examples."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("path", OWN)
async def test_our_own_endpoints_answer_as_described(proxy: Proxy, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(document())
    operation = schema[path][method.upper()]

    @fixed(5)
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        case.call_and_validate(base_url=proxy.root, timeout=10)

    await ready(proxy)
    await asyncio.to_thread(run)


async def test_other_methods_are_refused_as_described(proxy: Proxy) -> None:
    """With any method, query, body and headers, by the check that schemathesis has for errors."""
    schema = schemathesis.openapi.from_dict(document())
    word = st.text(string.ascii_letters + string.digits + "%/?&=.;:~-", max_size=12)

    @fixed(60)
    @given(
        path=st.sampled_from(OWN),
        method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]),
        query=st.dictionaries(word, word, max_size=3),
        headers=st.dictionaries(st.sampled_from(["X-A", "Accept", "Authorization"]), word),
        body=st.binary(max_size=50),
    )
    def run(path: str, method: str, query: Any, headers: Any, body: bytes) -> None:
        case = schema[path]["GET"].Case(method=method, query=query, headers=headers)
        response = case.call(base_url=proxy.root, data=body, timeout=10)
        assert response.status_code == 405
        case.method = "GET"  # where the answer is described
        case.validate_response(
            response,
            checks=[schemathesis.checks.CHECKS.get_one(name) for name in AS_DESCRIBED],
        )

    await ready(proxy)
    await asyncio.to_thread(run)


async def test_texts_to_compress_are_answered_as_described(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    operation = schemathesis.openapi.from_dict(document())[COMPRESS_PATH]["POST"]
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in AS_DESCRIBED]
    seen: set[int] = set()

    def run(mode: Any) -> None:
        @fixed(60)
        @given(case=operation.as_strategy(generation_mode=mode))
        def tried(case: Any) -> None:
            answer = case.call_and_validate(base_url=proxy.root, timeout=10, checks=checks)
            seen.add(answer.status_code)

        tried()

    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
        await asyncio.to_thread(run, mode)
    assert {200, 400} <= seen
    assert upstream.received == []


def part(needed: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(needed)} | {
        "additionalProperties": ODD
    }


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"anyOf": list(items)}, "minItems": 1, "maxItems": 4}


KIND = {"enum": ["text", "input_text", "tool_result", "thinking", "image"]}
BLOCK = part(("type", "text"), type=KIND, text=TEXT, content=TEXT)
CONTENT = {"anyOf": [TEXT, listed(BLOCK)]}
MESSAGE = part(("role", "content"), role={"enum": ["user", "system"]}, content=CONTENT)
RESULT = part(("role", "content"), role={"const": "tool"}, content=CONTENT)
ITEM = part(("type", "output"), type={"enum": ["function_call_output", "message"]}, output=TEXT)
TOOL = part(name=TEXT, description=TEXT, function=part(description=TEXT, parameters=ODD))
COMMON = {
    "model": {"enum": ["gpt-4o", "claude", "", None]},
    "instructions": TEXT,
    "system": {"anyOf": [TEXT, listed(BLOCK)]},
    "tools": listed(TOOL, ODD),
    "stream": {"enum": [True, False, None, "yes"]},
    "max_tokens": {"type": ["integer", "number"]},
}
PROMPTS = {
    "/v1/chat/completions": {"messages": listed(MESSAGE, RESULT)},
    "/v1/messages": {"messages": listed(MESSAGE)},
    "/v1/responses": {"input": {"anyOf": [TEXT, listed(MESSAGE, ITEM)]}},
    "/v1/completions": {"prompt": {"anyOf": [TEXT, listed(TEXT), listed({"type": "integer"})]}},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(LONG),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


def spoilt(value: Any, way: list[int], put: Any) -> Any:
    """Return a JSON value with another one in the place that `way` leads to."""
    if not way or not value or not isinstance(value, dict | list):
        return put
    if isinstance(value, list):
        at = way[0] % len(value)
        return [*value[:at], spoilt(value[at], way[1:], put), *value[at + 1 :]]
    name = list(value)[way[0] % len(value)]
    return {**value, name: spoilt(value[name], way[1:], put)}


def permissive() -> dict[str, Any]:
    """Describe the rewritten APIs by a little more than what their bodies may be."""
    paths = {}
    for path in DIALECTS:
        prompt = PROMPTS[path]
        body = part(("model", *prompt), **COMMON, **prompt)
        paths[path] = {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body}},
                },
                "responses": {"200": {"description": "The upstream's."}},
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rewritten", "version": "1"},
        "paths": paths,
    }


def without_words(value: Any) -> Any:
    """Return a JSON value with every string emptied; what may have become shorter is then equal."""
    if isinstance(value, dict):
        return {name: without_words(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_words(inner) for inner in value]
    return "" if isinstance(value, str) else value


async def answer(request: Received, connection: Connection) -> None:
    await connection.answer(200, ANSWER, JSON)


def send(proxy: Proxy, path: str, body: bytes) -> Callable[[], Any]:
    headers = [("Content-Type", "application/json")]
    return lambda: proxy.raw(request_bytes("POST", path, headers, body))


@pytest.mark.parametrize("path", DIALECTS)
async def test_any_body_comes_to_the_upstream(
    proxy: Proxy, upstream: FakeUpstream, path: str
) -> None:
    """Never an error of ours, one record; the same bytes, or JSON that differs in texts alone."""
    upstream.handler = answer
    operation = schemathesis.openapi.from_dict(permissive())[path]["POST"]
    loop = asyncio.get_running_loop()
    changed = 0

    @fixed(200)
    @given(
        case=operation.as_strategy(),
        way=st.none() | st.lists(st.integers(0, 9), min_size=1, max_size=5),
        put=VALUES,
        cut=st.sampled_from([None, None, None, None, 1, 40, 200]),
    )
    def run(case: Any, way: list[int] | None, put: Any, cut: int | None) -> None:
        nonlocal changed
        whole = json.dumps(case.body if way is None else spoilt(case.body, way, put)).encode()
        body = whole if cut is None else whole[:cut]
        upstream.received.clear()
        sending = asyncio.run_coroutine_threadsafe(send(proxy, path, body)(), loop)
        got = parse_answer(sending.result(20), "POST")
        assert (got.status, got.body) == (200, ANSWER)
        asyncio.run_coroutine_threadsafe(proxy.sink.next(), loop).result(20)
        assert proxy.sink.empty
        (received,) = upstream.received
        if received.body != body:
            changed += 1
            after, before = json.loads(received.body), json.loads(body)
            assert len(received.body) <= len(body) + len(
                ', "stream_options":{"include_usage":true}'
            )
            if "stream_options" not in before:
                after.pop("stream_options", None)
            assert without_words(after) == without_words(before)

    await asyncio.to_thread(run)
    assert changed >= 5
