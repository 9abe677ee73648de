"""Routes with several upstreams, on real connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import openai
import pytest

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Handler,
    Received,
    chat_answer,
)
from tests.integration.raw_client import Answer, ask, chat
from tests.integration.test_failures import closed_port, own_error

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
Start = Callable[..., Awaitable[Proxy]]


def answering(
    status: int, body: bytes = b'{"error":{"message":"theirs"}}', *headers: tuple[str, str]
) -> Handler:
    async def answer(request: Received, connection: Connection) -> None:
        await connection.answer(status, body, [*JSON, *headers])

    return answer


async def dropping(request: Received, connection: Connection) -> None:
    connection.drop()


async def silent(request: Received, connection: Connection) -> None:
    await connection.until_closed()


@pytest.fixture
async def second() -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream, second: FakeUpstream) -> Any:
    """Return a function that starts a proxy whose one route names the upstreams `a` and `b`."""

    def run(
        shares: Any = ("a", "b"),
        fallback_on: Any = ("connect",),
        a_url: str | None = None,
        b_url: str | None = None,
        **options: Any,
    ) -> Proxy:
        route = Route(match=Match(), policy="half", upstream=shares, fallback_on=fallback_on)
        urls = {"a": a_url or upstream.base_url, "b": b_url or second.base_url}
        upstreams = {
            name: UpstreamConfig(base_url=url, **{"connect_retries": 0} | options)
            for name, url in urls.items()
        }
        return proxy_server(upstreams=upstreams, routes=[route])

    return run


async def test_the_first_is_asked_while_it_answers(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    proxy = start()
    assert (await chat(proxy, BODY)).status == 200
    record = await proxy.sink.next()
    assert (record.upstream, record.tries) == ("a", 1)
    assert second.received == []


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/embeddings"])
async def test_the_next_is_asked_when_the_first_is_down(
    start: Any, second: FakeUpstream, target: str
) -> None:
    with closed_port() as port:
        proxy = start(a_url=f"http://127.0.0.1:{port}/v1")
        answer = await ask(proxy, "POST", target, JSON, BODY)
    assert answer.status == 200
    assert answer.value("x-should-retry") is None
    assert [request.body for request in second.received] == [BODY]
    record = await proxy.sink.next()
    assert (record.upstream, record.tries, record.status) == ("b", 2, 200)
    page = (await ask(proxy, "GET", "/metrics")).body.decode()
    assert 'tersely_upstream_failures_total{cause="connect",upstream="a"} 1.0' in page
    assert 'tersely_upstream_requests_total{status="2xx",upstream="b"} 1.0' in page


async def test_with_every_one_down_the_last_error_is_told_once(start: Any) -> None:
    with closed_port() as one, closed_port() as other:
        proxy = start(a_url=f"http://127.0.0.1:{one}/v1", b_url=f"http://127.0.0.1:{other}/v1")
        answer = await chat(proxy, BODY)
        error = own_error(answer, 502, "upstream_unreachable")
        assert "'b'" in error["message"]
        assert answer.value("x-should-retry") == "false"
        record = await proxy.sink.next()
        assert (record.upstream, record.tries) == ("b", 2)
        client = openai.AsyncOpenAI(base_url=proxy.base_url, api_key="k", max_retries=2)
        async with client:
            with pytest.raises(openai.InternalServerError):
                await client.chat.completions.create(model="m", messages=[])
        assert (await proxy.sink.next()).tries == 2
        assert proxy.sink.empty


@pytest.mark.parametrize(
    ("handler", "status"),
    [(answering(429), 429), (answering(500), 500), (answering(503), 503), (dropping, 502)],
)
async def test_what_may_have_been_read_is_not_sent_again_unless_told_so(
    start: Any, upstream: FakeUpstream, second: FakeUpstream, handler: Handler, status: int
) -> None:
    upstream.handler = handler
    proxy = start()
    answer = await chat(proxy, BODY)
    assert (answer.status, len(upstream.received), second.received) == (status, 1, [])
    assert answer.value("x-should-retry") is None


@pytest.mark.parametrize(
    ("cause", "handler"),
    [
        ("429", answering(429)),
        ("500", answering(500)),
        ("529", answering(529)),
        ("disconnect", dropping),
        ("timeout", silent),
    ],
)
async def test_causes_that_are_told(
    start: Any, upstream: FakeUpstream, second: FakeUpstream, cause: str, handler: Handler
) -> None:
    upstream.handler = handler
    proxy = start(fallback_on=[cause], read_timeout_seconds=0.3)
    assert (await chat(proxy, BODY)).body == chat_answer()
    assert (len(upstream.received), len(second.received)) == (1, 1)
    record = await proxy.sink.next()
    assert (record.upstream, record.tries, record.ending) == ("b", 2, Ending.FINISHED)


async def test_the_last_bad_answer_comes_back_as_it_is(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.handler = answering(503)
    second.handler = answering(503, b'{"error" : {"message":"of b"}}', ("Retry-After", "3"))
    proxy = start(fallback_on=["503"])
    answer = await chat(proxy, BODY)
    assert (answer.status, answer.body) == (503, b'{"error" : {"message":"of b"}}')
    assert answer.value("retry-after") == "3"
    assert answer.value("x-should-retry") == "false"
    assert answer.value("x-tersely-outcome") == "unchanged"


async def test_nothing_is_asked_again_after_the_first_byte(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b"data: {}\n\n")
        connection.drop()

    upstream.handler = cut
    proxy = start(fallback_on=["disconnect", "timeout", "connect", "500"])
    answer = await chat(proxy, BODY)
    assert answer.body.startswith(b"data: {}\n\n")
    assert second.received == []
    assert (await proxy.sink.next()).ending is Ending.UPSTREAM_CUT


async def test_a_body_too_large_to_keep_goes_to_one(
    proxy_server: ProxyServer, second: FakeUpstream
) -> None:
    with closed_port() as port:
        down = UpstreamConfig(base_url=f"http://127.0.0.1:{port}/v1", connect_retries=0)
        up = UpstreamConfig(base_url=second.base_url)
        proxy = proxy_server(
            server={"max_parse_bytes": 1024},
            upstreams={"a": down, "b": up},
            routes=[Route(policy="half", upstream=["a", "b"])],
        )
        big = b'{"model":"m","input":"' + b"x" * 2000 + b'"}'
        for target in ("/v1/embeddings", "/v1/chat/completions"):
            own_error(await ask(proxy, "POST", target, JSON, big), 502, "upstream_unreachable")
    assert second.received == []


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/v1/files/file-1", None),
        ("POST", "/v1/chat/completions", b'{"model":"m","store":true,"messages":[]}'),
        ("GET", "/v1/chat/completions/chatcmpl-1", None),
        ("DELETE", "/v1/assistants/a", None),
    ],
)
async def test_what_one_upstream_keeps_is_not_asked_of_another(
    start: Any, second: FakeUpstream, method: str, target: str, body: bytes | None
) -> None:
    with closed_port() as port:
        proxy = start(a_url=f"http://127.0.0.1:{port}/v1")
        own_error(await ask(proxy, method, target, body=body), 502, "upstream_unreachable")
    assert second.received == []


async def test_a_circuit_opens_is_seen_and_closes(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.handler = answering(500)
    proxy = start(fallback_on=["500"], circuit_failures=3, circuit_seconds=0.2)
    for _ in range(5):
        assert (await chat(proxy, BODY)).status == 200
    assert (len(upstream.received), len(second.received)) == (3, 5)
    said = json.loads((await ask(proxy, "GET", "/readyz")).body)
    assert "it answered 500" in said["degraded"]["upstream a"]
    metrics = (await ask(proxy, "GET", "/metrics")).body.decode()
    assert 'tersely_degraded{component="upstream a"} 1.0' in metrics
    upstream.handler = answering(200, chat_answer())
    async with asyncio.timeout(10):
        while len(upstream.received) == 3:
            await asyncio.sleep(0.05)
            await chat(proxy, BODY)
    assert "upstream a" not in json.loads((await ask(proxy, "GET", "/readyz")).body)["degraded"]


async def test_an_upstream_that_asks_for_time_gets_it(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.handler = answering(429, b'{"error":{}}', ("Retry-After", "60"))
    proxy = start()
    key = [("Authorization", "Bearer one")]
    first: Answer = await chat(proxy, BODY, key)
    assert (first.status, first.value("retry-after")) == (429, "60")
    assert (await chat(proxy, BODY, key)).status == 200
    assert len(second.received) == 1
    # another client's key has its own limits
    assert (await chat(proxy, BODY, [("Authorization", "Bearer two")])).status == 429


async def test_conversations_stay_and_share(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    proxy = start([{"name": "a", "weight": 1}, {"name": "b", "weight": 1}])
    served: dict[str, set[str | None]] = {}
    for number in range(24):
        messages = [
            {"role": "system", "content": "The same for all."},
            {"role": "user", "content": f"Question {number}"},
        ]
        for turn in range(3):
            body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
            assert (await chat(proxy, body)).status == 200
            record = await proxy.sink.next()
            served.setdefault(f"c{number}", set()).add(record.upstream)
            messages += [
                {"role": "assistant", "content": f"Answer {turn}"},
                {"role": "user", "content": f"And then {turn}?"},
            ]
    assert all(len(names) == 1 for names in served.values())
    # 2 in 2**24 that all of them have the same one
    assert {name for names in served.values() for name in names} == {"a", "b"}


async def test_a_client_that_leaves_ends_the_trying(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.handler = silent
    proxy = start(fallback_on=["timeout", "disconnect"])
    _, writer = await proxy.connect()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n"
    writer.write(head.encode() + BODY)
    await upstream.wait_for(1)
    writer.close()
    record = await proxy.sink.next()
    assert (record.ending, record.upstream, record.tries) == (Ending.CLIENT_GONE, "a", 1)
    await soon(upstream.connections[0].closed.wait())
    assert second.received == []


async def test_connections_are_retried_before_the_next_is_asked(
    start: Any, second: FakeUpstream
) -> None:
    with closed_port() as port:
        proxy = start(a_url=f"http://127.0.0.1:{port}/v1", connect_retries=2)
        assert (await chat(proxy, BODY)).status == 200
    assert (await proxy.sink.next()).tries == 4


async def test_a_model_has_another_name_there(
    proxy_server: ProxyServer, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    with closed_port() as port:
        first = UpstreamConfig(base_url=f"http://127.0.0.1:{port}/v1", connect_retries=0)
        local = UpstreamConfig(base_url=second.base_url, models={"gpt-*": "llama-3/{model}"})
        proxy = proxy_server(
            upstreams={"a": first, "b": local},
            routes=[Route(policy="half", upstream=["a", "b"])],
        )
        body = b'{ "model" : "gpt-4o", "seed":1e2, "messages":[{"role":"user","content":"Hi."}]}'
        assert (await chat(proxy, body)).status == 200
    assert second.received[0].body == body.replace(b"gpt-4o", b"llama-3/gpt-4o")
    record = await proxy.sink.next()
    assert (record.model, record.upstream) == ("gpt-4o", "b")
