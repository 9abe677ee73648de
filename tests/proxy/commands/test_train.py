import importlib.util
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy.cli import build
from tests.compressor.tiny_checkpoints import write_checkpoint
from tests.compressor.training.annotated_texts import write

HAS_TORCH = importlib.util.find_spec("torch") is not None


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
def test_tuning_by_reward_writes_a_classifier(tmp_path: Path) -> None:
    (tmp_path / "classifier").mkdir()
    classifier = write_checkpoint("bert", tmp_path / "classifier")
    asked = tmp_path / "qa.jsonl"
    rows = [
        {"doc": "d", "text": "The committee did not approve the budget of 4,250 euros."},
        {"id": "q", "doc": "d", "question": "How much?", "answers": ["4,250 euros"]},
    ]
    asked.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    out = tmp_path / "out"
    arguments = ["tune", str(classifier), str(asked), "--out", str(out)]
    done = CliRunner().invoke(build(), [*arguments, "--epochs", "2"])
    assert done.exit_code == 0, done.stderr
    assert "mean reward" in done.stdout
    assert len(json.loads((out / "tuning.json").read_text("utf-8"))["rewards"]) == 2
    done = CliRunner().invoke(build(), [*arguments, "--reward", "nothing"])
    assert done.exit_code == 2
    assert "reward 'nothing'" in done.stderr
