"""Starts what is measured as processes of its own, on free ports of the loopback address."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_UP_SECONDS = 60


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: Sequence[str], url: str, **environment: str) -> Iterator[subprocess.Popen]:
    """Run a server until the block ends; enter it once `url` answers with anything below 500."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    try:
        _wait(url, process)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + _UP_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass
        else:
            return
        time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer within {_UP_SECONDS} s")


@contextmanager
def fake_upstream() -> Iterator[int]:
    """Run the fake upstream; yield its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.fake_upstream", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}/"):
        yield port


@contextmanager
def tersely(upstream: int, folder: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """Run Tersely with policies, counting and records on; yield its port and process."""
    port = free_port()
    config = folder / "config.yaml"
    config.write_text(
        f"upstreams:\n  fake:\n    base_url: http://127.0.0.1:{upstream}/v1\n"
        "routes:\n  - policy: balanced\n    upstream: fake\n"
        f"savings:\n  path: {folder / 'savings.db'}\n"
    )
    command = [str(Path(sys.executable).parent / "tersely"), "serve", "--config", str(config)]
    with running([*command, "--port", str(port)], f"http://127.0.0.1:{port}/readyz") as process:
        yield port, process


@contextmanager
def litellm(binary: Path, upstream: int, folder: Path) -> Iterator[int]:
    """Run the LiteLLM proxy with one worker and one model; yield its port."""
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: gpt-4o-mini\n    litellm_params:\n"
        "      model: openai/gpt-4o-mini\n      api_key: sk-bench\n"
        f"      api_base: http://127.0.0.1:{upstream}/v1\n"
    )
    command = [str(binary), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/health/liveliness"
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches a price list at start
        # It asks for a key of its own otherwise; here it listens on the loopback address only.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    with running([*command, "--num_workers", "1"], url, **environment):
        yield port
