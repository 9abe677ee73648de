"""Runs every benchmark and prints one report: `make bench`."""

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import compression, memory, proxy_overhead
from compressor.classifier.registry import BUNDLED, BUNDLED_FAST


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="the `litellm` command of an environment")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    peer = given.peer if given.peer and given.peer.exists() else None
    cores = len(os.sched_getaffinity(0))
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} cores, {_processor()}\n")
    print("## A short chat request, one worker each\n")
    print(proxy_overhead.report(proxy_overhead.measure(peer, given.rounds)), flush=True)
    print("\n## Compression\n")
    for name in (BUNDLED, BUNDLED_FAST):
        print(compression.report(given.rounds, name), end="\n\n", flush=True)
    print("## The running proxy\n")
    print(memory.report(requests=100))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "processor not stated"


if __name__ == "__main__":
    main()
