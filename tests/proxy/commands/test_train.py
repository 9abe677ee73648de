import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from compressor.training.manifest import file_facts
from proxy.cli import build
from tests.compressor.tiny_checkpoints import write_checkpoint
from tests.compressor.training.annotated_texts import write

CHECKPOINT = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
HAS_TORCH = importlib.util.find_spec("torch") is not None


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "model.manifest.json").read_text("utf-8"))
    return manifest


def test_help_says_what_it_makes() -> None:
    shown = CliRunner().invoke(build(), ["train", "--help"])
    assert shown.exit_code == 0
    assert "--encoder" in shown.stdout


@pytest.mark.skipif(HAS_TORCH, reason="torch is there")
def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 3)
    done = CliRunner().invoke(
        build(), ["train", str(path), "--encoder", "x", "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 2
    assert "pip install 'tersely[train]'" in done.stderr


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_trains_validates_and_refuses_another_run_in_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    encoder = write_checkpoint("xlm-roberta", tmp_path / "encoder")
    annotated = write(tmp_path / "annotated.jsonl", 40)
    arguments = ["train", str(annotated), "--encoder", str(encoder), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(build(), [*arguments, "--epochs", "1", "--threads", "1"])
    assert done.exit_code == 0, done.stderr
    assert "epoch 1.00" in done.stderr
    assert "AUC heavy" in done.stdout
    assert json.loads((tmp_path / "out" / "training.json").read_text("utf-8"))["passages"] > 30
    manifest = manifest_of(tmp_path / "out")
    assert manifest["step"] == "train"
    assert manifest["inputs"] == [
        file_facts(annotated),
        *(file_facts(encoder / name) for name in CHECKPOINT),
    ]
    assert manifest["settings"]["encoder"] == "encoder"
    assert manifest["settings"]["epochs"] == 1
    assert manifest["counts"]["passages"] + manifest["counts"]["held out"] == 40
    assert {"tersely", "torch", "transformers"} <= set(manifest["versions"])
    outputs = [manifest["output"], *manifest["further output"]]
    names = [*CHECKPOINT, "training.json", "curves.csv"]
    assert outputs == [file_facts(tmp_path / "out" / name) for name in names]
    assert str(tmp_path) not in json.dumps(manifest)
    again = CliRunner().invoke(build(), [*arguments, "--epochs", "2"])
    assert again.exit_code == 2
    assert "holds a run with another epochs" in again.stderr


@pytest.mark.torch
def test_an_encoder_that_is_not_there_and_a_bad_line_are_named(tmp_path: Path) -> None:
    annotated = write(tmp_path / "annotated.jsonl", 3)
    missing = ["--encoder", str(tmp_path), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(build(), ["train", str(annotated), *missing])
    assert done.exit_code == 2
    assert "has no config.json" in done.stderr
    annotated.write_text('{"id": 1}\n', "utf-8")
    done = CliRunner().invoke(build(), ["train", str(annotated), *missing])
    assert done.exit_code == 2
    assert "annotated.jsonl:1: not an annotated passage" in done.stderr


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_to_train_on_and_the_encoders_own_folder_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the torch extra: make test-all")
    (tmp_path / "encoder").mkdir()
    encoder = str(write_checkpoint("bert", tmp_path / "encoder"))
    weights = (tmp_path / "encoder" / "model.safetensors").read_bytes()
    annotated, empty = write(tmp_path / "annotated.jsonl", 30), tmp_path / "empty.jsonl"
    empty.touch()
    out = ["--encoder", encoder, "--out", str(tmp_path / "out")]
    own = ["--encoder", encoder, "--out", encoder]
    for given, said in (
        ([str(empty), *out], "empty.jsonl: there is no passage to train on"),
        ([str(annotated), "--held-out", str(annotated), *out], "there is no passage to train on"),
        ([str(annotated), *own, "--epochs", "1", "--fp32"], "is what is read"),
    ):
        done = CliRunner().invoke(build(), ["train", *given])
        assert done.exit_code == 2, done.output
        assert said in done.stderr
    assert not (tmp_path / "out").exists()  # or another run would be refused there
    assert (tmp_path / "encoder" / "model.safetensors").read_bytes() == weights


def to_be_tuned(folder: Path) -> tuple[Path, Path]:
    """Write a classifier and a question with its text; return where."""
    (folder / "classifier").mkdir()
    asked = folder / "qa.jsonl"
    rows = [
        {"doc": "d", "text": "The committee did not approve the budget of 4,250 euros."},
        {"id": "q", "doc": "d", "question": "How much?", "answers": ["4,250 euros"]},
    ]
    asked.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return write_checkpoint("bert", folder / "classifier"), asked


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tuning_by_reward_writes_a_classifier(tmp_path: Path) -> None:
    classifier, asked = to_be_tuned(tmp_path)
    out = tmp_path / "out"
    arguments = ["tune", str(classifier), str(asked), "--out", str(out)]
    done = CliRunner().invoke(build(), [*arguments, "--epochs", "2"])
    assert done.exit_code == 0, done.stderr
    assert "mean reward" in done.stdout
    assert len(json.loads((out / "tuning.json").read_text("utf-8"))["rewards"]) == 2
    manifest = manifest_of(out)
    assert manifest["step"] == "tune"
    assert manifest["inputs"][0] == file_facts(asked)
    assert manifest["inputs"][1] == file_facts(classifier / "model.safetensors")
    assert manifest["settings"]["reward"] == "survival"
    assert manifest["settings"]["epochs"] == 2
    assert manifest["counts"] == {"texts": 1, "questions": 1, "steps": 2}
    outputs = [manifest["output"], *manifest["further output"]]
    assert outputs == [file_facts(out / name) for name in (*CHECKPOINT, "tuning.json")]
    done = CliRunner().invoke(build(), [*arguments, "--reward", "nothing"])
    assert done.exit_code == 2
    assert "reward 'nothing'" in done.stderr
    done = CliRunner().invoke(build(), [*arguments, "--epochs", "3"])
    assert done.exit_code == 2
    assert "holds a run with another epochs" in done.stderr


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tuning_says_now_and_then_how_far_it_is_where_there_is_no_terminal(tmp_path: Path) -> None:
    classifier, asked = to_be_tuned(tmp_path)
    arguments = ["tune", str(classifier), str(asked), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(build(), [*arguments, "--epochs", "25"])
    assert done.exit_code == 0, done.stderr
    assert "1 texts to tune on, 25 steps" in done.stderr
    said = re.findall(r"^step (\d+) of 25: mean reward [01]\.\d+", done.stderr, re.MULTILINE)
    assert said == [*map(str, range(2, 25, 2)), "25"]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_questions_that_are_none_are_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the torch extra: make test-all")
    classifier, asked = to_be_tuned(tmp_path)
    asked.write_text('{"doc": "d", "text": "Nobody asks."}\n', "utf-8")
    out = tmp_path / "out"
    done = CliRunner().invoke(build(), ["tune", str(classifier), str(asked), "--out", str(out)])
    assert done.exit_code == 2, done.output
    assert "qa.jsonl: no document has a question" in done.stderr
    assert not out.exists()
