"""What is served beside the API, and what is refused."""

import asyncio
import json

import pytest

from proxy.savings import Ending
from tests.fakes import FakeCompressor
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, chat_answer
from tests.integration.raw_client import Answer, ask, chat

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"%b"}]}' % (b"word " * 40)


async def ready(proxy: Proxy) -> Answer:
    """Ask until the compressor has been started."""
    while True:
        answer = await ask(proxy, "GET", "/readyz")
        if b"still loading" not in answer.body:
            return answer


async def test_healthz_answers_while_the_classifier_loads(proxy_server: ProxyServer) -> None:
    compressor = SlowStart()
    proxy = proxy_server(compressor=compressor)
    assert (await ask(proxy, "GET", "/healthz")).status == 200
    answer = await ask(proxy, "GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body) == {
        "status": "unavailable",
        "degraded": {"classifier": "it is still loading"},
    }
    assert (await chat(proxy, BODY)).status == 200
    proxy.call(compressor.loaded.set)
    assert (await ready(proxy)).status == 200


class SlowStart(FakeCompressor):
    def __init__(self) -> None:
        super().__init__()
        self.loaded = asyncio.Event()

    async def start(self) -> None:
        await self.loaded.wait()


async def test_readyz_says_what_is_degraded(proxy_server: ProxyServer) -> None:
    compressor = FakeCompressor()
    proxy = proxy_server(compressor=compressor)
    answer = await ready(proxy)
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ready", "degraded": {}})
    assert answer.value("content-type") == "application/json"

    compressor.trouble["shared cache"] = "Connection refused"
    proxy.sink.trouble = "the disk is full"
    answer = await ask(proxy, "GET", "/readyz")
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "status": "degraded",
        "degraded": {"shared cache": "Connection refused", "QueueSink": "the disk is full"},
    }

    compressor.trouble["classifier"] = "the model file is missing"
    answer = await ask(proxy, "GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body)["status"] == "unavailable"


async def test_metrics_count_requests_and_say_what_is_degraded(
    proxy_server: ProxyServer,
) -> None:
    compressor = FakeCompressor()
    compressor.trouble["shared cache"] = "down"
    proxy = proxy_server(compressor=compressor)
    await chat(proxy, BODY)
    await proxy.sink.next()
    answer = await ask(proxy, "GET", "/metrics")
    assert answer.status == 200
    assert (answer.value("content-type") or "").startswith("text/plain")
    text = answer.body.decode()
    (line,) = [line for line in text.splitlines() if line.startswith("tersely_requests_total{")]
    assert line.endswith(" 1.0")
    for label in ('endpoint="chat_completions"', 'policy="half"', 'treatment="compressed"'):
        assert label in line
    assert 'tersely_degraded{component="shared cache"} 1.0' in text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_probes_are_only_read(proxy: Proxy, upstream: FakeUpstream, path: str) -> None:
    await ready(proxy)
    head = await ask(proxy, "HEAD", path)
    assert (head.status, head.body) == (200, b"")
    answer = await ask(proxy, "POST", path, body=b"{}")
    assert answer.status == 405
    assert answer.value("allow") == "GET, HEAD"
    assert json.loads(answer.body)["error"]["code"] == "method_not_allowed"
    assert upstream.received == []
    assert proxy.sink.empty


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
async def test_other_paths_are_404_in_openais_shape(proxy: Proxy, method: str) -> None:
    answer = await ask(proxy, method, "/chat/completions")
    assert answer.status == 404
    assert (answer.value("x-request-id") or "").startswith("req_")
    if method != "HEAD":
        error = json.loads(answer.body)["error"]
        assert error["type"] == "invalid_request_error"
        assert "/v1" in error["message"]
    assert proxy.sink.empty


async def test_what_asks_for_the_server_itself_is_404(proxy: Proxy) -> None:
    assert (await ask(proxy, "OPTIONS", "*")).status in (400, 404)


async def test_requests_over_the_cap_are_503_and_the_next_is_served(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    gate = asyncio.Event()

    async def gated(request: Received, connection: Connection) -> None:
        await gate.wait()
        await connection.answer(200, chat_answer(), JSON)

    upstream.handler = gated
    proxy = proxy_server(server={"max_connections": 2})
    first = [asyncio.create_task(chat(proxy, BODY)) for _ in range(2)]
    await upstream.wait_for(2)
    refused = await chat(proxy, BODY)
    assert refused.status == 503
    assert refused.value("retry-after") == "1"
    error = json.loads(refused.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "max_connections" in error["message"]
    assert (await ask(proxy, "GET", "/healthz")).status == 200
    gate.set()
    assert [answer.status for answer in await asyncio.gather(*first)] == [200, 200]
    assert (await chat(proxy, BODY)).status == 200
    endings = [(await proxy.sink.next()).ending for _ in range(4)]
    assert sorted(endings) == [Ending.FINISHED] * 3 + [Ending.REFUSED]


async def test_a_refusal_is_on_record(proxy: Proxy) -> None:
    answer = await chat(proxy, BODY, [("X-Tersely-Policy", "no-such")])
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["param"] == "x-tersely-policy"
    record = await proxy.sink.next()
    assert (record.ending, record.status, record.upstream) == (Ending.REFUSED, 400, None)
    assert answer.value("x-request-id") == record.id
    assert proxy.sink.empty
