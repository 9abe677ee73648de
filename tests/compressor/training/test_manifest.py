import hashlib
import json
from pathlib import Path

from compressor.training.manifest import (
    checkpoint_files,
    file_facts,
    manifest_path,
    write_checkpoint_manifest,
    write_manifest,
)


def test_a_manifest_says_from_what_and_how(tmp_path: Path) -> None:
    given, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given.write_bytes(b'{"a": 1}\n{"a": 2}\n')
    out.write_bytes(b"{}\n")
    path = write_manifest(out, "collect", inputs=[given], settings={"n": 13}, counts={"kept": 1})
    assert path == manifest_path(out) == tmp_path / "out.manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    assert manifest["step"] == "collect"
    assert manifest["settings"] == {"n": 13}
    assert manifest["counts"] == {"kept": 1}
    assert manifest["inputs"] == [
        {
            "name": "in.jsonl",
            "bytes": 18,
            "lines": 2,
            "sha256": hashlib.sha256(given.read_bytes()).hexdigest(),
        }
    ]
    assert manifest["output"] == file_facts(out)
    assert {"python", "numpy"} <= set(manifest["versions"])
    assert str(tmp_path) not in path.read_text("utf-8")  # names, no paths of this machine


def test_a_checkpoints_manifest_stands_in_its_folder_and_names_all_of_it(tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json", "log.csv", "state.pt"):
        (tmp_path / name).write_text(name, "utf-8")
    path = write_checkpoint_manifest(
        tmp_path, "train", inputs=[], settings={}, counts={}, beside=["log.csv"]
    )
    assert path == tmp_path / "model.manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    assert manifest["output"] == file_facts(tmp_path / "model.safetensors")
    assert manifest["further output"] == [
        file_facts(tmp_path / name) for name in ("config.json", "tokenizer.json", "log.csv")
    ]


def test_the_weights_of_a_folder_are_those_that_were_read(tmp_path: Path) -> None:
    def names(weights: Path | None = None) -> list[str]:
        return [path.name for path in checkpoint_files(tmp_path, weights)]

    for name in ("config.json", "pytorch_model.bin", "model.onnx", "training.json"):
        (tmp_path / name).write_text("{}", "utf-8")
    assert names() == ["pytorch_model.bin", "config.json"]
    (tmp_path / "model.safetensors").write_text("", "utf-8")
    assert names() == ["model.safetensors", "config.json"]
    assert names(tmp_path / "model.onnx") == ["model.onnx", "config.json"]
