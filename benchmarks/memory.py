"""Memory of the running proxy and the time until it is ready. Linux only: reads /proc."""

import argparse
import json
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.compression import prose
from benchmarks.servers import fake_upstream, tersely


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB, as the kernel counts it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} states no VmRSS")


def report(requests: int) -> str:
    """Return the table, with targets."""
    with tempfile.TemporaryDirectory() as folder, fake_upstream() as upstream:
        started = time.perf_counter()
        with tersely(upstream, Path(folder)) as (port, process):
            ready = time.perf_counter() - started
            before = resident_mb(process.pid)
            for seed in range(requests):
                _ask(port, prose(1_800, seed))
            after = resident_mb(process.pid)
    return "\n".join(
        (
            "| | measured | target |",
            "|---|---|---|",
            f"| ready after | {ready:.2f} s | under 3 s |",
            f"| memory when ready | {before:.0f} MB | |",
            f"| memory after {requests} compressed requests | {after:.0f} MB | at most 400 MB |",
        )
    )


def _ask(port: int, text: str) -> None:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        if answer.headers["x-tersely-outcome"] != "compressed":
            raise RuntimeError(f"outcome {answer.headers['x-tersely-outcome']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    print(report(parser.parse_args().requests))
