"""Whole model folders of tiny random checkpoints."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the export extra")
pytest.importorskip("torch", reason="needs the torch extra: make test-all")
pytestmark = pytest.mark.torch

from compressor.classifier.base import Classifier, ClassifierUnavailable  # noqa: E402
from compressor.classifier.registry import load_classifier  # noqa: E402
from compressor.engine import Compressor  # noqa: E402
from compressor.training import model_folder  # noqa: E402
from compressor.training.model_folder import (  # noqa: E402
    Allowed,
    check_model,
    original_form,
    write_model,
)
from compressor.types import Settings  # noqa: E402
from tests.compressor.tiny_checkpoints import FAMILIES, write_checkpoint  # noqa: E402
from tests.compressor.training.labelled_passages import TEXTS, passages  # noqa: E402


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    return write_checkpoint(request.param, folder, spread=0.3)


def outputs(classifier: Classifier) -> list[np.ndarray]:
    with Compressor(classifier) as compressor:
        return [c.probabilities for c in compressor.classify(TEXTS, Settings(rate=0.5))]


def test_a_compressor_loads_what_is_written(checkpoint: Path, tmp_path: Path) -> None:
    write_model(checkpoint, tmp_path / "model")
    with Compressor(name=str(tmp_path / "model")) as compressor:
        result = compressor.compress(TEXTS[0], rate=0.5)
    assert 0 < result.tokens_after < result.tokens_before


def test_windows_see_as_much_as_those_of_the_original(checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"window_context": 24}))
    write_model(folder, tmp_path / "model")
    text = " ".join(TEXTS * 40)
    exported = load_classifier(str(tmp_path / "model"), backend="onnx")
    windows = exported.windows(exported.encode(text))
    assert {w.used_start - w.fed_start for w in windows[1:]} == {24}
    with original_form(folder) as original:
        assert original.windows(original.encode(text)) == windows


def test_in_32_bits_it_agrees_with_the_original(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    write_model(checkpoint, out, exact=True)
    found = check_model(checkpoint, out, passages(), Allowed())
    assert found.faults == []
    assert found.checks.agreement is not None
    assert found.checks.agreement.kept >= 0.98
    assert found.checks.isolation is not None
    assert found.checks.isolation.windows == len(TEXTS)
    assert found.checks.throughput is not None


def test_weights_of_another_model_are_found_out(checkpoint: Path, tmp_path: Path) -> None:
    family = "bert" if "BertForToken" in (checkpoint / "config.json").read_text() else FAMILIES[1]
    (tmp_path / "other").mkdir()
    other = write_checkpoint(family, tmp_path / "other", seed=5, spread=0.3)
    write_model(other, tmp_path / "model", exact=True)
    found = check_model(checkpoint, tmp_path / "model", passages(), Allowed())
    assert len(found.faults) == 2
    generous = check_model(checkpoint, tmp_path / "model", passages(), Allowed(1.0, 0.0))
    assert generous.faults == []


def test_without_torch_the_original_is_onnx_in_32_bits(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with original_form(checkpoint) as by_torch:
        expected = outputs(by_torch)
    monkeypatch.setattr(model_folder, "find_spec", lambda name: None)
    with original_form(checkpoint) as by_onnx:
        assert type(by_onnx).__name__ == "OnnxClassifier"
        found = outputs(by_onnx)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=2e-4)


def test_a_folder_without_a_tokenizer_is_refused_before_anything_is_written(
    checkpoint: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    half.mkdir()
    (half / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    with pytest.raises(ClassifierUnavailable, match=r"tokenizer\.json"):
        write_model(half, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_what_is_written_is_what_the_registry_finds(checkpoint: Path, tmp_path: Path) -> None:
    write_model(checkpoint, tmp_path / "model")
    loaded = load_classifier(str(tmp_path / "model"))
    assert type(loaded).__name__ == "OnnxClassifier"
