"""What stands beside a step's output: from what it was made, how, by which version, how many."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_TRAINING_PACKAGES = ("torch", "transformers", "tokenizers")
EXPORT_PACKAGES = ("onnx", "onnxruntime", "safetensors")
_PACKAGES = ("tersely", "numpy", "budoux")
_BESIDE_WEIGHTS = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
_BLOCK = 1 << 20


def manifest_path(out: Path) -> Path:
    """Return where an output's manifest stands: passages.jsonl -> passages.manifest.json.

    That of a step that writes a folder stands in it, by the name of its main file: two steps that
    write into one folder (export and calibrate) have a manifest each.
    """
    return out.with_suffix(".manifest.json")


def write_manifest(
    out: Path,
    step: str,
    *,
    inputs: Sequence[Path],
    settings: Mapping[str, Any],
    counts: Mapping[str, Any],
    further: Sequence[Path] = (),
    packages: Sequence[str] = (),
) -> Path:
    """Write an output's manifest, and return where. Raises OSError.

    `further` are files that belong to the output beside its main one, `packages` what did the work
    beside what every step uses; those that are not installed are left out.
    """
    manifest = {
        "step": step,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **_versions(packages)},
        "settings": dict(settings),
        "inputs": [file_facts(path) for path in inputs],
        "counts": dict(counts),
        "output": file_facts(out),
    }
    if further:
        manifest["further output"] = [file_facts(path) for path in further]
    path = manifest_path(out)
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def write_checkpoint_manifest(
    folder: Path,
    step: str,
    *,
    inputs: Sequence[Path],
    settings: Mapping[str, Any],
    counts: Mapping[str, Any],
    beside: Sequence[str],
) -> Path:
    """Write model.manifest.json of what PyTorch trained into `folder`, and return where.

    `beside` names the files that the step wrote down its course in. Raises OSError.
    """
    weights, *others = checkpoint_files(folder)
    return write_manifest(
        weights,
        step,
        inputs=inputs,
        settings=settings,
        counts=counts,
        further=[*others, *(folder / name for name in beside)],
        packages=_TRAINING_PACKAGES,
    )


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


def checkpoint_files(folder: Path, weights: Path | None = None) -> list[Path]:
    """Return the files of a classifier's or an encoder's folder that its outputs depend on.

    The weights, unless named those of PyTorch, then what is there of configuration and tokenizer,
    and what an ONNX file keeps of its weights in others.
    """
    # Here, because the tokenizer's library takes long to import and most steps need none of it.
    from compressor.classifier.checkpoint import onnx_files  # noqa: PLC0415

    found = [weights] if weights else sorted(folder.glob("*.safetensors"))
    found = found or sorted(folder.glob("pytorch_model*.bin"))
    beside = (folder / name for name in _BESIDE_WEIGHTS)
    external = onnx_files(weights)[1:] if weights else []
    return [*found, *(path for path in beside if path.exists()), *external]


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in (*_PACKAGES, *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # run from a folder that was not installed
    return found
