"""Writes a BERT or XLM-R token classifier as one ONNX file with 8-bit weights, for the CPU.

    python -m compressor.training.export FOLDER model.onnx [--fp32]

FOLDER is a Hugging Face checkpoint (config.json and model.safetensors). Needs the packages onnx
and safetensors, and neither PyTorch nor transformers: the graph is written out here node by node,
with ONNX Runtime's fused attention and with every matrix product in integers.

How numbers are rounded. A weight has one scale for each output, an activation one scale for each
token: a scale over the whole window, which is what dynamic quantization takes, lets one outlier
token blur all others. Word embeddings that come from 4 bits go back into them, which loses
nothing; others get 8, with one scale for each word. The outputs of GELU, never below -0.17, are
shifted up so that all 8 bits serve them. Processors without VNNI or DOT instructions add the
products of two neighbours up in 16 bits; weights are scaled so that this cannot overflow, and every
processor gets the same sums.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from compressor.training.embedding_blocks import BLOCK, LOWEST, FourBits, in_four_bits

Array = NDArray[Any]

_MICROSOFT = "com.microsoft"
_OPSETS = {"": 17, _MICROSOFT: 1}
_IR_VERSION = 8  # what opset 17 came with; every ONNX Runtime from 1.12 on reads it
_GELU_FLOOR = 0.1701  # GELU's minimum is -0.16997
_TINY = 1e-6


class CannotExport(ValueError):
    """The checkpoint is of a kind that is not written here; the message says which are."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A token classifier's weights in fp32, by the names that transformers gives them."""

    weights: Mapping[str, Array]
    prefix: str
    first_position: int
    layers: int
    heads: int
    epsilon: float

    def get(self, name: str) -> Array:
        """Return one weight of the encoder."""
        return self.weights[self.prefix + name]


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a BertForTokenClassification or XLMRobertaForTokenClassification folder.

    Raises CannotExport for another architecture, OSError for a missing file.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    kind = config.get("model_type")
    # XLM-R numbers its positions from behind the padding token's.
    first_position = {"bert": 0, "xlm-roberta": config.get("pad_token_id", 1) + 1}.get(kind)
    if first_position is None:
        raise CannotExport(f"{folder} is a '{kind}' model; only bert and xlm-roberta are written")
    if config.get("hidden_act", "gelu") != "gelu":
        raise CannotExport(f"{folder} activates with {config['hidden_act']}; only gelu is written")
    weights = load_file(folder / "model.safetensors")
    return Checkpoint(
        {name: weight.astype(np.float32) for name, weight in weights.items()},
        prefix="bert." if kind == "bert" else "roberta.",
        first_position=first_position,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
    )


@dataclass(slots=True)
class Graph:
    """An ONNX graph under construction."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: Array) -> str:
        """Store a constant under a name, once."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def number(self, value: float, kind: type[np.generic] = np.float32) -> str:
        """Store a scalar."""
        return self.constant(f"{kind.__name__}:{value}", np.array(value, kind))

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Append a node with one output, and return the output's name."""
        name = f"{len(self.nodes)}:{operator}"
        output = f"{name}:0"
        self.nodes.append(
            helper.make_node(operator, inputs, [output], name=name, domain=domain, **attributes)
        )
        return output


@dataclass(frozen=True, slots=True)
class Linear:
    """A dense layer: weight (outputs, inputs), bias (outputs,) or none."""

    name: str
    weight: Array
    bias: Array | None


class Rounded(NamedTuple):
    """The names of an activation in 8 bits, of its scale for each token, of its zero point."""

    values: str
    scale: str
    zero_point: str


class Writer:
    """Writes a checkpoint's layers into a graph, in 8 bits or (`exact`) in fp32."""

    def __init__(self, checkpoint: Checkpoint, *, exact: bool) -> None:
        self.checkpoint = checkpoint
        self.exact = exact
        self.graph = Graph()
        self.rounded: dict[str, Rounded] = {}  # what several products have in common

    def classifier(self) -> onnx.ModelProto:
        """Return the model: input_ids int64 (1, tokens) -> logits float32 (1, tokens, labels)."""
        weights = self.checkpoint.weights
        x = self.embeddings("input_ids")
        for layer in range(self.checkpoint.layers):
            x = self.layer(x, f"encoder.layer.{layer}.")
        product = self.graph.add(
            "MatMul", x, self.graph.constant("classifier.weight", weights["classifier.weight"].T)
        )
        bias = self.graph.constant("classifier.bias", weights["classifier.bias"])
        self.graph.nodes.append(helper.make_node("Add", [product, bias], ["logits"]))
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
        labels = len(weights["classifier.bias"])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "tokens", labels])
        graph = helper.make_graph(
            self.graph.nodes,
            "token_classifier",
            [ids],
            [logits],
            list(self.graph.constants.values()),
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def embeddings(self, ids: str) -> str:
        """Write the sum of word, position and type embeddings, normalised."""
        graph, get = self.graph, self.checkpoint.get
        words = get("embeddings.word_embeddings.weight")
        if self.exact:
            word = graph.add("Gather", graph.constant("words", words), ids)
        else:
            blocks = in_four_bits(words)
            word = self.bytes_of(words, ids) if blocks is None else self.four_bits(blocks, ids)
        positions = get("embeddings.position_embeddings.weight")[self.checkpoint.first_position :]
        positions = positions + get("embeddings.token_type_embeddings.weight")[0]
        position = graph.add(
            "Slice",
            graph.constant("positions", positions[None]),
            graph.constant("zero", np.array([0], np.int64)),
            graph.add("Shape", ids, start=1, end=2),
            graph.constant("axis", np.array([1], np.int64)),
        )
        return self.normalised_sum(word, position, "embeddings.LayerNorm")

    def bytes_of(self, words: Array, ids: str) -> str:
        """Write the look-up of word embeddings in 8 bits, a scale for each word."""
        graph = self.graph
        scale = np.maximum(np.abs(words).max(axis=1, keepdims=True) / 127, _TINY)
        rounded = np.rint(words / scale).astype(np.int8)
        word = graph.add("Gather", graph.constant("words", rounded), ids)
        word = graph.add("Cast", word, to=TensorProto.FLOAT)
        scales = graph.constant("words:scale", scale)
        return graph.add("Mul", word, graph.add("Gather", scales, ids))

    def four_bits(self, words: FourBits, ids: str) -> str:
        """Write the look-up of word embeddings in 4 bits, in operators that every runtime has."""
        graph = self.graph
        packed = graph.add("Gather", graph.constant("words", words.packed), ids)
        packed = graph.add("Cast", packed, to=TensorProto.INT32)
        sixteen = graph.number(16, np.int32)
        upper = graph.add("Div", packed, sixteen)
        lower = graph.add("Sub", packed, graph.add("Mul", upper, sixteen))
        values = graph.add("Concat", lower, upper, axis=-1)
        values = graph.add("Add", values, graph.number(LOWEST, np.int32))
        values = graph.add("Cast", values, to=TensorProto.FLOAT)
        scales = graph.add("Gather", graph.constant("words:scale", words.scales), ids)
        scales = graph.add("Cast", scales, to=TensorProto.FLOAT)
        count = words.scales.shape[1]
        blocks = graph.constant("blocks", np.array([1, -1, count, BLOCK], np.int64))
        one = graph.constant("one", np.array([1, -1, count, 1], np.int64))
        row = graph.constant("row", np.array([1, -1, count * BLOCK], np.int64))
        scaled = graph.add(
            "Mul", graph.add("Reshape", values, blocks), graph.add("Reshape", scales, one)
        )
        return graph.add("Reshape", scaled, row)

    def layer(self, x: str, name: str) -> str:
        """Write one transformer layer, normalised after each half as BERT is."""
        graph = self.graph
        query, key, value = (
            self.linear(f"{name}attention.self.{part}") for part in ("query", "key", "value")
        )
        output = self.linear(f"{name}attention.output.dense")
        # What is added to every key alike moves all of a query's weights alike: no bias for keys.
        # Those add up to 1, so what is added to every value is added to what comes of them.
        if output.bias is not None and value.bias is not None:
            output = replace(output, bias=output.bias + output.weight @ value.bias)
            value = replace(value, bias=None)
        attended = graph.add(
            "MultiHeadAttention",
            self.dense(x, query),
            self.dense(x, replace(key, bias=None)),
            self.dense(x, value),
            domain=_MICROSOFT,
            num_heads=self.checkpoint.heads,
        )
        attended = self.dense(attended, output)
        x = self.normalised_sum(x, attended, f"{name}attention.output.LayerNorm")
        # Sum, not Add: fused into BiasGelu it takes longer than the two apart (1.32, AVX-512).
        inner = self.dense(x, self.linear(f"{name}intermediate.dense"), add="Sum")
        inner = graph.add("Gelu", inner, domain=_MICROSOFT)
        inner = self.dense(inner, self.linear(f"{name}output.dense"), after_gelu=True)
        return self.normalised_sum(x, inner, f"{name}output.LayerNorm")

    def linear(self, name: str) -> Linear:
        """Return one dense layer of the checkpoint."""
        get = self.checkpoint.get
        return Linear(name, get(f"{name}.weight"), get(f"{name}.bias"))

    def normalised_sum(self, x: str, y: str, name: str) -> str:
        """Write LayerNormalization(x + y)."""
        graph, get = self.graph, self.checkpoint.get
        # Sum, not Add: ONNX Runtime would fuse an Add into SkipLayerNormalization, whose CPU
        # kernel takes five times as long as the two apart (1.32, AVX-512).
        return graph.add(
            "LayerNormalization",
            graph.add("Sum", x, y),
            graph.constant(f"{name}.weight", get(f"{name}.weight")),
            graph.constant(f"{name}.bias", get(f"{name}.bias")),
            axis=-1,
            epsilon=self.checkpoint.epsilon,
        )

    def dense(self, x: str, layer: Linear, *, after_gelu: bool = False, add: str = "Add") -> str:
        """Write x @ weight.T + bias; `add` is the operator that adds."""
        if self.exact:
            weight = self.graph.constant(f"{layer.name}.weight", layer.weight.T)
            product, bias = self.graph.add("MatMul", x, weight), layer.bias
        else:
            product, bias = self.rounded_product(x, layer, after_gelu=after_gelu)
        if bias is None:
            return product
        name = self.graph.constant(f"{layer.name}.bias", bias.astype(np.float32))
        return self.graph.add(add, product, name)

    def rounded_product(
        self, x: str, layer: Linear, *, after_gelu: bool
    ) -> tuple[str, Array | None]:
        """Write the product in integers; return it and the bias that is still to be added."""
        graph = self.graph
        scale = unsaturated_scale(layer.weight)
        weight = np.rint(layer.weight / scale[:, None]).astype(np.int8).T
        if x not in self.rounded:
            self.rounded[x] = self.round(x, after_gelu=after_gelu)
        rounded, token_scale, zero_point = self.rounded[x]
        product = graph.add(
            "MatMulIntegerToFloat",
            rounded,
            graph.constant(f"{layer.name}.weight", weight),
            graph.number(1.0),
            graph.constant(f"{layer.name}.scale", scale),
            zero_point,
            domain=_MICROSOFT,
        )
        bias = layer.bias
        if after_gelu and bias is not None:
            floor = _GELU_FLOOR * scale * weight.sum(axis=0, dtype=np.int64)
            bias = bias - floor
        return graph.add("Mul", product, token_scale), bias

    def round(self, x: str, *, after_gelu: bool) -> Rounded:
        """Write x in 8 bits, with one scale a token."""
        graph = self.graph
        if after_gelu:
            x = graph.add("Add", x, graph.number(_GELU_FLOOR))
            largest = graph.add("ReduceMax", x, axes=[-1], keepdims=1)
            zero, levels = 0, 255
        else:
            largest = graph.add("ReduceMax", graph.add("Abs", x), axes=[-1], keepdims=1)
            zero, levels = 128, 127
        largest = graph.add("Max", largest, graph.number(_TINY))
        scale = graph.add("Mul", largest, graph.number(1 / levels))
        # Tokens are the axis that has a scale for each: one operator instead of two.
        flat = graph.constant("flat", np.array([-1], np.int64))
        scales = graph.add("Reshape", scale, flat)
        zero_point = graph.number(zero, np.uint8)
        zeros = graph.add("Expand", zero_point, graph.add("Shape", scales))
        rounded = graph.add("QuantizeLinear", x, scales, zeros, axis=1)
        return Rounded(rounded, scale, zero_point)


def unsaturated_scale(weight: Array) -> Array:
    """Return each output's scale, (outputs,), for weights (outputs, inputs) of even width.

    Small enough to fill 8 bits, large enough that neither the positive nor the negative weights of
    two neighbours add up to more than 128, and so 255 times that still fits in 16 signed bits.
    """
    pairs = weight.reshape(len(weight), -1, 2)
    sums = np.maximum(np.maximum(pairs, 0).sum(axis=-1), np.maximum(-pairs, 0).sum(axis=-1))
    # 127.5 and no more, since each of the two may be rounded up by a half.
    scale = np.maximum(np.abs(weight).max(axis=1) / 127, sums.max(axis=1) / 127.5)
    positive: Array = np.maximum(scale, _TINY).astype(np.float32)
    return positive


def export(folder: Path, output: Path, *, exact: bool = False) -> None:
    """Write a checkpoint's folder as an ONNX file, in fp32 when `exact`. Raises CannotExport."""
    onnx.save(Writer(read_checkpoint(folder), exact=exact).classifier(), str(output))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="checkpoint with config.json, model.safetensors")
    parser.add_argument("output", type=Path, help="the ONNX file to write")
    parser.add_argument("--fp32", action="store_true", help="leave the weights in 32 bits")
    arguments = parser.parse_args()
    export(arguments.folder, arguments.output, exact=arguments.fp32)


if __name__ == "__main__":
    main()
