"""A shared cache that is well or fails in one way."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator

from pydantic import SecretStr

from proxy.config import CacheConfig

FAULTS = ["absent", "well", "down", "garbage", "silent", "errors", "dies"]
COMMAND = re.compile(rb"^\*\d+\r\n", re.MULTILINE)


@contextlib.asynccontextmanager
async def redis(fault: str, valkey_url: str) -> AsyncIterator[CacheConfig]:
    """Yield the config of a shared cache that has this fault."""
    if fault in ("absent", "well"):
        url = SecretStr(valkey_url) if fault == "well" else None
        yield CacheConfig(url=url, memory_mb=0)
    elif fault == "down":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            yield cache_at(bound.getsockname()[1])
    else:
        faulty = FaultyRedis(fault)
        try:
            yield cache_at(await faulty.start())
        finally:
            faulty.close()


def cache_at(port: int) -> CacheConfig:
    return CacheConfig(url=SecretStr(f"redis://127.0.0.1:{port}/0"), memory_mb=0)


class FaultyRedis:
    """A server that takes connections and has one of the other faults."""

    def __init__(self, fault: str) -> None:
        self._fault = fault
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while commands := await reader.read(4096):
                writer.write(self._answer(commands))
                await writer.drain()
                if self._fault == "dies" and b"MGET" in commands:
                    self.close()
                    break
        writer.close()

    def _answer(self, commands: bytes) -> bytes:
        count = len(COMMAND.findall(commands))
        if self._fault == "errors":
            return b"-OOM command not allowed when used memory > 'maxmemory'.\r\n" * count
        if self._fault == "dies":  # in the middle of the first answer that matters
            return b"*2\r\n$-1\r\n" if b"MGET" in commands else b"+OK\r\n" * count
        return b"@never heard of it\r\n" if self._fault == "garbage" else b""
