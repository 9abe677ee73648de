import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from compressor.training.manifest import file_facts
from proxy.cli import build
from tests.compressor.tiny_checkpoints import write_checkpoint
from tests.compressor.training.labelled_passages import passages

BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json")
needs_onnx = pytest.mark.skipif(find_spec("onnx") is None, reason="needs the export extra")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["export", *map(str, arguments)])


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    path = tmp_path / "annotated.jsonl"
    lines = [
        {
            "id": p.id,
            "source": p.source,
            "doc": p.doc,
            "text": p.text,
            "words": [
                [int(start), int(end), None if np.isnan(label) else float(label)]
                for (start, end), label in zip(p.spans, p.labels, strict=True)
            ],
        }
        for p in passages()
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    pytest.importorskip("torch", reason="needs the torch extra: make test-all")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    return write_checkpoint("xlm-roberta", folder, spread=0.3)


def test_help_says_what_the_command_does() -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    assert "--held-out" in shown.stdout


@pytest.mark.skipif(find_spec("onnx") is not None, reason="the export extra is there")
def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    refused = run(tmp_path, tmp_path / "out", "--no-check")
    assert refused.exit_code == 2
    assert "pip install 'tersely[export]'" in refused.stderr


@pytest.mark.torch
@needs_onnx
class TestWithTheExtra:
    def test_a_checked_folder_has_all_that_is_needed(
        self, checkpoint: Path, annotated: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "harbour"
        manifest = tmp_path / "annotated.manifest.json"
        sources = {"minutes": {"passages": 4, "licences": {"MIT": 4}, "languages": {"en": 4}}}
        manifest.write_text(json.dumps({"counts": {"sources": sources}}))
        # a random model in 8 bits agrees less than a trained one
        options = ("--held-out", annotated, "--all", "--max-auc-difference", 0.2, "--min-kept", 0.5)
        done = run(checkpoint, out, *options, "--manifest", manifest, "--licence", "MIT")
        assert done.exit_code == 0, done.stderr
        assert "4 passages" in done.stdout
        assert "are the same in any company" in done.stdout
        assert "classifier tokens/s in one thread" in done.stdout
        assert {path.name for path in out.iterdir()} == {
            *("README.md", "config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"),
            "model.manifest.json",
        }
        written = json.loads((out / "model.manifest.json").read_text("utf-8"))
        assert written["step"] == "export"
        given = [checkpoint / name for name in ("model.safetensors", *BESIDE)]
        assert written["inputs"] == [file_facts(path) for path in (*given, annotated, manifest)]
        assert written["settings"]["min_kept"] == 0.5
        assert written["counts"]["passages checked"] == 4
        assert {"onnx", "onnxruntime"} <= set(written["versions"])
        outputs = [written["output"], *written["further output"]]
        names = ("model.onnx", *BESIDE, "README.md")
        assert outputs == [file_facts(out / name) for name in names]
        card = (out / "README.md").read_text("utf-8")
        assert "# harbour\n" in card
        assert "| minutes | 4 | en | MIT |" in card
        assert "8-bit weights" in card
        text = tmp_path / "text.txt"
        text.write_text(passages()[0].text)
        shortened = CliRunner().invoke(build(), ["compress", str(text), "--classifier", str(out)])
        assert shortened.exit_code == 0
        assert len(shortened.stdout) < len(passages()[0].text)

    def test_a_check_that_fails_says_so_and_ends_with_1(
        self, checkpoint: Path, annotated: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        options = ("--held-out", annotated, "--all", "--max-auc-difference", 0, "--min-kept", 1)
        failed = run(checkpoint, out, *options)
        assert failed.exit_code == 1
        assert "Failed: " in failed.stderr
        written = json.loads((out / "model.manifest.json").read_text("utf-8"))
        assert written["counts"]["faults"] > 0
        assert (out / "README.md").exists()

    def test_without_checks_it_only_writes(self, checkpoint: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        done = run(checkpoint, out, "--no-check", "--fp32", "--name", "other")
        assert done.exit_code == 0, done.stderr
        assert done.stdout == f"Written: {out}\n"
        card = (out / "README.md").read_text("utf-8")
        assert "# other\n" in card
        assert "| licence | not stated |" in card
        assert "license:" not in card
        assert "Not measured." in card
        assert "32-bit weights" in card

    def test_what_cannot_be_is_refused_before_anything_is_written(
        self, checkpoint: Path, annotated: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        for options, words in (
            ((), "--held-out"),
            (("--held-out", annotated), "--all takes every document"),
            (("--held-out", tmp_path / "none.jsonl"), "none.jsonl"),
        ):
            refused = run(checkpoint, out, *options)
            assert refused.exit_code == 2, options
            assert words in refused.stderr
        assert "name another" in run(checkpoint, checkpoint, "--no-check").stderr
        config = json.loads((checkpoint / "config.json").read_text())
        (checkpoint / "config.json").write_text(json.dumps({**config, "model_type": "modernbert"}))
        assert "only bert and xlm-roberta" in run(checkpoint, out, "--no-check").stderr
        assert not (out / "model.onnx").exists()
