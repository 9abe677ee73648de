"""The official clients with a note of all that they send, and an upstream with ready answers."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai

from proxy.savings import SavingsRecord, Treatment
from tests.fakes import every_second_word
from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import (
    JSON,
    OPENAI_HEADERS,
    Connection,
    FakeUpstream,
    Handler,
    Received,
)

# What clients send, and what is left of it on its way.
LONG = " ".join(f"w{number}" for number in range(40))
HALF = every_second_word(LONG)[0]
SAVED = 60  # tokens: LONG has 80, and the stand-in for the compressor counts words
# As long, for the places where nothing may change.
KEPT = " ".join(f"k{number}" for number in range(40))

WEATHER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": KEPT}},
    "required": ["city"],
    "additionalProperties": False,
}


@dataclass
class Sent:
    """Every request of a client, as it left it."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def note(self, request: Any) -> None:
        """Hook of an HTTP client: keep what this request is about to send."""
        self.lines.append((request.method, request.url.raw_path.decode()))
        self.bodies.append(await request.aread())

    def arrived(self, upstream: FakeUpstream, *, shortened: bool) -> list[Received]:
        """Check that it all arrived, with LONG as HALF if `shortened` and nothing else changed."""
        received = upstream.received
        assert [(request.method, request.target) for request in received] == self.lines
        expected = self.bodies
        if shortened:
            assert all(LONG.encode() in body for body in self.bodies)
            expected = [body.replace(LONG.encode(), HALF.encode()) for body in self.bodies]
        assert [request.body for request in received] == expected
        return received


@asynccontextmanager
async def openai_client(
    proxy: Proxy, **options: Any
) -> AsyncIterator[tuple[openai.AsyncOpenAI, Sent]]:
    """Yield openai's client, which makes no retries unless told to."""
    sent = Sent()
    http = openai.DefaultAsyncHttpxClient(event_hooks={"request": [sent.note]})
    settings: dict[str, Any] = {"api_key": "sk-x", "max_retries": 0} | options
    async with openai.AsyncOpenAI(base_url=proxy.base_url, http_client=http, **settings) as client:
        yield client, sent


@asynccontextmanager
async def anthropic_client(
    proxy: Proxy, **options: Any
) -> AsyncIterator[tuple[anthropic.AsyncAnthropic, Sent]]:
    """Yield anthropic's client, which makes no retries unless told to."""
    sent = Sent()
    http = anthropic.DefaultAsyncHttpxClient(event_hooks={"request": [sent.note]})
    settings: dict[str, Any] = {"api_key": "sk-ant", "max_retries": 0} | options
    async with anthropic.AsyncAnthropic(
        base_url=proxy.root, http_client=http, **settings
    ) as client:
        yield client, sent


async def records(proxy: Proxy, count: int = 1) -> list[SavingsRecord]:
    """Return the records of `count` requests, and check that there are no more."""
    found = [await proxy.sink.next() for _ in range(count)]
    assert proxy.sink.empty
    return found


async def one_record(proxy: Proxy, treatment: Treatment = Treatment.COMPRESSED) -> SavingsRecord:
    """Return the only record, whose request was treated so."""
    [record] = await records(proxy)
    assert record.report.treatment is treatment, record
    return record


Ready = Mapping[str, Any] | bytes | tuple[bytes, str] | list[bytes]


def ready(answers: Mapping[str, Ready | list[Ready]]) -> Handler:
    """Return a handler that has the answer to each `METHOD /path?query`, and 404 for the others.

    An answer is a JSON object, bytes of JSON, bytes with their content type, or a list of events,
    which makes a stream.
    """

    async def answer(request: Received, connection: Connection) -> None:
        found = answers.get(f"{request.method} {request.target}")
        if found is None:
            message = f"no answer to {request.method} {request.target}"
            body = json.dumps({"error": {"message": message}}).encode()
            await connection.answer(404, body, JSON)
        elif isinstance(found, list):
            await connection.begin_stream(OPENAI_HEADERS)
            for event in found:
                assert isinstance(event, bytes)
                await connection.chunk(event)
            await connection.last_chunk()
        elif isinstance(found, tuple):
            data, kind = found
            await connection.answer(200, data, [("Content-Type", kind), *OPENAI_HEADERS])
        else:
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            await connection.answer(200, body, [*JSON, *OPENAI_HEADERS])

    return answer


def data_events(events: Iterable[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
    """Return server-sent events that have data alone, with OpenAI's end."""
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return [*lines, b"data: [DONE]\n\n"] if done else lines


def typed_events(events: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Return server-sent events with their type in the `event` field too, numbered in order."""
    numbered = [dict(event) | {"sequence_number": number} for number, event in enumerate(events)]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in numbered]
