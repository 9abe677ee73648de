import hashlib
import json
from pathlib import Path

from compressor.training.manifest import file_facts, manifest_path, write_manifest


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
