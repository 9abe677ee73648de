"""The main job: chat completions, compressed by policy, answered as the upstream answers."""

import asyncio
import gzip
import json
import zlib

import pytest
import zstandard

from compressor.types import CacheState, Failure
from policies.types import Match, Route
from proxy.savings import Ending, Treatment, Usage
from tests.fakes import FakeCompressor
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Received,
    chat_answer,
    chat_events,
)
from tests.integration.raw_client import chat, request_bytes

LONG = " ".join(f"w{number}" for number in range(40))
HALF = " ".join(f"w{number}" for number in range(0, 40, 2))
READ = Usage(prompt_tokens=20, completion_tokens=5, cached_tokens=8)


def body(text: str = LONG, **members: object) -> bytes:
    return json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]} | members
    ).encode()


async def test_a_long_prompt_reaches_the_model_shorter_and_the_saving_is_on_record(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    answer = await chat(proxy, body(temperature=0.5, unknown={"a": [1e5]}))
    assert (answer.status, answer.body) == (200, chat_answer())
    (request,) = upstream.received
    assert request.body == body(HALF, temperature=0.5, unknown={"a": [1e5]})
    assert request.value("content-length") == str(len(request.body))
    record = await proxy.sink.next()
    assert (record.ending, record.status) == (Ending.FINISHED, 200)
    assert (record.model, record.upstream, record.stream) == ("gpt-4o", "main", False)
    assert (record.method, record.path) == ("POST", "/v1/chat/completions")
    assert record.report.treatment is Treatment.COMPRESSED
    assert record.usage == READ
    assert record.tokens_saved > 0
    assert record.upstream_first_byte_ms is not None
    assert record.upstream_ms is not None
    assert record.total_ms >= record.upstream_ms >= record.upstream_first_byte_ms
    assert answer.value("x-tersely-outcome") == "compressed"
    assert answer.value("x-tersely-policy") == "half"
    assert answer.value("x-tersely-tokens-before") == str(record.report.tokens_before)
    assert answer.value("x-tersely-tokens-after") == str(record.report.tokens_after)
    assert float(answer.value("x-tersely-compress-ms") or "") >= 0
    assert answer.value("x-tersely-cache") == "miss"
    assert proxy.sink.empty


async def test_a_stream_is_relayed_event_by_event(proxy: Proxy, upstream: FakeUpstream) -> None:
    events = list(chat_events(include_usage=True))
    gates = [asyncio.Event() for _ in events]

    async def gated(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        for gate, event in zip(gates, events, strict=True):
            await gate.wait()
            await connection.chunk(event)
        await connection.last_chunk()

    upstream.handler = gated
    reader, writer = await proxy.connect()
    asked = body(stream=True, stream_options={"include_usage": True})
    writer.write(request_bytes("POST", "/v1/chat/completions", body=asked))
    head = await soon(reader.readuntil(b"\r\n\r\n"))
    assert b"content-type: text/event-stream" in head
    assert b"cache-control: no-cache" in head
    assert b"x-accel-buffering: no" in head
    assert b"x-tersely-outcome: compressed" in head
    for gate, event in zip(gates, events, strict=True):
        gate.set()
        expected = b"%x\r\n%b\r\n" % (len(event), event)
        assert await soon(reader.readexactly(len(expected))) == expected
    assert await soon(reader.read(-1)) == b"0\r\n\r\n"
    writer.close()
    record = await proxy.sink.next()
    assert record.stream
    assert record.usage == READ


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_obfuscation": False}}])
async def test_usage_that_was_asked_for_here_is_taken_out_again(
    proxy_server: ProxyServer, upstream: FakeUpstream, options: dict[str, object]
) -> None:
    proxy = proxy_server(upstream_options={"usage": "ask"})
    answer = await chat(proxy, body(stream=True, **options))
    assert upstream.received[0].json["stream_options"]["include_usage"] is True
    assert answer.body == b"".join(chat_events())
    record = await proxy.sink.next()
    assert record.usage == READ
    assert record.report.treatment is Treatment.COMPRESSED


@pytest.mark.parametrize("mode", ["ask", "observe"])
async def test_usage_that_the_client_asked_for_stays(
    proxy_server: ProxyServer, upstream: FakeUpstream, mode: str
) -> None:
    proxy = proxy_server(upstream_options={"usage": mode})
    answer = await chat(proxy, body(stream=True, stream_options={"include_usage": True}))
    assert answer.body == b"".join(chat_events(include_usage=True))
    assert (await proxy.sink.next()).usage == READ


async def test_an_explicit_no_to_usage_is_respected(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(upstream_options={"usage": "ask"})
    answer = await chat(proxy, body(stream=True, stream_options={"include_usage": False}))
    assert upstream.received[0].json["stream_options"] == {"include_usage": False}
    assert answer.body == b"".join(chat_events())
    assert (await proxy.sink.next()).usage == Usage()


async def test_observing_asks_for_nothing(proxy: Proxy, upstream: FakeUpstream) -> None:
    answer = await chat(proxy, body(stream=True))
    assert "stream_options" not in upstream.received[0].json
    assert answer.body == b"".join(chat_events())
    assert (await proxy.sink.next()).usage == Usage()


async def test_an_event_held_for_the_filter_goes_out_once_it_is_whole(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    first, *_ = chat_events(include_usage=True)
    gate = asyncio.Event()

    async def gated(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b": keep-alive\n\n")
        await connection.chunk(first[:20])
        await connection.chunk(first[20:])
        await gate.wait()
        await connection.last_chunk()

    upstream.handler = gated
    proxy = proxy_server(upstream_options={"usage": "ask"})
    reader, writer = await proxy.connect()
    writer.write(request_bytes("POST", "/v1/chat/completions", body=body(stream=True)))
    await soon(reader.readuntil(b": keep-alive"))
    await soon(reader.readuntil(next(chat_events())))
    gate.set()
    await soon(reader.read(-1))
    writer.close()


@pytest.mark.parametrize("mode", ["ask", "observe"])
async def test_a_stream_that_comes_compressed_all_the_same(
    proxy_server: ProxyServer, upstream: FakeUpstream, mode: str
) -> None:
    packed = gzip.compress(b"".join(chat_events(include_usage=True)))

    async def ignoring(request: Received, connection: Connection) -> None:
        await connection.begin_stream([("Content-Encoding", "gzip")])
        for byte in packed:
            await connection.chunk(bytes([byte]))
        await connection.last_chunk()

    upstream.handler = ignoring
    proxy = proxy_server(upstream_options={"usage": mode})
    answer = await chat(proxy, body(stream=True))
    if mode == "ask":
        assert answer.body == b"".join(chat_events())
        assert answer.values("content-encoding") == []
    else:
        assert answer.body == packed
        assert answer.values("content-encoding") == ["gzip"]
    assert (await proxy.sink.next()).usage == READ


async def test_a_plain_answer_that_comes_compressed_all_the_same(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    packed = gzip.compress(chat_answer())

    async def ignoring(request: Received, connection: Connection) -> None:
        await connection.answer(200, packed, [*JSON, ("Content-Encoding", "gzip")])

    upstream.handler = ignoring
    answer = await chat(proxy, body())
    assert answer.body == packed
    assert answer.value("content-encoding") == "gzip"
    assert (await proxy.sink.next()).usage == READ


PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", PACKERS)
async def test_a_compressed_request_is_read_and_goes_on_plain_when_it_changed(
    proxy: Proxy, upstream: FakeUpstream, encoding: str
) -> None:
    packed = PACKERS[encoding](body())
    answer = await chat(proxy, packed, [("Content-Encoding", encoding)])
    assert answer.value("x-tersely-outcome") == "compressed"
    (request,) = upstream.received
    assert request.body == body(HALF)
    assert request.values("content-encoding") == []


@pytest.mark.parametrize("encoding", PACKERS)
async def test_a_compressed_request_that_did_not_change_goes_on_as_it_came(
    proxy: Proxy, upstream: FakeUpstream, encoding: str
) -> None:
    packed = PACKERS[encoding](body("short"))

    async def accept(request: Received, connection: Connection) -> None:
        await connection.answer(200, chat_answer(), JSON)

    upstream.handler = accept
    await chat(proxy, packed, [("Content-Encoding", encoding)])
    (request,) = upstream.received
    assert request.body == packed
    assert request.values("content-encoding") == [encoding]


@pytest.mark.parametrize("policy", ["off", "shadow"])
async def test_what_is_not_compressed_goes_on_byte_for_byte(
    proxy_server: ProxyServer, upstream: FakeUpstream, policy: str
) -> None:
    odd = (
        b'{ "messages" :[{"role":"user","content":"' + LONG.encode() + b'\\u00e9"}],\n'
        b'"model":"gpt-4o","n":1E5,"big":123456789012345678901234567890,"n":2}'
    )
    proxy = proxy_server(policy=policy)
    answer = await chat(proxy, odd)
    assert upstream.received[0].body == odd
    assert answer.value("x-tersely-outcome") == policy
    record = await proxy.sink.next()
    assert record.report.tokens_sent == record.report.tokens_before


async def test_a_failed_compression_sends_the_original(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    compressor = FakeCompressor()
    compressor.failure = Failure.DEADLINE
    proxy = proxy_server(compressor=compressor)
    answer = await chat(proxy, body())
    assert upstream.received[0].body == body()
    assert answer.value("x-tersely-outcome") == "failed_open"
    assert (await proxy.sink.next()).report.parts[0].failure == "deadline"


async def test_a_cache_hit_is_told(proxy_server: ProxyServer) -> None:
    compressor = FakeCompressor()
    compressor.cache = CacheState.SHARED
    answer = await chat(proxy_server(compressor=compressor), body())
    assert answer.value("x-tersely-cache") == "hit"


async def test_a_body_over_the_limit_is_streamed_on_untouched(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(server={"max_parse_bytes": 2048})
    large = body("word " * 100_000)
    answer = await chat(proxy, large)
    assert answer.status == 200
    assert upstream.received[0].body == large
    assert upstream.received[0].value("content-length") == str(len(large))
    assert proxy.compressor.calls == []
    record = await proxy.sink.next()
    assert record.report.treatment is Treatment.PASSED
    assert "max_parse_bytes" in (record.report.note or "")


async def test_so_is_one_that_does_not_say_its_length(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(server={"max_parse_bytes": 2048})
    large = body("word " * 100_000)
    head = request_bytes("POST", "/v1/chat/completions", [("Transfer-Encoding", "chunked")])
    pieces = [large[start : start + 1000] for start in range(0, len(large), 1000)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    await proxy.raw(head + chunks + b"0\r\n\r\n")
    assert upstream.received[0].body == large
    assert upstream.received[0].value("transfer-encoding") == "chunked"


async def test_a_body_in_many_small_chunks_is_compressed(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    head = request_bytes("POST", "/v1/chat/completions", [("Transfer-Encoding", "chunked")])
    reader, writer = await proxy.connect()
    writer.write(head)
    for byte in body():
        writer.write(b"1\r\n%c\r\n" % byte)
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await soon(reader.read(-1))
    writer.close()
    assert upstream.received[0].body == body(HALF)
    assert upstream.received[0].value("content-length") == str(len(body(HALF)))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"not json",
        b"[]",
        b"null",
        b'{"model":7,"messages":"x"}',
        b'{"model":"gpt-4o","messages":[{"role":"user","content":7},null,[],{"content":{}}]}',
        b'{"model":"gpt-4o","messages":[]}',
        b'{"model":"gpt-4o","messages":[{"role":"user","content":""}]}',
        b'{"model":"gpt-4o","messages":[{"role":"user","content":"\xff\xfe"}]}',
        b'{"model":"gpt-4o","messages":[{"role":"user","content":"\\ud800 '
        + LONG.encode()
        + b'"}],"n":',
        b"\xef\xbb\xbf{}",
        b"{" * 100_000,
    ],
)
async def test_a_bad_body_is_the_upstreams_to_judge(
    proxy: Proxy, upstream: FakeUpstream, bad: bytes
) -> None:
    theirs = b'{"error":{"message":"We could not parse the JSON body of your request."}}'

    async def judge(request: Received, connection: Connection) -> None:
        await connection.answer(400, theirs, JSON)

    upstream.handler = judge
    answer = await chat(proxy, bad)
    assert (answer.status, answer.body) == (400, theirs)
    assert upstream.received[0].body == bad
    assert (await proxy.sink.next()).ending is Ending.FINISHED


async def test_what_is_no_text_goes_on_untouched_beside_what_is_compressed(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    def request(text: str) -> bytes:
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 999}}
        audio = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
        tool = {"type": "function", "function": {"name": "f", "description": LONG}}
        return json.dumps(
            {
                "model": "a-model-nobody-knows",
                "messages": [
                    {"role": "system", "content": LONG},
                    {"role": "user", "content": [image, {"type": "text", "text": text}, audio]},
                    {"role": "assistant", "content": None, "tool_calls": [call]},
                ],
                "tools": [tool],
                "n": 3,
                "logprobs": True,
            }
        ).encode()

    await chat(proxy, request(LONG + " <|endoftext|>"))
    assert upstream.received[0].body == request(HALF + " <|endoftext|>")


async def test_a_route_by_model_has_its_own_policy(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    route = Route(match=Match(model="o3*"), policy="off", upstream="main")
    proxy = proxy_server(routes=[route])
    assert (await chat(proxy, body(model="o3-mini"))).value("x-tersely-policy") == "off"
    assert (await chat(proxy, body())).value("x-tersely-policy") == "half"


async def test_other_methods_on_the_chat_path_pass(proxy: Proxy, upstream: FakeUpstream) -> None:
    async def not_allowed(request: Received, connection: Connection) -> None:
        await connection.answer(405, b"no", [("Allow", "POST")])

    upstream.handler = not_allowed
    data = await proxy.raw(request_bytes("GET", "/v1/chat/completions"))
    assert b" 405 " in data
    assert b"allow: POST" in data
    assert b"x-tersely" not in data
