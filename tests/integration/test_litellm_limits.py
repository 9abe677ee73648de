"""What a client cannot make `via: litellm` do."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from tests.integration.conftest import ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received
from tests.integration.providers import anthropic, anthropic_error, litellm_proxy
from tests.integration.raw_client import ask, chat
from tests.integration.test_failures import own_error
from tests.integration.test_litellm import BODY, post

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream) -> Any:
    return partial(litellm_proxy, proxy_server, upstream)


REDIRECTS: list[dict[str, Any]] = [
    {"api_base": "URL"},
    {"base_url": "URL"},
    {"api_key": "sk-other"},
    {"custom_llm_provider": "openai"},
    {"extra_headers": {"x-api-key": "k"}},
    {"extra_body": {"a": 1}},
    {"fallbacks": ["openai/gpt-4o"]},
    {"model_list": [{}]},
    {"mock_response": "made up"},
    {"callbacks": ["langfuse"]},
    {"litellm_metadata": {}},
    {"timeout": 1},
    {"num_retries": 3},
    {"aws_region_name": "x"},
    {"_skip_mcp_handler": False},
    {"anything": 1},
]


@pytest.mark.parametrize("extra", REDIRECTS, ids=lambda extra: next(iter(extra)))
async def test_a_body_cannot_say_where_it_goes(
    start: Any, upstream: FakeUpstream, extra: dict[str, Any]
) -> None:
    other = FakeUpstream()
    await other.start()
    answer = await post(
        start(), **{k: other.base_url if v == "URL" else v for k, v in extra.items()}
    )
    error = own_error(answer, 400, "unknown_parameter")
    assert error["param"] == next(iter(extra))
    assert (other.received, upstream.received) == ([], [])
    await other.close()


@pytest.mark.parametrize(
    "extra",
    [
        {"tools": [{"type": "mcp", "server_label": "x", "server_url": "URL"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "URL"}]}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "URL/x.png"}}],
                }
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "URL"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": "URL"}]}]},
    ],
    ids=["mcp", "image", "image_url", "file", "video"],
)
async def test_a_body_cannot_make_the_proxy_fetch(
    start: Any, upstream: FakeUpstream, extra: dict[str, Any]
) -> None:
    other = FakeUpstream()
    await other.start()
    body = json.dumps(BODY | extra).replace("URL", other.base_url).encode()
    own_error(await chat(start(), body), 400, "unsupported_value")
    assert (other.received, upstream.received) == ([], [])
    await other.close()


@pytest.mark.parametrize("model", ["anthropic/{model}", "gemini/{model}", "mistral/{model}"])
async def test_a_custom_tool_is_refused_where_it_would_be_left_out(
    start: Any, upstream: FakeUpstream, model: str
) -> None:
    tools = [{"type": "custom", "custom": {"name": "f", "description": "d"}}]
    error = own_error(await post(start(model), tools=tools), 400, "unsupported_value")
    assert error["param"] == "tools"
    assert upstream.received == []


async def test_an_image_in_the_body_goes_on(start: Any, upstream: FakeUpstream) -> None:
    url = "data:image/png;base64,aGk="
    content = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}]
    assert (await post(start(), messages=[{"role": "user", "content": content}])).status == 200
    source = upstream.received[0].json["messages"][0]["content"][1]["source"]
    assert source == {"type": "base64", "media_type": "image/png", "data": "aGk="}


@pytest.mark.parametrize("model", ["../x", "a//b", "http://x", "a b", "x?y=1", "a\n", "..", "x#"])
async def test_a_model_cannot_be_part_of_another_address(
    start: Any, upstream: FakeUpstream, model: str
) -> None:
    own_error(await post(start("gemini/{model}"), model=model), 404, "model_not_found")
    own_error(await post(start(), model=""), 400, "missing_required_parameter")
    assert upstream.received == []


async def test_only_listed_models_are_there(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    upstream.handler = anthropic
    config = UpstreamConfig(
        via="litellm",
        base_url=upstream.base_url.removesuffix("/v1"),
        models={"fast": "anthropic/claude-haiku", "claude-*": "anthropic/{model}"},
    )
    proxy = proxy_server(
        upstreams={"p": config}, routes=[Route(match=Match(), policy="half", upstream="p")]
    )
    assert (await post(proxy, model="fast")).status == 200
    assert upstream.received[0].json["model"] == "claude-haiku"
    own_error(await post(proxy, model="openai/gpt-4o"), 404, "model_not_found")
    listed = json.loads((await ask(proxy, "GET", "/v1/models")).body)
    assert [model["id"] for model in listed["data"]] == ["fast"]
    own_error(await ask(proxy, "POST", "/v1/images/generations", JSON, b"{}"), 404, "unknown_url")
    own_error(await ask(proxy, "GET", "/v1/files"), 404, "unknown_url")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"m"}', b"\xff"])
async def test_bodies_that_are_none(start: Any, upstream: FakeUpstream, body: bytes) -> None:
    answer = await chat(start(), body)
    assert answer.status in (400, 404)
    assert "error" in json.loads(answer.body)
    assert upstream.received == []


async def test_nothing_is_looked_up_in_the_environment(
    start: Any, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FakeUpstream()
    await other.start()
    for provider in ("ANTHROPIC", "OLLAMA"):
        monkeypatch.setenv(f"{provider}_API_KEY", "sk-environment")
        monkeypatch.setenv(f"{provider}_API_BASE", other.base_url)
    assert (await post(start())).status == 200
    assert upstream.received[0].value("x-api-key") == "none"
    for key in ("os.environ/ANTHROPIC_API_KEY", "oidc/env/ANTHROPIC_API_KEY"):
        answer = await chat(
            start(), json.dumps(BODY).encode(), [("Authorization", f"Bearer {key}")]
        )
        own_error(answer, 401, "invalid_api_key")
    assert b"sk-environment" not in b"".join(str(r.headers).encode() for r in upstream.received)
    assert other.received == []
    await other.close()


async def test_our_own_key_and_no_trace_of_it(start: Any, upstream: FakeUpstream) -> None:
    key = "sk-ant-very-secret"

    async def echo(request: Received, connection: Connection) -> None:
        text = f"key {request.value('x-api-key')} is not known"
        await anthropic_error(401, "authentication_error", text)(request, connection)

    proxy = start(handler=echo, api_key=SecretStr(key))
    answer = await chat(proxy, json.dumps(BODY).encode(), [("Authorization", "Bearer sk-c")])
    assert answer.status == 401
    assert upstream.received[0].values("x-api-key") == [key]
    assert key not in answer.body.decode()
    assert "is not known" in json.loads(answer.body)["error"]["message"]
    assert "sk-c" not in str(upstream.received[0].headers)


def test_nothing_is_imported_that_is_not_configured() -> None:
    code = (
        "import sys; from proxy.upstreams import Upstreams\n"
        "from proxy.config_upstream import UpstreamConfig\n"
        "Upstreams({'a': UpstreamConfig(base_url='http://x/v1')})\n"
        "assert 'proxy.app' not in sys.modules; import proxy.app\n"
        "print([n for n in sys.modules if n.partition('.')[0] in ('litellm', 'openai', 'httpx')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("auth", "key", "sent"),
    [
        (None, None, "Bearer none"),
        (None, "sk-client", "Bearer sk-client"),
        ("none", "sk-client", "AWS4-HMAC-SHA256 Credential=AKIATEST/"),
    ],
)
async def test_the_machines_identity_is_lent_only_where_the_config_says_so(
    start: Any,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    auth: str | None,
    key: str | None,
    sent: str,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    async def converse(request: Received, connection: Connection) -> None:
        message = {"role": "assistant", "content": [{"text": "Hi"}]}
        usage = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
        body = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
        await connection.answer(
            200, json.dumps(body | {"metrics": {"latencyMs": 1}}).encode(), JSON
        )

    params = {"aws_region_name": "eu-central-1"}
    proxy = start("bedrock/amazon.nova-lite-v1:0", converse, params=params, auth=auth)
    headers = [("Authorization", f"Bearer {key}")] if key else []
    assert (await chat(proxy, json.dumps(BODY).encode(), headers)).status == 200
    assert (upstream.received[0].value("authorization") or "").startswith(sent)


async def test_a_body_too_large_to_read_is_refused(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    config = UpstreamConfig(via="litellm", models={"*": "anthropic/x"})
    proxy = proxy_server(
        server={"max_parse_bytes": 1024},
        upstreams={"p": config},
        routes=[Route(policy="half", upstream="p")],
    )
    big = b'{"model":"m","messages":"' + b"x" * 2000 + b'"}'
    own_error(await chat(proxy, big), 413, "request_too_large")


async def test_a_redirect_is_not_followed(start: Any, upstream: FakeUpstream) -> None:
    other = FakeUpstream()
    await other.start()

    async def elsewhere(request: Received, connection: Connection) -> None:
        await connection.answer(307, b"", [("Location", f"{other.base_url}/messages")])

    own_error(await post(start(handler=elsewhere)), 502, "upstream_protocol_error")
    assert (len(upstream.received), other.received) == (1, [])
    await other.close()


def test_loading_fetches_nothing_and_reads_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_A_FILE=1")
    code = (
        "import os, socket\n"
        "def refuse(*_, **__): raise SystemExit('something was looked up')\n"
        "socket.getaddrinfo = socket.socket.connect = refuse\n"
        "from proxy.litellm_library import library\n"
        "assert library() is library()\n"
        "assert library().litellm.get_secret('PATH') == ''\n"
        "print(os.environ.get('FROM_A_FILE'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("None", "")
