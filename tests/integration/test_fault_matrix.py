"""API x upstream x client x Redis x classifier, each failing in every way: pairs together.

The client always gets an answer or a correct error, and exactly one record is written.
"""

import asyncio
import json
import threading
from itertools import combinations
from typing import Any

import pytest

from compressor import build
from compressor.cache import PartKey
from compressor.classifier.base import ClassifierUnavailable
from compressor.pool import Overloaded
from compressor.shared_cache import Found, SharedCache
from compressor.types import Settings
from policies.types import Policy
from proxy.savings import Ending, SavingsRecord, Treatment
from tests.compressor.fake_engine import FakeDraft, FakeEngine
from tests.fakes import every_second_word
from tests.integration import conftest, faulty_redis, faulty_upstream
from tests.integration.conftest import Proxy, ProxyServer, soon
from tests.integration.fake_upstream import Connection, FakeUpstream, Received
from tests.integration.faulty_redis import redis
from tests.integration.faulty_upstream import (
    DIALECTS,
    ENDINGS,
    STATUS,
    Dialect,
    error_of,
    misbehave,
)
from tests.integration.pairwise import Case, pairs, pairwise_cases
from tests.integration.raw_client import Answer, parse_answer, request_bytes

DIMENSIONS = {
    "dialect": list(DIALECTS),
    "upstream": faulty_upstream.FAULTS,
    "client": [
        "reads",
        "streams",
        "slow",
        "leaves uploading",
        "leaves before",
        "leaves midway",
        "bad json",
    ],
    "redis": faulty_redis.FAULTS,
    "classifier": ["well", "missing", "raises", "late", "overloaded"],
}
PAIRS = pairwise_cases(DIMENSIONS)
REST = {"client": "streams", "redis": "absent", "classifier": "well"}
# How a stream that breaks ends differs from API to API, so these three meet as well.
BROKEN = [
    {"dialect": api, "upstream": how, **REST} for api in DIALECTS for how in ("cut", "stalls")
]
CASES = [*PAIRS, *(case for case in BROKEN if case not in PAIRS)]
PROMPT = " ".join(f"word{number}" for number in range(60))
FAILED = {"missing", "raises", "late", "overloaded"}


def test_every_two_faults_meet() -> None:
    met = {pair for case in PAIRS for pair in pairs(case)}
    for one, other in combinations(DIMENSIONS, 2):
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


async def test_a_redis_that_answers_errors_and_one_that_dies() -> None:
    part = PartKey.of(PROMPT, Settings(rate=0.5), "tenant")
    for fault, trouble in (("errors", "OutOfMemoryError"), ("dies", "ConnectionError")):
        async with redis(fault, "") as config:
            assert config.url is not None
            cache = SharedCache(config.url.get_secret_value(), call_budget_ms=5000)
            assert await cache.find(part, part.entry("1")) == Found()
            assert trouble in (cache.degraded() or "")
            await cache.close()


def request_of(case: Case) -> bytes:
    """Return the body that the case's client sends."""
    streams = case["client"] in ("streams", "leaves midway")
    asked = DIALECTS[case["dialect"]].ask(PROMPT)
    body = {"model": "gpt-4o", **({"stream": True} if streams else {}), **asked}
    data = json.dumps(body, separators=(",", ":")).encode()
    return data[:-1] if case["client"] == "bad json" else data


async def converse(proxy: Proxy, case: Case, body: bytes) -> Answer | None:
    """Send the request and read as the case's client does; None from one that left."""
    reader, writer = await proxy.connect()
    headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {case}")]
    request = request_bytes("POST", DIALECTS[case["dialect"]].path, headers, body)
    uploads = case["client"] != "leaves uploading"
    writer.write(request if uploads else request[: -len(body) // 2])
    await writer.drain()
    try:
        if case["client"] in ("leaves before", "leaves uploading"):
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
    # Short only where it is to be missed: a busy machine can take 60 ms for anything.
    deadline_ms = 60 if case["classifier"] == "late" else 10_000
    hasty = Policy(name="hasty", rate=0.5, min_tokens=8, deadline_ms=deadline_ms)
    monkeypatch.setitem(conftest.POLICIES, "hasty", hasty)
    dialect = DIALECTS[case["dialect"]]

    async def handle(request: Received, connection: Connection) -> None:
        await misbehave(case["upstream"], dialect, request, connection)

    upstream.handler = handle
    async with (
        faulty_upstream.address(case["upstream"], upstream.base_url) as base_url,
        redis(case["redis"], valkey_url) as cache,
    ):
        options = {"base_url": base_url, "read_timeout_seconds": 0.4, "connect_retries": 0}
        proxy = proxy_server(upstream_options=options, policy="hasty", cache=cache)
        body = request_of(case)
        answer = await converse(proxy, case, body)
        record = await proxy.sink.next()
        await asyncio.to_thread(proxy.stop)
    assert proxy.sink.empty
    assert record.path == dialect.path
    check_record(case, record)
    if answer is not None:
        check_answer(case, dialect, answer)
    for received in upstream.received:
        assert case["client"] != "leaves uploading"
        check_sent(case, body, received)


def check_record(case: Case, record: SavingsRecord) -> None:
    expected = ENDINGS.get(case["upstream"], {Ending.FINISHED})
    if case["client"] == "leaves uploading":
        expected = {Ending.CLIENT_GONE}
    elif case["client"].startswith("leaves"):
        expected = expected | {Ending.CLIENT_GONE}
    assert record.ending in expected
    if record.ending is Ending.FINISHED:
        assert record.status == STATUS[case["upstream"]]
    if case["client"] == "bad json":
        assert record.report.treatment is Treatment.PASSED
        assert record.tokens_saved == 0
    elif case["classifier"] in FAILED and not case["client"].startswith("leaves"):
        assert record.report.treatment is Treatment.FAILED_OPEN
        assert record.tokens_saved == 0


def check_answer(case: Case, dialect: Dialect, answer: Answer) -> None:
    assert answer.status == STATUS[case["upstream"]]
    if answer.status in (502, 504):
        error = json.loads(answer.body)["error"]
        assert set(error) == dialect.own_error
        assert "main" in error["message"]
    if answer.status in (429, 500):
        assert answer.body == error_of(case["upstream"])
    if case["upstream"] in ("cut", "stalls"):
        # Never an end that looks like one: an error event, or a body that stops short.
        assert b'"error"' in answer.body or not answer.complete
        assert dialect.end not in answer.body
    else:
        assert answer.complete
        if answer.status == 200:
            streamed = b"".join(dialect.events())
            assert answer.body == (streamed if case["client"] == "streams" else dialect.answer)
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
