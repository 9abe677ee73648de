import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.types import Mode, Policy, Role, Route
from proxy.config import CompressorConfig, ServerConfig
from proxy.errors import RequestRefused
from proxy.pipeline import Pipeline
from proxy.savings import Treatment
from tests.fakes import FakeCompressor, FakeTokenizers, every_second_word
from tests.proxy import json_bodies
from tests.proxy.pipelines import LONG, PATH, POLICIES, SHORT, chat, config, prepare


@pytest.fixture
def compressor() -> FakeCompressor:
    return FakeCompressor()


@pytest.fixture
def pipeline(compressor: FakeCompressor) -> Pipeline:
    return Pipeline(config(), compressor, FakeTokenizers("gpt-new"))


async def test_a_long_text_is_replaced_and_nothing_else(pipeline: Pipeline) -> None:
    body = chat(LONG, "short").replace(b'"model"', b' "seed":1e5,\n "n" :2, "model"')
    prepared = await prepare(pipeline, body)
    assert prepared.body == body.replace(LONG.encode(), SHORT.encode())
    assert (prepared.model, prepared.route.upstream, prepared.decoded) == ("gpt-4o", "main", False)
    assert not prepared.stream
    assert not prepared.usage_added


async def test_a_bypass_counts_and_changes_nothing(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    body = chat(LONG, model="asked", stream=True)
    prepared = await prepare(pipeline, body, {"x-tersely-bypass": "true", "x-tersely-rate": "0.1"})
    assert prepared.body is body
    assert (prepared.stream, prepared.usage_added) == (True, False)
    report = prepared.report
    assert (report.treatment, report.policy, report.tokens_sent) == (Treatment.BYPASSED, "half", 8)
    assert "x-tersely-bypass" in report.parts[0].reason
    assert compressor.calls == []


async def test_control_headers_choose_policy_and_rate(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    headers = {"x-tersely-policy": "cap", "x-tersely-rate": "0.3"}
    prepared = await prepare(pipeline, chat(LONG), headers)
    assert prepared.report.policy == "cap"
    assert (compressor.calls[0][1].rate, compressor.calls[0][1].target_tokens) == (0.3, None)


async def test_a_bad_control_header_is_refused_even_with_a_bad_body(pipeline: Pipeline) -> None:
    with pytest.raises(RequestRefused, match="no policy 'x'"):
        await prepare(pipeline, b"{", {"x-tersely-policy": "x"})


async def test_a_request_that_no_route_takes_is_refused_with_what_was_looked_at(
    pipeline: Pipeline,
) -> None:
    with pytest.raises(RequestRefused) as caught:
        await prepare(pipeline, chat(LONG, model="claude-x"))
    assert (caught.value.status, caught.value.code) == (404, "no_route")
    for fact in ("'claude-x'", f"'{PATH}'", "'t-1'", "headers"):
        assert fact in caught.value.message


def test_routes_look_at_tenant_and_headers(pipeline: Pipeline) -> None:
    closed = pipeline.route(path="/v1/models", headers={}, tenant="closed")
    by_header = pipeline.route(path="/v1/models", headers={"x-team": "a"}, tenant="t-1")
    assert closed.policy == by_header.policy == "none"


async def test_a_stream_asks_for_usage_where_the_upstream_does(pipeline: Pipeline) -> None:
    body = chat(LONG, model="asked-x", stream=True)
    prepared = await prepare(pipeline, body)
    sent = json.loads(prepared.body)
    assert prepared.usage_added
    assert sent.pop("stream_options") == {"include_usage": True}
    assert sent == {**json.loads(body), "messages": [{"role": "user", "content": SHORT}]}


async def test_a_stream_that_asks_itself_is_left_as_it_is(pipeline: Pipeline) -> None:
    for answer in (True, False):
        body = chat("x", model="asked", stream=True, stream_options={"include_usage": answer})
        prepared = await prepare(pipeline, body)
        assert prepared.body is body
        assert not prepared.usage_added


async def test_an_observed_upstream_is_not_asked(pipeline: Pipeline) -> None:
    body = chat("x", stream=True)
    prepared = await prepare(pipeline, body)
    assert prepared.body is body
    assert prepared.stream


async def test_shadow_and_off_still_ask_for_usage(compressor: FakeCompressor) -> None:
    for policy in ("watch", "none"):
        pipeline = Pipeline(config(policy), compressor, FakeTokenizers())
        prepared = await prepare(pipeline, chat(LONG, model="asked", stream=True))
        assert prepared.usage_added
        assert LONG in json.loads(prepared.body)["messages"][0]["content"]


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("coding", ENCODERS)
async def test_an_encoded_body_goes_on_plain_when_it_changes(
    pipeline: Pipeline, coding: str
) -> None:
    plain = chat(LONG)
    prepared = await prepare(pipeline, ENCODERS[coding](plain), {"content-encoding": coding})
    assert prepared.decoded
    assert prepared.body == plain.replace(LONG.encode(), SHORT.encode())


@pytest.mark.parametrize("coding", ENCODERS)
async def test_an_encoded_body_goes_on_encoded_when_it_does_not(
    pipeline: Pipeline, coding: str
) -> None:
    body = ENCODERS[coding](chat("short"))
    prepared = await prepare(pipeline, body, {"content-encoding": coding})
    assert prepared.body is body
    assert not prepared.decoded
    assert prepared.report.treatment is Treatment.UNCHANGED


UNREADABLE = {
    "cut short": (chat(LONG)[:-1], {}, "not valid JSON"),
    "NaN": (chat(LONG, temperature=float("nan")), {}, "not valid JSON"),
    "two messages": (chat(LONG)[:-1] + b',"messages":[]}', {}, "names 'messages' twice"),
    "Latin-1": (chat(LONG)[:-1] + b',"user":"\xe9"}', {}, "not valid UTF-8"),
    "deep": (chat(LONG)[:-1] + b',"x":' + b"[" * 10**5 + b"]" * 10**5 + b"}", {}, "too deep"),
    "array": (b"[" + chat(LONG) + b"]", {}, "not a JSON object"),
    "empty": (b"", {}, "not valid JSON"),
    "form": (b"model=gpt-4o", {}, "not valid JSON"),
    "not gzip": (chat(LONG), {"content-encoding": "gzip"}, "not valid gzip"),
    "brotli": (chat(LONG), {"content-encoding": "br"}, "'br' is not known"),
    "stacked": (chat(LONG), {"content-encoding": "gzip, zstd"}, "stacked"),
    "bomb": (gzip.compress(bytes(10**6)), {"content-encoding": "gzip"}, "max_parse_bytes=500000"),
    "large": (chat(LONG + " " * 500_000), {}, "max_parse_bytes=500000"),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_body_that_cannot_be_read_goes_on_untouched_with_a_note(
    compressor: FakeCompressor, name: str
) -> None:
    body, headers, note = UNREADABLE[name]
    server = ServerConfig(max_parse_bytes=500_000)
    routes = (*config().routes, Route(policy="half", upstream="asks"))
    open_config = config(server=server).model_copy(update={"routes": routes})
    prepared = await prepare(Pipeline(open_config, compressor, FakeTokenizers()), body, headers)
    assert prepared.body is body
    assert not prepared.decoded
    report = prepared.report
    assert (report.treatment, report.policy, report.parts) == (Treatment.PASSED, "half", ())
    assert note in (report.note or "")
    assert compressor.calls == []


async def test_an_unread_body_that_names_its_model_takes_that_models_route(
    pipeline: Pipeline,
) -> None:
    prepared = await prepare(pipeline, chat(LONG, x=float("nan")))
    assert (prepared.model, prepared.route.upstream) == ("gpt-4o", "main")


async def test_no_route_for_an_unread_body_says_that_it_is_unread(pipeline: Pipeline) -> None:
    with pytest.raises(RequestRefused, match=r"model ''.*not valid JSON"):
        await prepare(pipeline, b"{")


async def test_another_path_is_passed_on(pipeline: Pipeline) -> None:
    body = chat(LONG)
    prepared = await prepare(pipeline, body, path="/v1/other")
    assert prepared.body is body
    assert prepared.model == "gpt-4o"
    assert prepared.report.treatment is Treatment.PASSED


async def test_a_broken_promise_of_the_compressor_reaches_the_boundary(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    compressor.raises = RuntimeError("bug")
    with pytest.raises(ExceptionGroup):
        await prepare(pipeline, chat(LONG, LONG + " 1"))


@pytest.mark.parametrize("coding", ["", *ENCODERS])
def test_untouched_serves_where_prepare_has_failed(pipeline: Pipeline, coding: str) -> None:
    body = ENCODERS.get(coding, bytes)(chat(LONG, model="asked"))
    headers = {"content-encoding": coding}
    prepared = pipeline.untouched(
        path=PATH, headers=headers, tenant="t-1", body=body, note="it broke"
    )
    assert prepared.body is body
    assert (prepared.model, prepared.route.upstream) == ("asked", "asks")
    assert (prepared.report.treatment, prepared.report.note) == (Treatment.PASSED, "it broke")


async def test_a_tokenizer_that_is_an_estimate_is_marked(pipeline: Pipeline) -> None:
    assert (await prepare(pipeline, chat(LONG, model="gpt-new"))).report.tokens_estimated


@pytest.mark.parametrize(
    ("model", "rate"),
    [
        ("gpt-small", 0.5),  # 8 tokens into 4, by the config
        ("gpt-table", 0.75),  # 8 tokens into 6, by the table
        ("gpt-large", None),
        ("gpt-unknown", None),
    ],
)
async def test_fit_context_takes_the_window_from_config_then_table(
    compressor: FakeCompressor, model: str, rate: float | None
) -> None:
    windows = CompressorConfig(context_windows={"gpt-small": 14, "gpt-large": 10_000})
    table = {"gpt-small": 10_000, "gpt-table": 16}
    pipeline = Pipeline(
        config("fit", compressor=windows), compressor, FakeTokenizers(), context_window=table.get
    )
    await prepare(pipeline, chat(LONG, model=model, max_tokens=10))
    assert [call[1].rate for call in compressor.calls] == ([] if rate is None else [rate])


async def test_a_large_body_is_read_and_spliced(pipeline: Pipeline) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "QUJD" * 50_000}}
    body = chat([{"type": "text", "text": LONG}, image])
    prepared = await prepare(pipeline, body)
    assert prepared.body == body.replace(LONG.encode(), SHORT.encode())


async def test_special_tokens_and_surrogates_are_text(pipeline: Pipeline) -> None:
    text = "<|endoftext|> \ud800 two é four five"
    prepared = await prepare(pipeline, chat(text))
    content = json.loads(prepared.body)["messages"][0]["content"]
    assert content == "<|endoftext|> two four"
    text = "\ud800 x é y <|im_start|> z"
    prepared = await prepare(pipeline, chat(text))
    assert rb"\ud800 \u00e9 <|im_start|>" in prepared.body


@given(
    body=json_bodies.bodies(),
    mode=st.sampled_from([Mode.ON, Mode.SHADOW]),
    headers=st.sampled_from([{}, {"x-tersely-bypass": "1"}]),
)
@settings(deadline=None, max_examples=150)
def test_any_body_is_sent_with_only_chosen_texts_changed(
    body: bytes, mode: Mode, headers: dict[str, str]
) -> None:
    roles = frozenset({Role.USER, Role.ASSISTANT})
    policy = Policy(name="half", mode=mode, rate=0.5, min_tokens=2, roles=roles)
    all_on = config().model_copy(update={"policies": {**POLICIES, "half": policy}})
    pipeline = Pipeline(all_on, FakeCompressor(), FakeTokenizers())
    prepared = asyncio.run(prepare(pipeline, body, headers))
    if headers or mode is Mode.SHADOW:
        assert prepared.body is body
        return
    expected = json_bodies.loads(body)
    for message in expected["messages"]:
        if isinstance(message, dict) and message.get("role") in ("user", "assistant"):
            _shorten(message, "content")
    # Whatever the compressor leaves side by side: two lone surrogates are one character in JSON.
    assert json_bodies.loads(prepared.body) == json.loads(json.dumps(expected))
    assert prepared.report.tokens_before - prepared.report.tokens_sent == sum(
        part.tokens_before - part.tokens_after for part in prepared.report.parts
    )
    assert (prepared.body is body) == (prepared.report.tokens_sent == prepared.report.tokens_before)


def _shorten(holder: dict[str, Any], name: str) -> None:
    value = holder.get(name)
    if isinstance(value, str) and len(value.split()) >= 2:
        holder[name] = every_second_word(value)[0]
    elif isinstance(value, list) and name == "content":
        for part in value:
            if isinstance(part, dict) and part.get("type") == "text":
                _shorten(part, "text")
