"""Nothing that a client sent, and no key, is in a log, a record, a metric or an error of ours.

Every secret has the mark in it; afterwards all that the proxy wrote anywhere is searched for it.
"""

import base64
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from typer.testing import CliRunner

from proxy.access import digest_of, new_key
from proxy.cli import build
from tests.integration.conftest import ProxyServer
from tests.integration.fake_upstream import JSON, Connection, FakeUpstream, Received, well_behaved
from tests.integration.fake_websocket import FakeSocket, accepting
from tests.integration.raw_client import chat, request_bytes
from tests.integration.served import served
from tests.proxy.config_files import FERNET_KEY

MARK = "Zq7SecretZq7"
KEY = new_key()
PROMPT = f"The password of the vault is {MARK} and nobody may know it. " * 30
CHAT = "/v1/chat/completions"

CONFIG = """\
server: {{port: 0, max_parse_bytes: 20000}}
upstreams:
  main: {{base_url: "{upstream}", api_key_env: PROVIDER_KEY, connect_retries: 0}}
  dead: {{base_url: "http://127.0.0.1:1/v1", connect_retries: 0}}
  slow: {{base_url: "{upstream}", api_key_env: PROVIDER_KEY, read_timeout_seconds: 0.2}}
policies:
  half: {{rate: 0.5, min_tokens: 20}}
routes:
  - {{match: {{headers: {{x-to: dead}}}}, policy: half, upstream: dead}}
  - {{match: {{headers: {{x-to: slow}}}}, policy: half, upstream: slow}}
  - {{policy: half, upstream: main}}
access:
  keys:
    ci: {{sha256: {digest}, control_headers: true, models: ["gpt-*"]}}
cache: {{url_env: REDIS, encryption_key_env: CACHE_KEY, call_budget_ms: 500}}
savings: {{path: "{ledger}", stream: "{stream}"}}
"""


async def misbehaving(request: Received, connection: Connection) -> None:
    """Answer as the request's x-be header says, with the mark where it could end up in a log."""
    match request.value("x-be"):
        case "garbage":
            await connection.send(f"{MARK} is not HTTP\r\n\r\n".encode())
            connection.drop()
        case "header":
            await connection.send(f"HTTP/1.1 200 OK\r\n{MARK}\r\n\r\n".encode())
            connection.drop()
        case "gone":
            connection.drop()
        case "cut":
            await connection.begin_stream()
            await connection.chunk(f'data: {{"choices":[{{"a":"{MARK}"'.encode())
            connection.drop()
        case "refuse":
            body = json.dumps({"error": {"message": f"Incorrect key: sk-{MARK}"}}).encode()
            await connection.answer(401, body, JSON)
        case "silent":
            await connection.until_closed()
        case "socket":
            await accepting(_says_too_much)(request, connection)
        case _:
            await well_behaved(request, connection)


async def _says_too_much(socket: FakeSocket) -> None:
    await socket.send(MARK)
    await socket.connection.send(b"\x83" + MARK.encode())  # no frame


def body(**changes: Any) -> bytes:
    message = {"role": "user", "content": PROMPT}
    return json.dumps({"model": "gpt-4o", "messages": [message]} | changes).encode()


SWAP = ("Authorization", f"Bearer {KEY}")
OWN = ("Authorization", f"Bearer sk-{MARK}")
REALTIME = "/v1/realtime?model=gpt-realtime"
UPGRADE = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
]
SUBPROTOCOL = "Sec-WebSocket-Protocol"
ATTEMPTS: list[tuple[str, str, list[tuple[str, str]], bytes | None]] = [
    # served
    ("POST", CHAT, [SWAP], body()),
    ("POST", CHAT, [SWAP], body(stream=True)),
    ("POST", CHAT, [("x-tersely-key", KEY), OWN, ("Cookie", f"s={MARK}")], body()),
    ("GET", f"/v1/models?key={MARK}", [SWAP], None),
    ("POST", CHAT, [SWAP, ("x-be", "refuse")], body()),
    ("GET", REALTIME, [SWAP, *UPGRADE, ("x-be", "socket")], None),
    ("GET", REALTIME, [*UPGRADE, (SUBPROTOCOL, f"openai-insecure-api-key.{KEY}")], None),
    ("GET", REALTIME, [SWAP, *UPGRADE, (SUBPROTOCOL, f"a, openai-insecure-api-key.{MARK}")], None),
    # keys that are not valid, in every place
    ("GET", f"{REALTIME}&api-key={MARK}", UPGRADE, None),
    ("GET", REALTIME, [*UPGRADE, (SUBPROTOCOL, f"a, openai-insecure-api-key.{MARK}")], None),
    ("GET", REALTIME, [SWAP, *UPGRADE, (SUBPROTOCOL, f"a, {KEY}")], None),
    ("POST", CHAT, [OWN], body()),
    ("POST", CHAT, [("Authorization", f"Basic {MARK}")], body()),
    ("POST", CHAT, [("Authorization", f"Bearer tsly_{MARK}")], body()),
    ("POST", CHAT, [("x-api-key", f"tsly_{MARK}")], body()),
    ("POST", CHAT, [("api-key", f"sk-{MARK}")], body()),
    ("POST", CHAT, [("x-tersely-key", f"tsly_{MARK}"), OWN], body()),
    ("POST", CHAT, [("Proxy-Authorization", f"Basic {MARK}")], body()),
    ("POST", CHAT, [SWAP, ("x-api-key", f"tsly_{MARK}")], body()),
    ("POST", CHAT, [("x-tersely-key", KEY), SWAP], body()),
    ("GET", f"/v1/models?k={KEY}", [SWAP], None),
    # bodies that cannot be read
    ("POST", CHAT, [SWAP], body()[:-1]),
    ("POST", CHAT, [SWAP], f'{{"model":"gpt-4o","x":"{MARK}",}}'.encode()),
    ("POST", CHAT, [SWAP], f'{{"model":"gpt-4o","messages":"{MARK}"}}'.encode()),
    ("POST", CHAT, [SWAP], MARK.encode() + b"\xff\xfe"),
    ("POST", CHAT, [SWAP, ("Content-Encoding", "gzip")], MARK.encode()),
    ("POST", CHAT, [SWAP], body(padding=MARK * 3000)),
    ("POST", "/v1/embeddings", [SWAP], json.dumps({"input": PROMPT}).encode()),
    ("POST", CHAT, [SWAP, ("x-tersely-rate", "nonsense")], body()),
    ("POST", "/elsewhere", [SWAP], body()),
    # upstreams with a bad day
    ("POST", CHAT, [("x-tersely-key", KEY), OWN, ("x-to", "dead")], body()),
    ("POST", CHAT, [SWAP, ("x-to", "dead")], body()),
    ("POST", CHAT, [SWAP, ("x-to", "slow"), ("x-be", "silent")], body()),
    ("POST", CHAT, [SWAP, ("x-be", "garbage")], body()),
    ("GET", REALTIME, [SWAP, *UPGRADE, ("x-be", "garbage")], None),
    ("POST", CHAT, [SWAP, ("x-be", "header")], body()),
    ("POST", CHAT, [SWAP, ("x-be", "gone")], body()),
    ("POST", CHAT, [SWAP, ("x-be", "cut")], body(stream=True)),
]
# Answers that pass on what the upstream says, and so may say it again.
FROM_UPSTREAM = {"refuse", "cut", "socket"}


async def test_no_secret_is_written_anywhere(
    tmp_path: Path, upstream: FakeUpstream, valkey_url: str
) -> None:
    upstream.handler = misbehaving
    ledger, config = tmp_path / "savings.db", tmp_path / "config.yaml"
    stream = f"test:{tmp_path.name}"
    config.write_text(
        CONFIG.format(
            upstream=upstream.base_url, digest=digest_of(KEY), ledger=ledger, stream=stream
        )
    )
    provider = f"sk-provider-{MARK}"
    environ = {"PROVIDER_KEY": provider, "REDIS": valkey_url, "CACHE_KEY": FERNET_KEY}
    said: list[bytes] = []
    async with served(config, environ) as proxy:
        for method, target, headers, content in ATTEMPTS:
            answer = await proxy.send(request_bytes(method, target, headers, content))
            if not FROM_UPSTREAM & {value for _, value in headers}:
                said.append(answer)
        said.append(await proxy.send(f"GET /{MARK}\0 HTTP/1.1\r\n{MARK}\r\n\r\n".encode()))
        probes = [request_bytes("GET", path) for path in ("/metrics", "/readyz", "/healthz")]
        said += [await proxy.send(probe) for probe in probes]
        out, errors = await proxy.stop()
    with contextlib.closing(sqlite3.connect(ledger)) as database:
        rows = "\n".join(database.iterdump())
    async with redis.asyncio.Redis.from_url(valkey_url) as client:
        entries = repr(await client.xrange(stream))
        kept = [repr(await client.dump(key)) + repr(key) async for key in client.scan_iter("*")]
    everything = {
        "answers": b"".join(said).decode("utf-8", "replace"),
        "standard output": out.decode(),
        "standard error": errors.decode(),
        "ledger": rows,
        "ledger's file": ledger.read_bytes().decode("latin-1"),
        "stream": entries,
        "redis": "".join(kept),
    }
    assert len(out.splitlines()) == len(ATTEMPTS) - 1  # /elsewhere is not on record
    for where, text in everything.items():
        assert MARK not in text, _around(text, MARK, where)
        assert KEY not in text, _around(text, KEY, where)
        assert digest_of(KEY) not in text, where
        assert base64.b64encode(MARK.encode()).decode()[:12] not in text, where
    # it was not for want of requests: the upstream has seen both
    assert any(MARK.encode() in request.body for request in upstream.received)
    assert any(
        request.value("authorization") == f"Bearer {provider}" for request in upstream.received
    )


def _around(text: str, mark: str, where: str) -> str:
    at = text.index(mark)
    return f"{where}: ...{text[max(0, at - 300) : at + 100]}..."


class _BadPrompt(Exception):
    """A bug that quotes what it was about."""


async def test_a_bug_is_logged_without_its_words(
    proxy_server: ProxyServer, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = proxy_server(policy="half")
    try:
        raise ValueError(PROMPT)
    except ValueError as cause:
        proxy.compressor.raises = _BadPrompt(PROMPT)
        proxy.compressor.raises.__cause__ = cause
    answer = await chat(proxy, body())
    assert answer.status == 200  # fail open
    assert (await proxy.sink.next()).report.treatment == "failed_open"
    logged = "\n".join(record.getMessage() + repr(record.exc_info) for record in caplog.records)
    assert "_BadPrompt" in logged
    assert "tests/fakes.py" in logged  # where it was
    assert "ValueError" in logged
    assert MARK not in logged


async def test_a_bug_elsewhere_is_answered_and_logged_without_its_words(
    proxy_server: ProxyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise _BadPrompt(PROMPT)

    monkeypatch.setattr("proxy.exchange.tap_for", broken)
    answer = await chat(proxy_server(), body())
    assert answer.status == 500
    assert MARK.encode() not in answer.body
    assert "_BadPrompt" in caplog.text
    assert MARK not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        f"upstreams: {{a: {{base_url: 'https://x/v1', api_key: sk-{MARK}}}}}",
        f"upstreams: {{a: {{base_url: 'https://x/v1', api_key_env: sk-{MARK}}}}}",
        f"upstreams: {{a: {{base_url: 'https://u:{MARK}@x/v1'}}}}",
        f"upstreams: {{a: {{base_url: 'https://u:{MARK}@[x/v1'}}}}",
        f"upstreams: {{a: {{base_url: 'https://x/v1', params: {{api_key: {MARK}}}}}}}",
        f"cache: {{url: 'redis://u:{MARK}@h:notaport'}}",
        f"cache: {{url: 'http://u:{MARK}@h'}}",
        f"cache: {{encryption_key: {MARK}}}",
        f"cache: {{encryption_key_env: '{MARK}='}}",
        f"access: {{keys: {{k: {{sha256: tsly_{MARK}}}}}}}",
        f"access: {{keys: {{k: {{sha256: {MARK}}}}}}}",
        f"access: {{keys: {{k: {{sha256: [{MARK}]}}}}}}",
        f"access:\n  keys:\n\tk: {MARK}\n",
        f"savings: 'unfinished {MARK}\n",
    ],
)
def test_a_bad_config_is_explained_without_its_secrets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    for command in (["check-config", str(path)], ["serve", "--config", str(path)]):
        result = CliRunner().invoke(build(), command)
        assert result.exit_code in (1, 2)
        assert f"{path}:" in result.output
        assert MARK not in result.output
