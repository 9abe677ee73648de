"""A changed config on a real server, while requests are running."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.access import digest_of, new_key
from tests.integration.conftest import soon
from tests.integration.fake_upstream import Connection, FakeUpstream, Received
from tests.integration.raw_client import Answer, parse_answer, request_bytes
from tests.integration.served import Served, served

FIRST, SECOND = new_key(), new_key()
CHAT = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi."}]}'


def written(upstream: FakeUpstream, keys: Path, more: str = "") -> str:
    return f"""\
upstreams: {{up: {{base_url: "{upstream.base_url}", api_key_env: UP}}}}
routes: [{{policy: off, upstream: up}}]
access: {{keys_file: "{keys}"}}
savings: {{path: "{keys.parent / "savings.db"}"}}
{more}
"""


def bearer(key: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {key}")]


async def ask(proxy: Served, target: str, key: str | None = None) -> Answer:
    headers = bearer(key) if key else []
    return parse_answer(await proxy.send(request_bytes("GET", target, headers)))


async def until_counted(proxy: Served, line: str) -> None:
    """Wait for a line of /metrics."""
    async with asyncio.timeout(20):
        while line not in (await ask(proxy, "/metrics")).body.decode().splitlines():
            await asyncio.sleep(0.05)


@pytest.fixture
async def other() -> AsyncIterator[FakeUpstream]:
    """Where requests go later."""
    fake = FakeUpstream()
    await fake.start()
    yield fake
    await fake.close()


async def test_a_new_config_serves_new_requests_and_the_old_finishes_its_own(
    tmp_path: Path, upstream: FakeUpstream, other: FakeUpstream
) -> None:
    go_on = asyncio.Event()

    async def slow(request: Received, connection: Connection) -> None:
        await connection.begin_stream()
        await connection.chunk(b"data: 1\n\n")
        await go_on.wait()
        await connection.chunk(b"data: 2\n\n")
        await connection.last_chunk()

    upstream.handler = slow
    config, keys = tmp_path / "config.yaml", tmp_path / "keys.yaml"
    keys.write_text(f"a: {{sha256: {digest_of(FIRST)}}}\n")
    config.write_text(written(upstream, keys))
    async with served(config, {"UP": "sk-up"}) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(request_bytes("POST", "/v1/chat/completions", bearer(FIRST), CHAT))
        begun = await soon(reader.readuntil(b"data: 1\n\n"))

        # Another upstream, another key and a port that takes a restart; half-way a broken file.
        keys.write_text(f"b: {{sha256: {digest_of(SECOND)}}}\n")
        await until_counted(proxy, 'tersely_config_reloads_total{result="succeeded"} 1.0')
        config.write_text(written(other, keys, "server: {port: 1}\nnonsense: true"))
        await until_counted(proxy, 'tersely_config_reloads_total{result="failed"} 1.0')
        await until_counted(proxy, "tersely_config_last_reload_successful 0.0")
        ready = await ask(proxy, "/readyz")
        assert "the one before holds" in json.loads(ready.body)["degraded"]["config"]
        assert b"nonsense" not in ready.body

        config.write_text(written(other, keys, "server: {port: 1}"))
        await until_counted(proxy, "tersely_config_last_reload_successful 1.0")
        assert "config" not in json.loads((await ask(proxy, "/readyz")).body)["degraded"]
        # revoked, and given out
        assert (await ask(proxy, "/v1/models", FIRST)).status == 401
        assert (await ask(proxy, "/v1/models", SECOND)).status == 200
        assert len(other.received) == 1
        assert len(upstream.received) == 1

        # What had begun ends where it began; then the old connections are closed.
        assert not upstream.connections[0].closed.is_set()
        go_on.set()
        rest = await soon(reader.read(-1))
        writer.close()
        assert parse_answer(begun + rest).complete
        assert b"data: 2\n\n" in rest
        await soon(upstream.connections[0].closed.wait())

        out, errors = await proxy.stop()
    log = errors.decode()
    assert "was read again: upstreams; as they were until a restart: server.port" in log
    assert f"{config}:6: nonsense: is not a known key" in log
    assert len(out.splitlines()) == 3


async def test_sighup_has_the_config_read_at_once(tmp_path: Path, upstream: FakeUpstream) -> None:
    config, keys = tmp_path / "config.yaml", tmp_path / "keys.yaml"
    keys.write_text(f"a: {{sha256: {digest_of(FIRST)}}}\n")
    config.write_text(written(upstream, keys))
    async with served(config, {"UP": "sk-up"}) as proxy:
        os.kill(proxy.process.pid, signal.SIGHUP)
        await until_counted(proxy, 'tersely_config_reloads_total{result="succeeded"} 1.0')
        assert (await ask(proxy, "/v1/models", FIRST)).status == 200
        _, errors = await proxy.stop()
    assert b"was read again: nothing in it has changed" in errors
