"""Where `via: litellm` connects to, and whom it trusts: what the config says, whoever the provider.

litellm makes its HTTP clients in several places, so each of these goes to one that is made in
another.
"""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import ProxyServer
from tests.integration.fake_upstream import Connection, FakeUpstream, Received
from tests.integration.providers import litellm_proxy
from tests.integration.test_failures import own_error, self_signed
from tests.integration.test_litellm import post

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
EACH_CLIENT = pytest.mark.parametrize(
    ("model", "target"),
    [
        ("anthropic/{model}", CHAT),
        ("azure/{model}", CHAT),
        ("bedrock/amazon.nova-lite-v1:0", CHAT),
        ("gemini/{model}", CHAT),
        ("huggingface/{model}", CHAT),
        ("mistral/{model}", CHAT),
        ("ollama/{model}", CHAT),
        ("openai/{model}", CHAT),
        ("databricks/{model}", CHAT),
        ("openai/{model}", TEXT),
    ],
)
STREAMED = pytest.mark.parametrize("stream", [False, True])
PARAMS = {"aws_region_name": "eu-central-1", "api_version": "2024-10-21"}


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream) -> Any:
    return partial(litellm_proxy, proxy_server, upstream, params=PARAMS)


@EACH_CLIENT
@STREAMED
async def test_certificates_are_verified_whatever_the_environment_says(
    start: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    model: str,
    target: str,
    stream: bool,
) -> None:
    monkeypatch.setenv("SSL_VERIFY", "False")
    secure = FakeUpstream()
    await secure.start(ssl=self_signed(tmp_path))
    root = secure.base_url.removesuffix("/v1").replace("http:", "https:")
    answer = await ask_for(start(model, base_url=root), target, stream)
    own_error(answer, 502, "upstream_unreachable")
    assert secure.received == []
    await secure.close()


@EACH_CLIENT
@STREAMED
async def test_no_proxy_of_the_environment_is_used(
    start: Any,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    target: str,
    stream: bool,
) -> None:
    other = FakeUpstream()
    await other.start()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other.base_url.removesuffix("/v1"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    own_error(await ask_for(start(model, drop), target, stream), 502, "upstream_disconnected")
    assert (len(upstream.received), other.received) == (1, [])
    await other.close()


@EACH_CLIENT
@STREAMED
async def test_a_redirect_is_not_followed(
    start: Any, upstream: FakeUpstream, model: str, target: str, stream: bool
) -> None:
    other = FakeUpstream()
    await other.start()

    async def elsewhere(request: Received, connection: Connection) -> None:
        await connection.answer(307, b"", [("Location", f"{other.base_url}/messages")])

    answer = await ask_for(start(model, elsewhere), target, stream)
    own_error(answer, 502, "upstream_protocol_error")
    assert (len(upstream.received), other.received) == (1, [])
    await other.close()


async def drop(request: Received, connection: Connection) -> None:
    connection.drop()


async def ask_for(proxy: Any, target: str, stream: bool) -> Any:
    members: dict[str, Any] = {"model": "gpt-4o", "stream": stream}
    if target == TEXT:
        members |= {"messages": None, "prompt": "Hi."}
    return await post(proxy, target, **members)
