"""Upstream x client x Redis x classifier, each failing in every way: pairs of faults together.

The client always gets an answer or a correct error, and exactly one record is written.
"""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from compressor import build
from compressor.classifier.base import ClassifierUnavailable
from compressor.pool import Overloaded
from compressor.types import Settings
from policies.types import Policy
from proxy.config import CacheConfig
from proxy.savings import Ending, SavingsRecord, Treatment
from tests.compressor.fake_engine import FakeDraft, FakeEngine
from tests.fakes import every_second_word
from tests.integration import conftest
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import (
    JSON,
    Connection,
    FakeUpstream,
    Received,
    chat_answer,
    chat_events,
)
from tests.integration.pairwise import Case, pairs, pairwise_cases
from tests.integration.raw_client import Answer, parse_answer, request_bytes

DIMENSIONS = {
    "upstream": ["well", "down", "silent", "cut", "busy", "broken", "garbage", "slow"],
    "client": ["reads", "streams", "slow", "leaves before", "leaves midway", "bad json"],
    "redis": ["absent", "well", "down", "garbage", "silent"],
    "classifier": ["well", "missing", "raises", "late", "overloaded"],
}
CASES = pairwise_cases(DIMENSIONS)
PROMPT = " ".join(f"word{number}" for number in range(60))
FAILED = {"missing", "raises", "late", "overloaded"}
# What the client is told when it waits; the upstream's own statuses pass through.
STATUS = {
    "well": 200, "slow": 200, "cut": 200, "busy": 429, "broken": 500,
    "down": 502, "garbage": 502, "silent": 504,
}  # fmt: skip
ENDING = {
    "down": Ending.UPSTREAM_UNREACHABLE,
    "silent": Ending.UPSTREAM_TIMEOUT,
    "cut": Ending.UPSTREAM_CUT,
}


def test_every_two_faults_meet() -> None:
    met = {pair for case in CASES for pair in pairs(case)}
    for one, other in (("upstream", "redis"), ("classifier", "client"), ("redis", "classifier")):
        for value in DIMENSIONS[one]:
            for second in DIMENSIONS[other]:
                assert tuple(sorted([(one, value), (other, second)])) in met


ERRORS = {"raises": RuntimeError("a bug"), "overloaded": Overloaded("too much is waiting")}


def engine(fault: str) -> type:
    """Return a class that stands where the engine does, with one thing wrong with it."""

    class FaultyEngine(FakeEngine):
        def __init__(self, **options: Any) -> None:
            super().__init__()
            self.error = ERRORS.get(fault)
            self.hold = fault == "late"

        def load(self) -> None:
            if fault == "missing":
                raise ClassifierUnavailable("the model file is missing")

        def begin(self, text: str, settings: Settings) -> FakeDraft:
            draft = super().begin(text, settings)
            if self.hold:  # past every deadline here, and done before the proxy stops
                threading.Timer(0.3, self.release).start()
            return draft

    return FaultyEngine


@contextlib.asynccontextmanager
async def redis(fault: str, valkey_url: str, tenant: str) -> AsyncIterator[CacheConfig]:
    """Yield a cache config whose shared cache is well or has something wrong with it."""
    if fault in ("absent", "well"):
        url = SecretStr(valkey_url) if fault == "well" else None
        yield CacheConfig(url=url, memory_mb=0)
        return
    if fault == "down":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            yield cache_at(bound.getsockname()[1])
        return

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(1024):
                if fault == "garbage":
                    writer.write(b"@never heard of it\r\n")
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield cache_at(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def cache_at(port: int) -> CacheConfig:
    return CacheConfig(url=SecretStr(f"redis://127.0.0.1:{port}/0"), memory_mb=0)


async def misbehave(fault: str, request: Received, connection: Connection) -> None:
    """Answer one request in the way that the case asks for."""
    if fault == "silent":
        await connection.until_closed()
    elif fault == "garbage":
        await connection.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        connection.drop()
    elif fault in ("busy", "broken"):
        error = {"error": {"message": "no", "type": "t", "param": None, "code": fault}}
        await connection.answer(STATUS[fault], json.dumps(error).encode(), JSON)
    elif b'"stream":true' in request.body:
        await connection.begin_stream()
        for event in chat_events():
            await connection.chunk(event)
            if fault == "slow":
                await asyncio.sleep(0.02)
            if fault == "cut":
                connection.drop()
                return
        await connection.last_chunk()
    else:
        body = chat_answer()
        await connection.head(200, [*JSON, ("content-length", str(len(body)))])
        half = len(body) // 2
        await connection.send(body[:half])
        if fault == "cut":
            connection.drop()
            return
        await asyncio.sleep(0.02 if fault == "slow" else 0)
        await connection.send(body[half:])


def request_of(case: Case) -> bytes:
    """Return the body that the case's client sends."""
    if case["client"] == "bad json":
        return b'{"model":"gpt-4o","messages":[{"role":"user","content":"' + PROMPT.encode()
    body = {
        "model": "gpt-4o",
        **({"stream": True} if case["client"] in ("streams", "leaves midway") else {}),
        "messages": [{"role": "user", "content": PROMPT}],
    }
    return json.dumps(body, separators=(",", ":")).encode()


async def converse(proxy: Proxy, case: Case, body: bytes) -> Answer | None:
    """Send the request and read as the case's client does; None from one that left."""
    reader, writer = await proxy.connect()
    headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {case}")]
    writer.write(request_bytes("POST", "/v1/chat/completions", headers, body))
    await writer.drain()
    try:
        if case["client"] == "leaves before":
            await asyncio.sleep(0.02)
            return None
        if case["client"] == "leaves midway":
            await soon(reader.read(1))
            return None
        data = b""
        while piece := await soon(reader.read(64 if case["client"] == "slow" else -1)):
            data += piece
        return parse_answer(data)
    finally:
        writer.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case.values()))
async def test_an_answer_or_an_error_and_one_record(
    case: Case,
    proxy_server: ProxyServer,
    upstream: FakeUpstream,
    valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "Compressor", engine(case["classifier"]))
    hasty = Policy(name="hasty", rate=0.5, min_tokens=8, deadline_ms=60)
    monkeypatch.setitem(conftest.POLICIES, "hasty", hasty)

    async def handle(request: Received, connection: Connection) -> None:
        await misbehave(case["upstream"], request, connection)

    upstream.handler = handle
    options: dict[str, Any] = {"read_timeout_seconds": 0.4, "connect_retries": 0}
    with contextlib.ExitStack() as stack:
        if case["upstream"] == "down":
            bound = stack.enter_context(socket.socket())
            bound.bind(("127.0.0.1", 0))
            options["base_url"] = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        async with redis(case["redis"], valkey_url, str(case)) as cache:
            proxy = proxy_server(upstream_options=options, policy="hasty", cache=cache)
            body = request_of(case)
            answer = await converse(proxy, case, body)
            record = await proxy.sink.next()
            await asyncio.to_thread(proxy.stop)
    assert proxy.sink.empty
    check_record(case, record)
    if answer is not None:
        check_answer(case, answer)
    for received in upstream.received:
        check_sent(case, body, received)


def check_record(case: Case, record: SavingsRecord) -> None:
    expected = {ENDING.get(case["upstream"], Ending.FINISHED)}
    if case["upstream"] == "garbage":
        expected = {Ending.UPSTREAM_CUT, Ending.UPSTREAM_UNREACHABLE}
    if case["client"].startswith("leaves"):
        expected |= {Ending.CLIENT_GONE}
    assert record.ending in expected
    if record.ending is Ending.FINISHED:
        assert record.status == STATUS[case["upstream"]]
    if case["client"] == "bad json":
        assert record.report.treatment is Treatment.PASSED
        assert record.tokens_saved == 0
    elif case["classifier"] in FAILED and not case["client"].startswith("leaves"):
        assert record.report.treatment is Treatment.FAILED_OPEN
        assert record.tokens_saved == 0


def check_answer(case: Case, answer: Answer) -> None:
    assert answer.status == STATUS[case["upstream"]]
    if answer.status in (502, 504):
        error = json.loads(answer.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "main" in error["message"]
    if case["upstream"] == "cut":
        # Never an end that looks like one: an error event, or a body that stops short.
        assert b'"error"' in answer.body or not answer.complete
        assert b"[DONE]" not in answer.body
    else:
        assert answer.complete
    if case["client"] != "bad json":
        failed = case["classifier"] in FAILED
        assert answer.value("x-tersely-outcome") == ("failed_open" if failed else "compressed")


def check_sent(case: Case, body: bytes, received: Received) -> None:
    """The original where something failed; else the same body with the prompt shortened."""
    if case["client"] == "bad json" or case["classifier"] in FAILED:
        assert received.body == body
    else:
        short, _ = every_second_word(PROMPT)
        assert received.body == body.replace(PROMPT.encode(), short.encode())
