"""test_redaction.py's twin for `via: litellm`: no secret is in a log, a record or an error of ours.

litellm quotes messages, answers and tracebacks in its exceptions. Every secret has the mark in it.
"""

import contextlib
import itertools
import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received
from tests.integration.raw_client import request_bytes
from tests.integration.served import served
from tests.integration.test_redaction import MARK, PROMPT

PROVIDERS = {
    "anthropic": "anthropic/claude",
    "bedrock": "bedrock/amazon.nova-lite-v1:0",
    "gemini": "gemini/gemini-2.0-flash",
    "mistral": "mistral/mistral-small",
    "ollama": "ollama_chat/llama3",
    "openai": "openai/gpt-4o",
}
UPSTREAM = (
    '  {name}: {{via: litellm, base_url: "{url}", models: {{{name}: "{model}"}}, '
    "connect_retries: 0, params: {{aws_region_name: eu-central-1}}}}\n"
)
CONFIG = """\
server: {{port: 0}}
upstreams:
{upstreams}
policies:
  half: {{rate: 0.5, min_tokens: 20}}
routes:
{routes}
savings: {{path: "{ledger}"}}
"""
HEADERS = [*JSON, ("Authorization", f"Bearer sk-{MARK}")]
USER = {"role": "user", "content": PROMPT}
PICTURE = {"type": "image_url", "image_url": {"url": f"data:{MARK}"}}
# What litellm may stumble over before it sends anything.
ODD: list[dict[str, Any]] = [
    {"messages": [{"role": MARK, "content": PROMPT}]},
    {"messages": [{"role": "user", "content": 7, "name": MARK}]},
    {"messages": [{"role": "tool", "content": PROMPT}]},
    {"messages": [{"role": "user", "content": [PICTURE]}]},
    {"messages": [{"content": PROMPT}]},
    {"messages": [USER], "tools": [{"type": "function", "function": MARK}]},
    {"messages": [USER], "tools": [{"type": "function"}], "tool_choice": {"type": MARK}},
    {"messages": [USER], "response_format": {"type": "json_schema", "json_schema": MARK}},
    {"messages": [USER], "stop": {MARK: 1}, "temperature": MARK, "max_tokens": MARK},
]


class Provider:
    """Answers as it is told, with the mark where it could end up in an error or a log."""

    behaviour = ""

    async def __call__(self, request: Received, connection: Connection) -> None:
        match self.behaviour:
            case "refuses":
                await connection.answer(400, b'{"error":{"message":"theirs"}}', JSON)
            case "refuses without JSON":
                await connection.answer(503, b"busy", [("Content-Type", "text/plain")])
            case "other JSON":
                await connection.answer(200, json.dumps({MARK: 1}).encode(), JSON)
            case "other types":
                choice = {"message": {"role": "assistant", "content": MARK, "refusal": {MARK: 1}}}
                body = {"id": 1, "created": MARK, "model": 7, "choices": [choice], "usage": MARK}
                await connection.answer(200, json.dumps(body).encode(), JSON)
            case "no JSON":
                await connection.answer(200, f"{MARK} is no JSON".encode(), JSON)
            case "other event":
                await connection.begin_stream()
                event = json.dumps({"type": "content_block_delta", MARK: 1})
                await connection.chunk(f"event: content_block_delta\ndata: {event}\n\n".encode())
                await connection.last_chunk()
            case "half an event":
                await connection.begin_stream()
                await connection.chunk(f'data: {{"choices":[{{"a":"{MARK}"'.encode())
                connection.drop()
            case "no HTTP":
                await connection.send(f"{MARK} is not HTTP\r\n\r\n".encode())
                connection.drop()
            case "no header":
                await connection.send(f"HTTP/1.1 200 OK\r\n{MARK}\r\n\r\n".encode())
                connection.drop()
            case _:
                connection.drop()


BEHAVIOURS = (
    "refuses",
    "refuses without JSON",
    "other JSON",
    "other types",
    "no JSON",
    "other event",
    "half an event",
    "no HTTP",
    "no header",
    "gone",
)


async def test_no_secret_is_in_an_error_or_written_anywhere(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    upstream.handler = provider = Provider()
    ledger, config = tmp_path / "savings.db", tmp_path / "config.yaml"
    config.write_text(written(upstream.base_url.removesuffix("/v1"), ledger))
    errors: list[bytes] = []
    async with served(config, {}) as proxy:

        async def ask(model: str, **members: Any) -> None:
            body = json.dumps({"model": model} | members).encode()
            request = request_bytes("POST", "/v1/chat/completions", HEADERS, body)
            answer = await proxy.send(request)
            head = answer.partition(b"\r\n")[0]
            assert b" 500 " not in head, (provider.behaviour, answer)
            if b" 200 " not in head or b"upstream_cut" in answer:
                errors.append(f"{model}, {provider.behaviour}: ".encode() + answer)

        for model, stream in itertools.product(PROVIDERS, (False, True)):
            for behaviour in BEHAVIOURS:
                provider.behaviour = behaviour
                await ask(model, messages=[USER], stream=stream)
            for members in ODD:
                await ask(model, **members, stream=stream)
        out, err = await proxy.stop()
    with contextlib.closing(sqlite3.connect(ledger)) as database:
        rows = "\n".join(database.iterdump())
    written_down = [out.decode(), err.decode(), rows]
    for text in [*(error.decode("utf-8", "replace") for error in errors), *written_down]:
        assert MARK not in text, text[max(0, text.index(MARK) - 300) : text.index(MARK) + 100]
        assert "Traceback" not in text, text[:2000]
    # it was not for want of requests
    assert sum(MARK.encode() in request.body for request in upstream.received) > 60
    assert len(errors) > 60


def written(url: str, ledger: Path) -> str:
    upstreams = "".join(
        UPSTREAM.format(name=name, url=url, model=model) for name, model in PROVIDERS.items()
    )
    routes = "".join(
        f"  - {{match: {{model: {name}}}, policy: half, upstream: {name}}}\n" for name in PROVIDERS
    )
    catch_all = f"  - {{policy: half, upstream: {next(iter(PROVIDERS))}}}\n"
    return CONFIG.format(upstreams=upstreams, routes=routes + catch_all, ledger=ledger)
