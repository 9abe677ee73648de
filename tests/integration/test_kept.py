"""What providers keep is found again on routes with several upstreams."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from policies.types import Match, Route
from proxy.config_upstream import UpstreamConfig
from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Handler, Received
from tests.integration.raw_client import Answer, ask
from tests.integration.test_failures import closed_port, own_error

FIRST = b'{"model":"m","input":"x"}'
NEXT = b'{"model":"m","input":"y","previous_response_id":"resp_b"}'
MADE = b'{"id":"resp_b","object":"response","output":[]}'
# What OpenAI says of a response that it does not know: 404 by its path, 400 in a body.
UNKNOWN = b'{"error":{"message":"not theirs","code":null}}'
NO_PREVIOUS = (
    b'{"error":{"message":"Previous response with id \'resp_b\' not found.","type":'
    b'"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}'
)
BAD = b'{"error":{"message":"Unsupported parameter: top_k","param":"top_k","code":"unknown"}}'


def answering(status: int, body: bytes) -> Handler:
    async def answer(request: Received, connection: Connection) -> None:
        await connection.answer(status, body, JSON)

    return answer


@pytest.fixture
async def second() -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
def start(proxy_server: ProxyServer, upstream: FakeUpstream, second: FakeUpstream) -> Any:
    """Return a function that starts a proxy whose one route names the upstreams `a` and `b`."""

    def run(shares: Any = ("a", "b"), a_url: str | None = None) -> Proxy:
        causes = ["connect", "503"]
        route = Route(match=Match(), policy="half", upstream=shares, fallback_on=causes)
        urls = {"a": a_url or upstream.base_url, "b": second.base_url}
        upstreams = {
            name: UpstreamConfig(base_url=url, connect_retries=0) for name, url in urls.items()
        }
        return proxy_server(upstreams=upstreams, routes=[route])

    return run


async def follow_up(proxy: Proxy) -> Answer:
    return await ask(proxy, "POST", "/v1/responses", JSON, NEXT)


@pytest.mark.parametrize(
    "unknown", [answering(404, UNKNOWN), answering(400, NO_PREVIOUS)], ids=["404", "400"]
)
async def test_a_response_that_moved_is_found_again(
    start: Any, upstream: FakeUpstream, second: FakeUpstream, unknown: Handler
) -> None:
    proxy = start()
    upstream.handler, second.handler = answering(503, b"{}"), answering(200, MADE)
    assert (await ask(proxy, "POST", "/v1/responses", JSON, FIRST)).body == MADE
    upstream.handler = unknown
    answer = await follow_up(proxy)
    assert (answer.status, answer.body) == (200, MADE)
    assert second.received[-1].body == NEXT
    upstream.handler = answering(404, UNKNOWN)
    for method, target in (
        ("GET", "/v1/responses/resp_b"),
        ("POST", "/v1/responses/resp_b/cancel"),
        ("DELETE", "/v1/responses/resp_b"),
    ):
        assert (await ask(proxy, method, target)).body == MADE
    records = [await proxy.sink.next() for _ in range(5)]
    assert [(one.upstream, one.tries, one.ending) for one in records] == [
        ("b", 2, Ending.FINISHED)
    ] * 5
    assert proxy.sink.empty


async def test_a_response_is_found_while_the_first_is_down(
    start: Any, second: FakeUpstream
) -> None:
    second.handler = answering(200, MADE)
    with closed_port() as port:
        proxy = start(a_url=f"http://127.0.0.1:{port}/v1")
        assert (await follow_up(proxy)).body == MADE
        assert (await ask(proxy, "GET", "/v1/responses/resp_b")).body == MADE


async def test_what_nobody_has_is_answered_by_the_first(
    start: Any, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.handler = answering(400, NO_PREVIOUS)
    # the client's key need not be one of the other's
    second.handler = answering(401, b'{"error":{"message":"no such key"}}')
    proxy = start()
    answer = await follow_up(proxy)
    assert (answer.status, answer.body) == (400, NO_PREVIOUS)
    assert len(second.received) == 1
    record = await proxy.sink.next()
    assert (record.upstream, record.tries, record.status) == ("a", 2, 400)


async def test_nothing_is_called_missing_while_one_cannot_be_asked(
    start: Any, second: FakeUpstream
) -> None:
    second.handler = answering(404, UNKNOWN)
    with closed_port() as port:
        proxy = start(a_url=f"http://127.0.0.1:{port}/v1")
        answer = await ask(proxy, "GET", "/v1/responses/resp_1")
        assert "'a'" in own_error(answer, 502, "upstream_unreachable")["message"]
        assert (await proxy.sink.next()).upstream == "a"
        for _ in range(5):  # it is set aside now, and asked all the same
            own_error(await follow_up(proxy), 502, "upstream_unreachable")


@pytest.mark.parametrize(
    ("status", "body"), [(400, BAD), (401, UNKNOWN), (429, UNKNOWN), (500, UNKNOWN)]
)
async def test_other_refusals_are_the_answer(
    start: Any, upstream: FakeUpstream, second: FakeUpstream, status: int, body: bytes
) -> None:
    upstream.handler = answering(status, body)
    answer = await follow_up(start())
    assert (answer.status, answer.body) == (status, body)
    assert second.received == []


async def test_a_long_refusal_arrives_whole(start: Any, upstream: FakeUpstream) -> None:
    long = BAD.replace(b"Unsupported", b"x" * 300_000)
    upstream.handler = answering(400, long)
    assert (await follow_up(start())).body == long


async def test_what_is_named_goes_where_the_uploads_are(start: Any) -> None:
    proxy = start([{"name": "a", "weight": 1}, {"name": "b", "weight": 1}])

    async def served_by(method: str, target: str, key: str, body: Any = None) -> str | None:
        headers = [*JSON, ("Authorization", f"Bearer {key}")]
        data = None if body is None else json.dumps(body).encode()
        await ask(proxy, method, target, headers, data)
        return (await proxy.sink.next()).upstream

    homes = set()
    for key in map(str, range(12)):
        home = await served_by("POST", "/v1/files", key, {})
        homes.add(home)
        for number in range(3):
            text = {"type": "text", "text": f"Question {number}"}
            file = {"type": "file", "file": {"file_id": "file-1"}}
            source = {"type": "document", "source": {"type": "file", "file_id": "file-1"}}
            for target, body in (
                ("/v1/chat/completions", {"messages": [{"role": "user", "content": [file, text]}]}),
                ("/v1/chat/completions", {"store": True, "messages": [text | {"role": "user"}]}),
                ("/v1/messages", {"messages": [{"role": "user", "content": [source, text]}]}),
            ):
                assert await served_by("POST", target, key, {"model": "m", **body}) == home
        for target in ("/v1/chat/completions", "/v1/chat/completions/chatcmpl-1"):
            assert await served_by("GET", target, key) == home
    assert homes == {"a", "b"}
