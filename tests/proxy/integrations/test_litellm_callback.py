"""The LiteLLM callback's hooks, called as the LiteLLM proxy calls them."""

import copy
import json
from types import SimpleNamespace
from typing import Any

import pytest

from compressor.deadline import DeadlineCompressor
from compressor.types import Failure
from proxy.integrations.litellm_callback import STATUS_FIELD, TerselyCallback
from tests.fakes import FakeCompressor, FakeTokenizers, every_second_word

LONG = " ".join(f"w{number}" for number in range(40))
HALF = every_second_word(LONG)[0]
POLICIES = {"half": {"rate": 0.5, "min_tokens": 8}}


@pytest.fixture
def compressor() -> FakeCompressor:
    return FakeCompressor()


@pytest.fixture
def callback(compressor: FakeCompressor) -> TerselyCallback:
    return TerselyCallback(
        POLICIES, default="half", compressor=compressor, tokenizers=FakeTokenizers()
    )


def key(**fields: Any) -> SimpleNamespace:
    """What LiteLLM knows of a key (its UserAPIKeyAuth needs litellm[proxy])."""
    nothing: dict[str, Any] = {"metadata": {}, "team_metadata": None, "team_id": None}
    return SimpleNamespace(**nothing | {"token": "hash"} | fields)


def request(**fields: Any) -> dict[str, Any]:
    return {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": LONG},
            {"role": "user", "content": [{"type": "text", "text": LONG}, {"type": "image_url"}]},
        ],
        "logging_obj": object(),
        **fields,
    }


ASKING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "header": ({}, {"proxy_server_request": {"headers": {"X-Tersely-Policy": "half"}}}),
    "metadata": ({}, {"metadata": {"tersely": "half"}}),
    "litellm_metadata": ({}, {"litellm_metadata": {"tersely": "half"}}),
    "key": ({"metadata": {"tersely": "half"}}, {}),
    "team": ({"team_metadata": {"tersely": True}}, {}),
}


@pytest.mark.parametrize("who", ASKING)
async def test_opting_in(callback: TerselyCallback, who: str) -> None:
    of_key, of_request = ASKING[who]
    data = request(**of_request)
    given = copy.copy(data), json.dumps(data["messages"])
    sent = await callback.async_pre_call_hook(key(**of_key), None, data, "acompletion")
    assert sent is not None
    assert sent["messages"][0]["content"] == LONG
    assert sent["messages"][1]["content"] == [{"type": "text", "text": HALF}, {"type": "image_url"}]
    assert sent["logging_obj"] is data["logging_obj"]
    assert (data, json.dumps(data["messages"])) == given
    headers = await callback.async_post_call_response_headers_hook(sent, key(), None)
    assert headers == {
        "x-tersely-outcome": "compressed",
        "x-tersely-policy": "half",
        "x-tersely-tokens-before": "80",
        "x-tersely-tokens-after": "60",
    }


@pytest.mark.parametrize(
    ("of_key", "of_request"),
    [
        ({}, {}),
        ({"metadata": {"tersely": False}, "team_metadata": {"tersely": "half"}}, {}),
        ({"metadata": {"tersely": "half"}}, {"metadata": {"tersely": "off"}}),
        ({"metadata": {"tersely": "half"}}, {"metadata": {"tersely": False}}),
    ],
)
async def test_not_asked_or_asked_not_to(
    callback: TerselyCallback,
    compressor: FakeCompressor,
    of_key: dict[str, Any],
    of_request: dict[str, Any],
) -> None:
    data = request(**of_request)
    assert await callback.async_pre_call_hook(key(**of_key), None, data, "acompletion") is None
    assert await callback.async_post_call_response_headers_hook(data, key(), None) is None
    assert compressor.calls == []


async def test_everyone(compressor: FakeCompressor) -> None:
    callback = TerselyCallback(
        POLICIES, everyone="half", compressor=compressor, tokenizers=FakeTokenizers()
    )
    assert await callback.async_pre_call_hook(key(), None, request(), "acompletion")
    assert await callback.async_pre_call_hook(key(), None, request(), "aembedding") is None
    assert compressor.texts == [LONG]


async def test_each_team_or_key_has_a_cache_of_its_own(
    callback: TerselyCallback, compressor: FakeCompressor
) -> None:
    for who in (key(), key(token="other"), key(team_id="red"), key(token=None)):
        await callback.async_pre_call_hook(
            who, None, request(metadata={"tersely": True}), "completion"
        )
    assert [tenant for _, _, tenant, _ in compressor.calls] == [
        "key:hash",
        "key:other",
        "team:red",
        "anonymous",
    ]


async def test_the_same_history_gives_the_same_prefix(callback: TerselyCallback) -> None:
    first = request(metadata={"tersely": "half"})
    second = request(metadata={"tersely": "half"})
    second["messages"] += [
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": LONG},
    ]
    sent = [
        await callback.async_pre_call_hook(key(), None, data, "acompletion")
        for data in (first, second)
    ]
    assert sent[0] is not None
    assert sent[1] is not None
    assert sent[1]["messages"][:2] == sent[0]["messages"]


async def test_an_unknown_policy_is_told_and_costs_nothing(callback: TerselyCallback) -> None:
    data = request(metadata={"tersely": "hlaf"})
    sent = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert sent is not None
    assert sent["messages"] is data["messages"]
    assert "'hlaf'" in sent["metadata"][STATUS_FIELD]["reason"]
    headers = await callback.async_post_call_response_headers_hook(sent, key(), None)
    assert headers == {"x-tersely-outcome": "refused"}


@pytest.mark.parametrize("trouble", ["failure", "raises", "not json"])
async def test_failing_open(
    callback: TerselyCallback,
    compressor: FakeCompressor,
    trouble: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = request(metadata={"tersely": "half"})
    if trouble == "failure":
        compressor.failure = Failure.DEADLINE
    elif trouble == "raises":
        compressor.raises = RuntimeError(LONG)
    else:
        data["messages"][1]["content"][1]["image_url"] = object()
    sent = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert sent is not None
    assert sent["messages"] == data["messages"]
    assert sent["metadata"][STATUS_FIELD]["outcome"] == "failed_open"
    assert "reason" in sent["metadata"][STATUS_FIELD]
    assert "w17" not in caplog.text


def test_bad_options_fail_at_the_start() -> None:
    with pytest.raises(ValueError, match="no policy 'x'"):
        TerselyCallback(default="x")
    with pytest.raises(ValueError, match="exactly one"):
        TerselyCallback({"mine": {}})
    for size in (0, True, "8k"):
        with pytest.raises(ValueError, match="'gpt-\\*' needs a number of tokens"):
            TerselyCallback(context_windows={"gpt-*": size})  # type: ignore[dict-item] # the point


async def test_the_classifier_is_loaded_before_the_first_request() -> None:
    callback = TerselyCallback(POLICIES, default="half", everyone="half")
    data = request(messages=[{"role": "user", "content": "The old harbour was quiet. " * 20}])
    sent = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert sent is not None
    assert sent["metadata"][STATUS_FIELD]["outcome"] in ("compressed", "failed_open")
    assert isinstance(callback._compressor, DeadlineCompressor)
    await callback._compressor.start()  # waits for what was begun
    again = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert again is not None
    assert again["metadata"][STATUS_FIELD]["outcome"] == "compressed"
    await callback._compressor.close()


async def test_descriptions_of_tools_where_the_policy_says_so(compressor: FakeCompressor) -> None:
    callback = TerselyCallback(
        {"tools": {"rate": 0.5, "min_tokens": 99, "tool_descriptions": 8}},
        everyone="tools",
        compressor=compressor,
        tokenizers=FakeTokenizers(),
    )
    schema = {"type": "object", "properties": {"a": {"description": LONG, "enum": [LONG]}}}
    tools = [{"type": "function", "function": {"name": LONG, "description": LONG}}]
    tools[0]["function"]["parameters"] = schema  # type: ignore[index]
    data = request(tools=tools)
    given = json.dumps(tools)
    sent = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert sent is not None
    described = f'"description": "{LONG}"'
    assert json.dumps(sent["tools"]) == given.replace(described, described.replace(LONG, HALF))
    assert json.dumps(tools) == given
    assert sent["messages"] == data["messages"]


@pytest.mark.parametrize(
    ("model", "answer", "rates"),
    [("gpt-small", {"max_tokens": 10}, [0.6]), ("gpt-small", {}, [0.85]), ("unknown", {}, [])],
)
async def test_fit_context_by_the_windows_that_it_was_given(
    compressor: FakeCompressor, model: str, answer: dict[str, int], rates: list[float]
) -> None:
    callback = TerselyCallback(
        {"fits": {"rate": 0.5, "min_tokens": 8, "fit_context": True}},
        everyone="fits",
        context_windows={"gpt-*": 35},
        compressor=compressor,
        tokenizers=FakeTokenizers(),
    )
    data = request(model=model, messages=[{"role": "user", "content": LONG}], **answer)
    sent = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert sent is not None
    assert [settings.rate for _, settings, _, _ in compressor.calls] == rates


async def test_a_prompt_with_a_suffix_is_left_alone(
    callback: TerselyCallback, compressor: FakeCompressor
) -> None:
    data = {"model": "m", "prompt": LONG, "suffix": "k", "metadata": {"tersely": "half"}}
    sent = await callback.async_pre_call_hook(key(), None, data, "atext_completion")
    assert sent is not None
    assert (sent["prompt"], compressor.calls) == (LONG, [])
    assert "suffix" in sent["metadata"][STATUS_FIELD]["reason"]


def test_tokens_are_counted_by_the_encodings_that_it_was_given() -> None:
    callback = TerselyCallback(encodings={"mine": "cl100k_base"}, compressor=FakeCompressor())
    assert callback._counter._tokenizers.for_model("mine").encoding == "cl100k_base"


async def test_a_body_that_cannot_be_read_passes(callback: TerselyCallback) -> None:
    data = request(metadata={"tersely": "half"}, messages="hi")
    sent = await callback.async_pre_call_hook(key(), None, data, "acompletion")
    assert sent is None or sent["messages"] == "hi"


async def test_a_question_aware_policy_hears_the_question(compressor: FakeCompressor) -> None:
    callback = TerselyCallback(
        {"asks": {"rate": 0.5, "min_tokens": 8, "question_aware": True}},
        everyone="asks",
        compressor=compressor,
        tokenizers=FakeTokenizers(),
    )
    messages = [{"role": "user", "content": f"{LONG}.\n\nWho built the lighthouse?"}]
    await callback.async_pre_call_hook(key(), None, request(messages=messages), "acompletion")
    [(_, settings, _, _)] = compressor.calls
    assert "Who built the lighthouse?" in (settings.question or "")


@pytest.mark.parametrize(
    ("call_type", "field", "value"),
    [
        ("aresponses", "input", LONG),
        ("atext_completion", "prompt", LONG),
        ("anthropic_messages", "messages", [{"role": "user", "content": LONG}]),
    ],
)
async def test_the_other_apis(
    callback: TerselyCallback, call_type: str, field: str, value: object
) -> None:
    data = {"model": "gpt-4o", field: value, "litellm_metadata": {"tersely": "half"}}
    sent = await callback.async_pre_call_hook(key(), None, data, call_type)
    assert sent is not None
    assert json.dumps(sent[field]) == json.dumps(value).replace(LONG, HALF)
    assert sent["litellm_metadata"][STATUS_FIELD]["outcome"] == "compressed"
