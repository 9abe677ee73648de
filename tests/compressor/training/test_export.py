"""What is exported against what transformers computes, on tiny random checkpoints."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx", reason="needs the export extra")
torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
transformers = pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = pytest.mark.torch

from compressor.training.embedding_blocks import in_four_bits  # noqa: E402
from compressor.training.export import (  # noqa: E402 - needs onnx
    CannotExport,
    Checkpoint,
    Linear,
    Writer,
    export,
    unsaturated_scale,
)
from tests.compressor.training.test_embedding_blocks import stored_once  # noqa: E402

IDS = np.random.default_rng(0).integers(5, 300, (1, 90))


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        request.param,
        vocab_size=300,
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=130,
        type_vocab_size=1,
        initializer_range=0.2,  # so that layers do something, which 0.02 at random hardly does
        num_labels=2,
    )
    model = transformers.AutoModelForTokenClassification.from_config(config)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # nought in a new model, as no trained one's is
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    return folder


def original(folder: Path, ids: np.ndarray) -> np.ndarray:
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits: np.ndarray = model(input_ids=torch.from_numpy(ids)).logits.numpy()
    return logits


def exported(folder: Path, ids: np.ndarray, *, exact: bool) -> np.ndarray:
    path = folder / "model.onnx"
    export(folder, path, exact=exact)
    onnx.checker.check_model(str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits: np.ndarray = session.run(None, {"input_ids": ids})[0]
    return logits


@pytest.mark.parametrize("tokens", [1, 2, 90])
def test_in_32_bits_it_computes_the_same(checkpoint: Path, tokens: int) -> None:
    ids = IDS[:, :tokens]
    expected = original(checkpoint, ids)
    assert exported(checkpoint, ids, exact=True) == pytest.approx(expected, abs=2e-4)


def test_in_8_bits_it_orders_tokens_nearly_the_same(checkpoint: Path) -> None:
    expected, rounded = original(checkpoint, IDS)[0], exported(checkpoint, IDS, exact=False)[0]
    margins = np.stack([logits[:, 1] - logits[:, 0] for logits in (expected, rounded)])
    assert np.corrcoef(margins)[0, 1] > 0.99


def test_embeddings_that_come_from_4_bits_are_looked_up_exactly() -> None:
    words = stored_once(3, rows=40)
    ids = np.array([[7, 0, 39, 7, 21]])
    writer = Writer(Checkpoint({}, "", 0, 0, 1, 1e-6), exact=False)
    blocks = in_four_bits(words)
    assert blocks is not None
    output = writer.four_bits(blocks, "ids")
    found = run(writer, output, ids=ids)
    assert np.array_equal(found, words[ids])


@pytest.mark.parametrize("after_gelu", [False, True])
def test_a_token_far_larger_than_the_others_does_not_blur_them(*, after_gelu: bool) -> None:
    """One scale a token: the reason not to use plain dynamic quantization."""
    random = np.random.default_rng(1)
    layer = Linear("layer", random.normal(size=(48, 64)).astype(np.float32), np.ones(48))
    x = random.normal(size=(1, 5, 64)).astype(np.float32)
    x[0, 2] *= 10_000
    if after_gelu:
        x = np.maximum(x, -0.169)
    product = run_dense(layer, x, after_gelu=after_gelu)
    error = np.linalg.norm(product - (x @ layer.weight.T + 1), axis=-1)
    assert (error < 0.02 * np.linalg.norm(x @ layer.weight.T, axis=-1)).all()


def test_no_two_neighbouring_products_overflow_16_bits() -> None:
    random = np.random.default_rng(2)
    weight = random.standard_t(2, (500, 64)).astype(np.float32)
    weight[0, :4] = [1, 1, 0.5, -1]
    weight[1] = 0
    rounded = np.rint(weight / unsaturated_scale(weight)[:, None])
    assert np.abs(rounded).max() == 127
    pairs = rounded.reshape(500, -1, 2)
    for sign in (1, -1):
        assert 255 * np.maximum(sign * pairs, 0).sum(axis=-1).max() < 2**15


def run_dense(layer: Linear, x: np.ndarray, *, after_gelu: bool) -> np.ndarray:
    writer = Writer(Checkpoint({}, "", 0, 0, 1, 1e-6), exact=False)
    return run(writer, writer.dense("x", layer, after_gelu=after_gelu), x=x)


def run(writer: Writer, output: str, **given: np.ndarray) -> np.ndarray:
    """Return what the nodes that were written so far make of an input."""
    ((name, value),) = given.items()
    info = onnx.helper.make_tensor_value_info
    kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
    graph = onnx.helper.make_graph(
        writer.graph.nodes,
        "part",
        [info(name, kind, value.shape)],
        [info(output, onnx.TensorProto.FLOAT, None)],
        list(writer.graph.constants.values()),
    )
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found: np.ndarray = session.run(None, given)[0]
    return found


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "modernbert"}')
    with pytest.raises(CannotExport, match="only bert and xlm-roberta"):
        export(tmp_path, tmp_path / "model.onnx")


def test_another_activation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_act": "relu"}')
    with pytest.raises(CannotExport, match="activates with relu"):
        export(tmp_path, tmp_path / "model.onnx")
