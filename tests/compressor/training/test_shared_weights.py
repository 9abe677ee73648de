"""What two classifiers have in common goes into one file, and both compute what they did."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx", reason="needs the export extra: make test-all")
pytestmark = pytest.mark.torch  # where onnx is installed

from compressor.training.export import Graph  # noqa: E402 - needs onnx
from compressor.training.shared_weights import CannotShare, share  # noqa: E402

WORDS = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
IDS = np.array([[3, 499, 0]])


def write(path: Path, words: np.ndarray, layer: float) -> Path:
    """Write a model that looks words up and multiplies them by its own weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = Graph()
    looked_up = graph.add("Gather", graph.constant("words", words), "ids")
    own = graph.constant("layer", np.full((64, 300), layer, np.float32))
    output = graph.add("MatMul", looked_up, own)
    info = onnx.helper.make_tensor_value_info
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "model",
            [info("ids", onnx.TensorProto.INT64, [1, "tokens"])],
            [info(output, onnx.TensorProto.FLOAT, None)],
            list(graph.constants.values()),
        ),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, str(path))
    return path


def run(path: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"ids": IDS})[0]
    return found


def test_both_compute_what_they_did_and_the_words_are_there_once(tmp_path: Path) -> None:
    models = [
        write(tmp_path / "model.onnx", WORDS, 0.5),
        write(tmp_path / "fast/model.onnx", WORDS, 2),
    ]
    before = [run(model) for model in models]
    size = sum(model.stat().st_size for model in models)
    into = tmp_path / "fast/words.onnx_data"
    assert share(models, into) == ["words"]
    for model, expected in zip(models, before, strict=True):
        assert np.array_equal(run(model), expected)
    assert into.stat().st_size == WORDS.nbytes
    assert sum(file.stat().st_size for file in (*models, into)) < size - 0.99 * WORDS.nbytes


def test_models_without_anything_in_common_stay_as_they_are(tmp_path: Path) -> None:
    models = [
        write(tmp_path / "a.onnx", WORDS, 0.5),
        write(tmp_path / "b.onnx", WORDS + 1, 2),
    ]
    before = [model.read_bytes() for model in models]
    with pytest.raises(CannotShare, match="no weights in common"):
        share(models, tmp_path / "words.onnx_data")
    assert [model.read_bytes() for model in models] == before


def test_a_place_that_a_model_cannot_read_is_refused(tmp_path: Path) -> None:
    """ONNX Runtime reads nothing outside a model's folder."""
    models = [
        write(tmp_path / "model.onnx", WORDS, 0.5),
        write(tmp_path / "fast/model.onnx", WORDS, 2),
    ]
    with pytest.raises(CannotShare, match=r"words\.onnx_data is not in the folder of .*fast"):
        share(models, tmp_path / "words.onnx_data")
