"""The container image and the compose file: not root, nothing written but data, no open door."""

import asyncio
import re
import sys
from pathlib import Path

import yaml

from proxy.config import load
from proxy.listening import why_not_to_listen
from tests.integration.conftest import soon

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
COMPOSE = yaml.safe_load((ROOT / "examples" / "docker-compose.yaml").read_text("utf-8"))

# Runs the proxy and prints every path that Python opens for writing, or gives to SQLite.
WATCHED = """
import os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def watch(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and (args[2] or 0) & WRITES:
        print("WROTE", os.fsdecode(args[0]), file=sys.stderr, flush=True)
    elif event in ("sqlite3.connect", "os.mkdir", "os.rename"):
        print("WROTE", os.fsdecode(args[0]), file=sys.stderr, flush=True)
sys.addaudithook(watch)
from proxy.cli import main
main()
"""


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", LAST_STAGE, re.MULTILINE)


def test_it_does_not_run_as_root() -> None:
    # by number, so that Kubernetes' runAsNonRoot can tell
    assert instructions("USER") == ["10001:10001"]
    after = LAST_STAGE[LAST_STAGE.index("\nUSER ") :]
    assert not re.search(r"^(RUN|COPY|ADD) ", after, re.MULTILINE)
    assert "--uid 10001" in LAST_STAGE
    assert "setcap" not in DOCKERFILE
    assert "sudo" not in DOCKERFILE


def test_dependencies_are_those_of_the_lock_files() -> None:
    for line in re.findall(r"pip install [^&\n]*", DOCKERFILE):
        assert "--require-hashes" in line or "/wheels/" in line
    assert "ADD " not in DOCKERFILE
    assert "curl" not in DOCKERFILE


def test_no_secret_is_in_it() -> None:
    assert not re.search(r"^(ENV|ARG) .*(KEY|TOKEN|SECRET|PASSWORD)", DOCKERFILE, re.MULTILINE)


def test_as_it_comes_it_wants_keys(tmp_path: Path) -> None:
    """It listens on every address, and the config in it has no keys: it refuses until told."""
    (command,) = instructions("CMD")
    assert '"--host", "0.0.0.0"' in command
    assert "allow-open" not in command
    config = load(ROOT / "config.yaml", {})
    server = config.server.model_copy(update={"host": "0.0.0.0"})
    assert why_not_to_listen(config.model_copy(update={"server": server})) is not None


def test_the_compose_file_holds_it_tight() -> None:
    service = COMPOSE["services"]["tersely"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "ports" not in COMPOSE["services"]["valkey"]
    assert not service.get("privileged")
    mounted = [volume for volume in service["volumes"] if volume.startswith("./")]
    assert all(volume.endswith(":ro") for volume in mounted)
    for volume in mounted:
        assert (ROOT / "examples" / volume.split(":")[0]).exists()
    config = load(ROOT / "examples" / "config-team.yaml", {}, need_secrets=False)
    assert config.access.required


async def test_it_writes_below_its_data_folder_alone(tmp_path: Path) -> None:
    """What a read-only file system with one volume allows."""
    data = tmp_path / "data"
    data.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", WATCHED, "serve", "--port", "0"),
        *("--config", str(ROOT / "config.yaml")),
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_DATA_HOME": str(data),
            "HOME": "/nonexistent",
        },
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    lines: list[bytes] = []
    try:
        while not lines or b"Tersely listens on" not in lines[-1]:
            lines.append(await asyncio.wait_for(process.stderr.readline(), 30))
            assert lines[-1], lines
        port = int(lines[-1].rsplit(b":", 1)[1])
        await until_ready(port)
        process.terminate()
        _, rest = await soon(process.communicate())
    finally:
        if process.returncode is None:
            process.kill()
    written = {
        line.removeprefix(b"WROTE ").decode()
        for line in (*lines, *rest.splitlines())
        if line.startswith(b"WROTE ")
    }
    written = {path.strip() for path in written}
    assert any(path.startswith(str(data)) for path in written)
    outside = {path for path in written if not path.startswith((str(data), "/dev/"))}
    assert outside == set()


async def until_ready(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read(-1)
            writer.close()
            if answer.startswith(b"HTTP/1.1 200"):
                return
            await asyncio.sleep(0.1)
