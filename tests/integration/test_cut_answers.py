"""An answer that breaks off: the client must notice, and the record must say so."""

import json

import pytest

from proxy.savings import Ending
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, chat_events
from tests.integration.raw_client import ask, chat

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hi."}]}'


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/files/f/content"])
async def test_a_body_cut_in_the_middle_is_cut_for_the_client_too(
    proxy: Proxy, upstream: FakeUpstream, chunked: bool, target: str
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        if chunked:
            await connection.head(200, [*JSON, ("Transfer-Encoding", "chunked")])
            await connection.chunk(b"the first half")
        else:
            await connection.head(200, [*JSON, ("Content-Length", "1000")])
            await connection.send(b"the first half")
        connection.drop()

    upstream.handler = cut
    answer = await ask(proxy, "POST", target, body=BODY)
    assert (answer.status, answer.body) == (200, b"the first half")
    assert not answer.complete
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.UPSTREAM_CUT, 200)
    assert len(upstream.received) == 1


async def test_a_stream_cut_between_events_ends_with_an_error_event(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    events = list(chat_events())

    async def cut(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(events[0])
        connection.drop()

    upstream.handler = cut
    answer = await chat(proxy, STREAM)
    assert answer.complete
    assert answer.body.startswith(events[0])
    last = answer.body[len(events[0]) :]
    assert last.startswith(b"data: {")
    assert last.endswith(b"}\n\n")
    error = json.loads(last[6:])["error"]
    assert error["code"] == "upstream_cut"
    record = await proxy.sink.next()
    assert (record.ending, record.status, record.stream) == (Ending.UPSTREAM_CUT, 200, True)


async def test_a_stream_cut_inside_an_event_is_cut_for_the_client_too(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b'data: {"choi')
        connection.drop()

    upstream.handler = cut
    answer = await chat(proxy, STREAM)
    assert answer.body == b'data: {"choi'
    assert not answer.complete


async def test_a_filtered_stream_cut_inside_an_event_ends_with_an_error_event(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b'data: {"choices":[1],"usage":null}\n\ndata: {"choi')
        connection.drop()

    upstream.handler = cut
    proxy = proxy_server(upstream_options={"usage": "ask"})
    answer = await chat(proxy, STREAM)
    assert answer.complete
    assert answer.body.startswith(b'data: {"choices":[1]}\n\ndata: {"error":')


async def test_a_stream_of_known_length_is_cut_and_not_added_to(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    async def cut(request: Received, connection: Connection) -> None:
        headers = [("Content-Type", "text/event-stream"), ("Content-Length", "1000")]
        await connection.head(200, headers)
        await connection.send(b"data: 1\n\n")
        connection.drop()

    upstream.handler = cut
    answer = await chat(proxy, STREAM)
    assert (answer.body, answer.complete) == (b"data: 1\n\n", False)


async def _ping_and_cut(request: Received, connection: Connection) -> None:
    await connection.begin_stream()
    await connection.chunk(b"event: ping\ndata: {}\n\n")
    connection.drop()


async def test_streams_of_other_apis_are_cut_and_not_added_to(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.handler = _ping_and_cut
    answer = await ask(proxy, "POST", "/v1/threads/runs", body=b"{}")
    assert (answer.body, answer.complete) == (b"event: ping\ndata: {}\n\n", False)


async def test_a_streams_error_has_the_form_of_its_api(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.handler = _ping_and_cut
    for path in ("/v1/messages", "/v1/responses"):
        answer = await ask(proxy, "POST", path, body=b"{}")
        assert answer.complete
        ping, last, rest = answer.body.split(b"\n\n")
        assert (ping, rest) == (b"event: ping\ndata: {}", b"")
        name, data = last.split(b"\n")
        assert name == b"event: error"
        event = json.loads(data.removeprefix(b"data: "))
        assert event["type"] == "error"
        told = {"type": "api_error"} if path == "/v1/messages" else {"code": "upstream_cut"}
        assert told.items() <= event["error"].items()
        assert "in the middle of its answer" in event["error"]["message"]


async def test_silence_in_mid_stream_ends_with_an_error_event(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    async def stall(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b"data: {}\n\n")
        await connection.until_closed()

    upstream.handler = stall
    proxy = proxy_server(upstream_options={"read_timeout_seconds": 0.1})
    answer = await chat(proxy, STREAM)
    assert b'"code":"upstream_timeout"' in answer.body
    assert answer.complete
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.UPSTREAM_TIMEOUT, 200)
