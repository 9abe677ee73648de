"""What stands beside a step's output: from what it was made, how, by which version, how many."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("tersely", "numpy", "budoux")
_BLOCK = 1 << 20


def manifest_path(out: Path) -> Path:
    """Return where an output's manifest stands: passages.jsonl -> passages.manifest.json."""
    return out.with_suffix(".manifest.json")


def write_manifest(
    out: Path,
    step: str,
    *,
    inputs: Sequence[Path],
    settings: Mapping[str, Any],
    counts: Mapping[str, Any],
) -> Path:
    """Write an output's manifest, and return where. Raises OSError."""
    manifest = {
        "step": step,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **_versions()},
        "settings": dict(settings),
        "inputs": [file_facts(path) for path in inputs],
        "counts": dict(counts),
        "output": file_facts(out),
    }
    path = manifest_path(out)
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def file_facts(path: Path) -> dict[str, Any]:
    """Return a file's name, size in bytes, number of lines and SHA-256."""
    digest = hashlib.sha256()
    size = lines = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            lines += block.count(b"\n")
    return {"name": path.name, "bytes": size, "lines": lines, "sha256": digest.hexdigest()}


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # run from a folder that was not installed
    return found
