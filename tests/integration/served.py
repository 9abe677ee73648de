"""`tersely serve` as its users run it: a process of its own, with a config file and signals."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.integration.conftest import soon

ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    """A `tersely serve` of its own process."""

    port: int
    process: asyncio.subprocess.Process
    errors: bytearray

    async def send(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        answer = await soon(reader.read(-1))
        writer.close()
        return bytes(answer)

    async def stop(self) -> tuple[bytes, bytes]:
        """End it; return all of its standard output and standard error."""
        self.process.terminate()
        out, rest = await soon(self.process.communicate())
        return out, bytes(self.errors) + rest


@contextlib.asynccontextmanager
async def served(config: Path, environ: Mapping[str, str]) -> AsyncIterator[Served]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from proxy.cli import main; main()", "serve", "--config", str(config)),
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        errors = bytearray()
        while b"Tersely listens on" not in errors:
            line = await asyncio.wait_for(process.stderr.readline(), 30)
            assert line, errors
            errors += line
        port = int(errors.split(b"listens on http://127.0.0.1:")[1].split(b"\n")[0])
        yield Served(port, process, errors)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
