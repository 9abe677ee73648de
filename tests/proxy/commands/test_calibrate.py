"""The whole command on a copy of the bundled classifier and a few short prompts."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from compressor.calibration import read_calibration
from compressor.classifier.registry import bundled_folder
from compressor.training.examples import is_held_out
from compressor.training.manifest import file_facts
from proxy.cli import build
from tests.compressor.training.labelled_passages import TEXTS


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["calibrate", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    here = bundled_folder("bundled-fast")
    leave_out = shutil.ignore_patterns("calibration.json")
    return Path(shutil.copytree(here, tmp_path / "model", ignore=leave_out))


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    folder.mkdir()
    lines = [
        {"body": TEXTS[0], "kind": "town"},
        {"body": TEXTS[1], "kind": "town"},
        {"body": [{"role": "user", "content": TEXTS[2]}], "kind": "sea"},
    ]
    (folder / "prompts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "letter.txt").write_text(TEXTS[3])
    return folder


def test_names_are_found_shown_and_written(model: Path, prompts: Path) -> None:
    done = run(model, prompts, "--field", "text=body", "--field", "source=kind")
    assert done.exit_code == 0, done.stderr
    found = read_calibration(model)
    assert list(found.thresholds) == ["gentle", "balanced", "aggressive"]
    values = list(found.thresholds.values())
    assert values == sorted(values)
    for name, threshold in found.thresholds.items():
        assert f"| {threshold:.4f} | {name} |" in done.stdout
        kept = found.found["found"][name]
        assert abs(kept["rate"] - kept["rate_wanted"]) < 0.1
        assert kept["by_source"].keys() == {"town", "sea", "letter"}
    assert "| source | texts | gentle | balanced | aggressive |" in done.stdout
    assert "| town | 2 |" in done.stdout
    assert found.found["sample"]["texts"] == 4
    manifest = json.loads((model / "calibration.manifest.json").read_text("utf-8"))
    assert manifest["step"] == "calibrate"
    assert [given["name"] for given in manifest["inputs"]] == [
        *("letter.txt", "prompts.jsonl"),
        *("model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json"),
        "words.onnx_data",
    ]
    assert manifest["inputs"][1] == file_facts(prompts / "prompts.jsonl")
    assert manifest["settings"]["rates"] == {"gentle": 0.8, "balanced": 0.6, "aggressive": 0.4}
    assert manifest["settings"]["fields"] == ["text=body", "source=kind"]
    assert manifest["counts"]["texts"] == 4
    assert manifest["output"] == file_facts(model / "calibration.json")
    text = prompts / "letter.txt"
    shortened = CliRunner().invoke(
        build(), ["compress", str(text), "--classifier", str(model), "--threshold", "aggressive"]
    )
    assert shortened.exit_code == 0, shortened.stderr
    assert len(shortened.stdout) < len(TEXTS[3])


def test_names_and_rates_are_the_users(model: Path, prompts: Path, tmp_path: Path) -> None:
    doc = next(f"doc{n}" for n in range(100) if is_held_out(f"doc{n}"))
    words = [[4, 11, 1], [12, 15, 0], [16, 22, 0.5]]
    annotated = tmp_path / "annotated.jsonl"
    annotated.write_text(json.dumps({"id": "1", "doc": doc, "text": TEXTS[0], "words": words}))
    options = ("--rate", "mine=0.7", "--sample", "2", "--annotated", annotated)
    done = run(model, prompts / "letter.txt", *options, "--no-write")
    assert done.exit_code == 0, done.stderr
    assert "| heavy words | light words |" in done.stdout
    assert "(3 words)" in done.stdout
    assert not (model / "calibration.json").exists()
    assert not (model / "calibration.manifest.json").exists()
    assert run(model, prompts / "letter.txt", *options).exit_code == 0
    assert list(read_calibration(model).thresholds) == ["mine"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rate", "mine"), "is not NAME=RATE"),
        (("--rate", "mine=1.5"), "is not NAME=RATE"),
        (("--rate", "Mine=0.5"), "is not NAME=RATE"),
        (("--rate", "mine=.0"), "between 0 and 1"),
        (("--rate", "mine=0.5", "--rate", "mine=0.7"), "'mine' is named twice"),
        (("--annotated", "none.jsonl"), "none.jsonl"),
        (("--encoding", "none"), "none"),
        ((), "there is no text in 'text'"),
        (("--field", "what=ever"), "is not NAME=FIELD"),
    ],
)
def test_what_cannot_be_is_explained(
    model: Path, prompts: Path, options: tuple[str, ...], said: str
) -> None:
    given = prompts if not options or "--field" in options else prompts / "letter.txt"
    refused = run(model, given, *options)
    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())
    assert not (model / "calibration.json").exists()


def test_models_and_prompts_that_are_not_there(model: Path, prompts: Path, tmp_path: Path) -> None:
    assert "there is no folder someone/model" in run("someone/model", prompts).stderr
    assert "cannot be read" in run(model, tmp_path / "none.txt").stderr
    (tmp_path / "empty.txt").write_text(" \n")
    assert "no text with words" in run(model, tmp_path / "empty.txt").stderr
