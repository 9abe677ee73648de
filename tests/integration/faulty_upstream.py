"""An upstream that answers in each of the APIs, and fails in one way."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from proxy.savings import Ending
from tests.integration.fake_upstream import JSON, Connection, Received, chat_answer, chat_events
from tests.integration.providers import anthropic_message, anthropic_stream
from tests.integration.test_openai_responses import response, said, stream_of


@dataclass(frozen=True)
class Dialect:
    """One of the APIs: how it is asked, and how it answers."""

    path: str
    ask: Callable[[str], dict[str, Any]]
    answer: bytes
    events: Callable[[], Iterable[bytes]]
    end: bytes  # what the last event of a whole stream has in it, and no other event
    own_error: frozenset[str]  # the members of an error of the proxy's own


def messages(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


OPENAI_ERROR = frozenset({"message", "type", "param", "code"})
DIALECTS = {
    "chat": Dialect(
        "/v1/chat/completions", messages, chat_answer(), chat_events, b"[DONE]", OPENAI_ERROR
    ),
    "responses": Dialect(
        "/v1/responses",
        lambda text: {"input": text},
        json.dumps(response(said("Hello."))).encode(),
        lambda: stream_of("Hello."),
        b"response.completed",
        OPENAI_ERROR,
    ),
    "messages": Dialect(
        "/v1/messages",
        lambda text: {"max_tokens": 9, **messages(text)},
        anthropic_message({"type": "text", "text": "Hello."}),
        lambda: anthropic_stream("Hel", "lo."),
        b"message_stop",
        frozenset({"type", "message"}),
    ),
}

# What the client is told when it waits; the upstream's own statuses pass through.
STATUS = {
    "well": 200, "slow": 200, "cut": 200, "stalls": 200, "busy": 429, "broken": 500,
    "down": 502, "no tls": 502, "garbage": 502, "headless": 502, "silent": 504,
}  # fmt: skip
FAULTS = list(STATUS)
ENDINGS = {
    "down": {Ending.UPSTREAM_UNREACHABLE},
    "no tls": {Ending.UPSTREAM_UNREACHABLE},
    "silent": {Ending.UPSTREAM_TIMEOUT},
    "stalls": {Ending.UPSTREAM_TIMEOUT},
    "cut": {Ending.UPSTREAM_CUT},
    "headless": {Ending.UPSTREAM_CUT},
    "garbage": {Ending.UPSTREAM_CUT, Ending.UPSTREAM_UNREACHABLE},
}


@contextlib.asynccontextmanager
async def address(fault: str, well: str) -> AsyncIterator[str]:
    """Yield the base URL to use in place of `well`, which it is unless nothing is reached."""
    if fault == "down":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    elif fault == "no tls":

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        try:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()
    else:
        yield well


async def misbehave(
    fault: str, dialect: Dialect, request: Received, connection: Connection
) -> None:
    """Answer one request with this fault."""
    if fault == "silent":
        await connection.until_closed()
    elif fault == "headless":
        connection.drop()
    elif fault == "garbage":
        await connection.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        connection.drop()
    elif fault in ("busy", "broken"):
        await connection.answer(STATUS[fault], error_of(fault), JSON)
    elif b'"stream":true' in request.body:
        await connection.begin_stream()
        for event in dialect.events():
            await connection.chunk(event)
            if await over(fault, connection):
                return
        await connection.last_chunk()
    else:
        length = len(dialect.answer)
        await connection.head(200, [*JSON, ("content-length", str(length))])
        await connection.send(dialect.answer[: length // 2])
        if not await over(fault, connection):
            await connection.send(dialect.answer[length // 2 :])


def error_of(fault: str) -> bytes:
    """Return the body with which the upstream refuses."""
    error = {"message": "no", "type": "t", "param": None, "code": fault}
    return json.dumps({"type": "error", "error": error}).encode()


async def over(fault: str, connection: Connection) -> bool:
    """Do what the fault does in the middle of an answer; return whether that was its end."""
    if fault == "slow":
        await asyncio.sleep(0.02)
    if fault == "stalls":
        await connection.until_closed()
    if fault == "cut":
        connection.drop()
    return fault in ("stalls", "cut")
