"""The Node SDKs in a process of their own, driven by drive.mjs."""

import asyncio
import json
import shutil
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Proxy

FOLDER = Path(__file__).parent / "node"
NEEDS_NODE = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules").is_dir(),
    reason="the Node SDKs are missing: make node-clients",
)


async def drive(
    proxy: Proxy, scenario: str, go_on: Awaitable[Any] | None = None, key: str = ""
) -> Any:
    """Run one scenario of drive.mjs, which goes on after `go_on`; return what the client saw."""
    process = await asyncio.create_subprocess_exec(
        *("node", "drive.mjs", proxy.base_url, scenario, key),
        cwd=FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        if go_on is not None:
            await go_on
        out, trouble = await process.communicate(b"\n" if go_on is not None else None)
    assert process.returncode == 0, trouble.decode()
    return json.loads(out)
