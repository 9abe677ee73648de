"""A real proxy on a real port, with an upstream that does what the test says."""

import asyncio
import queue
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from compressor.tokens import DEFAULT_ENCODING, Tokenizers
from policies.types import Policy, Role, Route
from proxy.app import create_app
from proxy.config import CacheConfig, Config, ServerConfig
from proxy.config_access import AccessConfig
from proxy.config_upstream import UpstreamConfig
from proxy.savings import SavingsRecord
from proxy.server import uvicorn_config
from tests.fakes import FakeCompressor
from tests.integration.fake_upstream import FakeUpstream

LIMIT_SECONDS = 10
START_SECONDS = 60  # an upstream that goes through litellm has it imported first


class QueueSink:
    """Keeps records, and can be waited on from another thread's loop."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self._records: queue.Queue[SavingsRecord] = queue.Queue()

    async def start(self) -> None:
        pass

    def write(self, record: SavingsRecord) -> None:
        self._records.put(record)

    def degraded(self) -> str | None:
        return self.trouble

    async def close(self) -> None:
        pass

    async def next(self) -> SavingsRecord:
        """Return the next record once it is there."""
        return await asyncio.to_thread(self._records.get, timeout=LIMIT_SECONDS)

    @property
    def empty(self) -> bool:
        return self._records.empty()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.up.set()


@dataclass
class Proxy:
    """A running proxy and what it was given."""

    port: int
    server: _Server
    thread: threading.Thread
    sink: QueueSink
    compressor: FakeCompressor

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    def call(self, action: Callable[[], Any]) -> None:
        """Run something in the proxy's own loop."""
        assert self.server.loop is not None
        self.server.loop.call_soon_threadsafe(action)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def raw(self, request: bytes) -> bytes:
        """Send bytes and return all that comes until the proxy closes."""
        reader, writer = await self.connect()
        writer.write(request)
        async with asyncio.timeout(LIMIT_SECONDS):
            answer = await reader.read(-1)
        writer.close()
        return answer

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(LIMIT_SECONDS)
        assert not self.thread.is_alive()


POLICIES = {
    "half": Policy(name="half", rate=0.5, min_tokens=8),
    "off": Policy(name="off", mode="off"),
    "quarter": Policy(name="quarter", rate=0.25, min_tokens=8, deadline_ms=60_000),
    "asked": Policy(name="asked", rate=0.25, min_tokens=8, deadline_ms=60_000, question_aware=True),
    "conversation": Policy(
        name="conversation",
        rate=0.5,
        min_tokens=8,
        deadline_ms=60_000,
        json_prose=True,
        roles=frozenset({Role.USER, Role.ASSISTANT, Role.TOOL}),
    ),
    "shadow": Policy(name="shadow", mode="shadow", rate=0.5, min_tokens=8),
}

ProxyServer = Callable[..., Proxy]


@pytest.fixture(scope="session")
def tokenizers() -> Tokenizers:
    """The real ones, loaded once for every proxy."""
    tokenizers = Tokenizers()
    tokenizers.counter(DEFAULT_ENCODING)
    return tokenizers


@pytest.fixture(scope="session")
def stopping() -> Iterator[list[Proxy]]:
    """Proxies that were told to stop; uvicorn takes a moment, which no test has to wait for."""
    proxies: list[Proxy] = []
    yield proxies
    for proxy in proxies:
        proxy.thread.join(LIMIT_SECONDS)
        assert not proxy.thread.is_alive()


@pytest.fixture
def proxy_server(
    upstream: FakeUpstream, stopping: list[Proxy], tokenizers: Tokenizers
) -> Iterator[ProxyServer]:
    """Return a function that starts a proxy; its arguments override parts of the config."""
    running: list[Proxy] = []

    def start(
        *,
        upstream_options: dict[str, Any] | None = None,
        server: dict[str, Any] | None = None,
        upstreams: dict[str, UpstreamConfig] | None = None,
        routes: Sequence[Route] = (),
        policy: str = "half",
        compressor: FakeCompressor | None = None,
        cache: CacheConfig | None = None,
        access: dict[str, Any] | None = None,
        catch_all: bool = True,
    ) -> Proxy:
        options = {"base_url": upstream.base_url} | (upstream_options or {})
        config = Config(
            server=ServerConfig(host="127.0.0.1", port=0, shutdown_seconds=1, **(server or {})),
            upstreams={"main": UpstreamConfig(**options)} | (upstreams or {}),
            policies=POLICIES,
            routes=(*routes, *[Route(policy=policy, upstream="main")][: int(catch_all)]),
            cache=cache or CacheConfig(),
            access=AccessConfig.model_validate(access or {}),
        )
        # With a cache of the test's own, the compressor that the config asks for is built.
        built = cache is not None
        proxy = _started(config, None if built else compressor or FakeCompressor(), tokenizers)
        running.append(proxy)
        return proxy

    yield start
    for proxy in running:
        proxy.server.should_exit = True
    stopping += running


def _started(config: Config, compressor: FakeCompressor | None, tokenizers: Tokenizers) -> Proxy:
    sink = QueueSink()
    app = create_app(config, compressor=compressor, sinks=[sink], tokenizers=tokenizers)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = _Server(uvicorn_config(app, config.server))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert server.up.wait(START_SECONDS), "the proxy did not start"
    return Proxy(listener.getsockname()[1], server, thread, sink, compressor or FakeCompressor())


@pytest.fixture
def proxy(proxy_server: ProxyServer) -> Proxy:
    """A proxy with everything at its default."""
    return proxy_server()


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    """The upstream of every proxy of the test."""
    fake = FakeUpstream()
    await fake.start()
    yield fake
    await fake.close()


async def soon(what: Awaitable[Any]) -> Any:
    """Wait for something that has to happen, with a limit that only a failure reaches."""
    async with asyncio.timeout(LIMIT_SECONDS):
        return await what
