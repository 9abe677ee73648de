"""The examples and versions in docs/clients.md."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from anthropic import Anthropic
from openai import OpenAI

from proxy.access import digest_of, new_key
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Received,
    well_behaved,
)
from tests.integration.node_clients import FOLDER, NEEDS_NODE
from tests.integration.providers import anthropic
from tests.integration.sdk_clients import HALF, LONG, records
from tests.integration.test_openai_responses import stream_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(python|js)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = [code for kind, code in BLOCKS if kind == "python"]
JAVASCRIPT = [code for kind, code in BLOCKS if kind == "js"]
KEY = new_key()


async def any_provider(request: Received, connection: Connection) -> None:
    """Answer as the API that was asked would."""
    if request.target == "/v1/messages":
        await anthropic(request, connection)
    elif request.target == "/v1/responses":
        await connection.begin_stream()
        await connection.chunk(b"".join(stream_of("Hello.")))
        await connection.last_chunk()
    else:
        await well_behaved(request, connection)


def made_ready(code: str, proxy: Proxy) -> str:
    code = code.replace("http://127.0.0.1:8400", proxy.root).replace("<a long document>", LONG)
    return code.replace("tsly_...", KEY)


def run(code: str) -> None:
    """Run an example, and close its clients: their sockets would else be some later test's."""
    names: dict[str, object] = {}
    exec(compile(code, "clients.md", "exec"), names)
    for value in names.values():
        if isinstance(value, OpenAI | Anthropic):
            value.close()


def proxy_for(code: str, proxy_server: ProxyServer) -> Proxy:
    if "tsly_" not in code:
        return proxy_server()
    access = {"keys": {"a": {"sha256": digest_of(KEY), "tenant": "team"}}}
    passed = "x-tersely-key" in code
    return proxy_server(access=access, upstream_options={} if passed else {"api_key": "sk-ours"})


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.setenv(name, "sk-own")


def assert_shortened(upstream: FakeUpstream) -> None:
    for request in upstream.received:
        body = request.body.decode()
        assert HALF in body
        assert LONG not in body


def test_there_are_examples() -> None:
    assert (len(PYTHON), len(JAVASCRIPT)) == (8, 2)
    assert sum("<a long document>" in code for code in PYTHON) == 6


@pytest.mark.parametrize("number", range(len(PYTHON)))
async def test_a_python_example(
    proxy_server: ProxyServer,
    upstream: FakeUpstream,
    number: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = PYTHON[number]
    upstream.handler = any_provider
    proxy = proxy_for(code, proxy_server)
    await asyncio.to_thread(run, made_ready(code, proxy))
    [record] = await records(proxy)
    assert (record.ending, record.status) == (Ending.FINISHED, 200)
    [request] = upstream.received
    expected = "sk-ours" if record.tenant == "team" and "x-tersely-key" not in code else "sk-own"
    if "sk-..." in code:
        expected = "sk-..."
    if "AzureOpenAI" in code:
        assert request.value("api-key") == expected
    else:
        assert request.values("authorization") == [f"Bearer {expected}"]
    if "bypass" in code:
        assert LONG in request.body.decode()
    elif "<a long document>" in code:
        assert_shortened(upstream)
        if "print" in code and "except" not in code:
            assert "Hello" in capsys.readouterr().out


async def test_the_example_about_errors_meets_one(
    proxy: Proxy, upstream: FakeUpstream, capsys: pytest.CaptureFixture[str]
) -> None:
    async def busy(request: Received, connection: Connection) -> None:
        body = b'{"error":{"message":"m","type":"t","param":null,"code":"slow_down"}}'
        headers = [("retry-after-ms", "1"), ("retry-after", "7"), ("x-request-id", "req_1")]
        await connection.answer(429, body, [*JSON, *headers])

    upstream.handler = busy
    [code] = [code for code in PYTHON if "except" in code]
    await asyncio.to_thread(run, made_ready(code, proxy))
    assert capsys.readouterr().out == "slow_down 7 req_1\n"
    assert [record.status for record in await records(proxy, 2)] == [429, 429]


@pytest.mark.frameworks
@NEEDS_NODE
@pytest.mark.parametrize("code", JAVASCRIPT)
async def test_a_javascript_example(proxy: Proxy, upstream: FakeUpstream, code: str) -> None:
    upstream.handler = any_provider
    process = await asyncio.create_subprocess_exec(
        *("node", "--input-type=module", "--eval", made_ready(code, proxy)),
        cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    assert out.startswith(b"Hello")
    assert_shortened(upstream)
    await records(proxy)


def test_the_versions_are_those_that_the_tests_have() -> None:
    rows = re.findall(r"^\| (\S+?)[ ,][^|]*\| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert len(rows) == 9
    node = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    locked = "".join(
        (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        for name in ("dev", "integrations")
    )
    python = dict(re.findall(r"^([a-z-]+)==([\d.]+)", locked, re.MULTILINE))
    for name, version in rows:
        pinned = [found[name] for found in (python, node) if name in found]
        assert version in pinned, f"{name} {version}: pinned is {pinned}"
