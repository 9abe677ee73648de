"""What a proxy adds to a short chat request: direct, Tersely and the LiteLLM proxy in turn.

Upstream, proxies and load generator share this machine's cores: compare ratios only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.servers import fake_upstream, litellm, tersely

Figures = dict[str, dict[str, float]]


def measure(peer: Path | None, rounds: int) -> Figures:
    """Return medians over the rounds by subject: p50, p95 at concurrency 1, requests/s at 8."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(fake_upstream())
        ports = {"direct": upstream, "tersely": stack.enter_context(tersely(upstream, folder))[0]}
        if peer is not None:
            ports["litellm"] = stack.enter_context(litellm(peer, upstream, folder))
        for _ in range(rounds):
            for name, port in ports.items():
                slow = name == "litellm"
                alone = _load(port, 1, 200 if slow else 1000)
                crowd = _load(port, 8, 400 if slow else 4000)
                found[name]["p50_ms"].append(alone["p50_ms"])
                found[name]["p95_ms"].append(alone["p95_ms"])
                found[name]["rps_8"].append(crowd["rps"])
    return {name: {k: median(v) for k, v in rows.items()} for name, rows in found.items()}


def report(figures: Figures) -> str:
    """Return the table and the ratios with their targets."""
    lines = ["| | p50 ms | p95 ms | requests/s at 8 |", "|---|---|---|---|"]
    for name, row in figures.items():
        lines.append(
            f"| {name} | {row['p50_ms']:.2f} | {row['p95_ms']:.2f} | {row['rps_8']:,.0f} |"
        )
    added = figures["tersely"]["p50_ms"] - figures["direct"]["p50_ms"]
    lines += ["", f"Tersely adds {added:.2f} ms at p50 (target: at most 1 ms)."]
    if "litellm" in figures:
        ratio = figures["tersely"]["rps_8"] / figures["litellm"]["rps_8"]
        peer = figures["litellm"]["p50_ms"] - figures["direct"]["p50_ms"]
        lines.append(f"LiteLLM adds {peer:.2f} ms at p50.")
        lines.append(f"Tersely does {ratio:.1f}x LiteLLM's requests/s (target: at least 7x).")
    else:
        lines.append("LiteLLM: not measured, since it is not installed (`make bench` does that).")
    return "\n".join(lines)


def _load(port: int, concurrency: int, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.load", "--port", str(port)]
    command += ["--concurrency", str(concurrency), "--count", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="the `litellm` command of an environment")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(report(measure(given.peer if given.peer and given.peer.exists() else None, given.rounds)))
