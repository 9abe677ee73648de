from pathlib import Path

import pytest
import typer

from compressor.evaluation.ask import Ask, AskRefused, Prompt
from proxy.commands.model_endpoint import ModelEndpoint, endpoint_at
from proxy.config_upstream import UpstreamConfig, Via
from tests.proxy.commands.scripted_endpoint import Endpoint


def test_a_provider_is_asked_through_litellm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = Endpoint()
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    provider.script = [(200, {}, {**answer, "choices": [choice]})]
    config = UpstreamConfig(via=Via.LITELLM, base_url=provider.url, models={"*": "openai/small"})
    endpoint = ModelEndpoint(config, None, 1, False, 1.0, 1.0)

    async def work(ask: Ask) -> str:
        return (await ask(Prompt("openai/small", "shorten", 5))).text

    try:
        assert endpoint.run(tmp_path / "replies.jsonl", work) == "a"
    finally:
        provider.close()
    assert provider.bodies[0]["model"] == "small"
    assert provider.bodies[0]["messages"] == [{"role": "user", "content": "shorten"}]
    assert "3 prompt and 1 completion tokens" in capsys.readouterr().err


def test_what_litellm_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    config = UpstreamConfig(via=Via.LITELLM, models={"known": "openai/small"})

    async def work(ask: Ask) -> None:
        await ask(Prompt("unknown", "shorten", 5))

    with pytest.raises(AskRefused, match="unknown"):
        ModelEndpoint(config, None, 1, False, None, None).run(tmp_path / "r.jsonl", work)


def test_an_address_or_else_a_provider() -> None:
    at = endpoint_at("http://127.0.0.1:9/v1", None, 1, False, None, None, model="anything")
    assert at.config.where == "http://127.0.0.1:9/v1"
    through = endpoint_at(None, None, 1, False, None, None, model="anthropic/claude-x")
    assert through.config.where == "anthropic/claude-x through litellm"
    patient = endpoint_at("http://127.0.0.1:9/v1", None, 1, False, None, None, timeout=7, tries=2)
    assert (patient.config.read_timeout_seconds, patient.tries) == (7, 2)
    asked = endpoint_at(None, None, 1, False, None, None, model="anthropic/x", timeout=7)
    assert (asked.config.read_timeout_seconds, asked.tries) == (7, 5)
    with pytest.raises(typer.BadParameter):
        endpoint_at(None, None, 1, False, None, None, model="gpt-4o")


@pytest.mark.parametrize(
    ("base_url", "fault"),
    [
        ("api.openai.com/v1", "'api.openai.com/v1' is not of the right form. Its base URL, as"),
        ("http:///v1", "has no host; a base URL is like"),
    ],
)
def test_an_address_that_is_none_is_refused_in_words(base_url: str, fault: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        endpoint_at(base_url, None, 1, False, None, None, model="m")
    assert refused.value.message.startswith(fault)
