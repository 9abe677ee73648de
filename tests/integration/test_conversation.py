"""A conversation replayed turn by turn: what went to the upstream once never changes by a byte.

Providers discount a prefix that they have seen before; a history that changes loses that.
"""

import asyncio
import json
import random
from itertools import pairwise

from compressor.evaluation.corpus.generated import Case, generate
from proxy.config import CacheConfig
from proxy.savings import Treatment
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.raw_client import parse_answer, request_bytes

TURNS = 40
LIMIT_SECONDS = 60
ASKED = (
    "Why did the nightly export fail, and what should I do before I restart it?",
    "Please list the three runs that took longest. Answer in JSON.",
    "Is that still so?",
    "Do not restart anything yet. Which of them are not supported any longer?",
)


def conversation() -> list[dict[str, object]]:
    """Return messages of 40 turns: questions, documents, tool calls with their results, answers."""
    texts = [beginning(case) for case in generate(TURNS, seed=40)]
    messages: list[dict[str, object]] = []
    for turn, text in enumerate(texts):
        asked = ASKED[turn % len(ASKED)]
        if turn % 4 == 0:  # a document with a question behind it
            messages.append({"role": "user", "content": f"{text}\n\n{asked}"})
        else:
            messages.append({"role": "user", "content": asked})
        if turn % 4 in (1, 2):  # a tool's result, in JSON or as it came
            function = {"name": "read_runs", "arguments": json.dumps({"turn": turn, "all": True})}
            call = {"id": f"call_{turn}", "type": "function", "function": function}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": text})
        said = text if turn % 4 == 3 else f"That was run {turn}, and it never finished."
        messages.append({"role": "assistant", "content": [{"type": "text", "text": said}]})
    return messages


def beginning(case: Case) -> str:
    """Return about 200 words of a text; JSON whole."""
    return case.text if case.domain == "json" else case.text[:1000]


def bodies() -> list[bytes]:
    """Return the requests, each with all messages up to one of the user's."""
    messages = conversation()
    asked = [n for n, message in enumerate(messages) if message["role"] == "user"]
    return [body(messages[: n + 1]) for n in asked]


def body(messages: list[dict[str, object]]) -> bytes:
    return json.dumps({"model": "gpt-4o", "messages": messages}, ensure_ascii=False).encode()


async def ask(proxy: Proxy, request: bytes) -> int:
    """Send a request, however long the classifier may take on a busy machine; return the status."""
    reader, writer = await proxy.connect()
    headers = [("Content-Type", "application/json")]
    writer.write(request_bytes("POST", "/v1/chat/completions", headers, request))
    async with asyncio.timeout(LIMIT_SECONDS):
        answer = parse_answer(await reader.read(-1))
    writer.close()
    return answer.status


async def sent(proxy: Proxy, upstream: FakeUpstream, request: bytes) -> bytes:
    """Return what reaches the upstream for a request."""
    assert await ask(proxy, request) == 200
    return upstream.received[-1].body


async def test_a_conversation_of_40_turns_only_grows(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(policy="conversation", cache=CacheConfig())
    replayed = [await sent(proxy, upstream, request) for request in bodies()]
    assert len(replayed) == TURNS
    for earlier, later in pairwise(replayed):
        assert later.startswith(earlier.removesuffix(b"]}"))
    assert len(replayed[-1]) < 0.9 * len(bodies()[-1])
    records = [await proxy.sink.next() for _ in range(TURNS)]
    assert all(record.report.treatment is Treatment.COMPRESSED for record in records)
    assert not any(part.failure for record in records for part in record.report.parts)
    # and from a copy that has seen nothing of it before: the same bytes
    fresh = proxy_server(policy="conversation", cache=CacheConfig())
    for turn in range(7, TURNS, 8):
        assert await sent(fresh, upstream, bodies()[turn]) == replayed[turn]


async def test_other_traffic_at_the_same_time_changes_no_byte(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    quiet = proxy_server(policy="conversation", cache=CacheConfig())
    requests = bodies()[:16]
    alone = {len(r): await sent(quiet, upstream, r) for r in requests}
    busy = proxy_server(policy="conversation", cache=CacheConfig())
    texts = map(beginning, generate(12, seed=41))
    others = [body([{"role": "user", "content": text}]) for text in texts]
    mixed = [*requests[::3], *others]
    random.Random(7).shuffle(mixed)
    before = len(upstream.received)
    answers = await asyncio.gather(*(ask(busy, request) for request in mixed))
    assert answers == [200] * len(mixed)
    received = {request.body for request in upstream.received[before:]}
    assert len(received) == len(mixed)
    assert {alone[len(request)] for request in requests[::3]} <= received
