"""Puts what several ONNX classifiers have in common into one file that each of them reads.

    python -m compressor.training.shared_weights MODEL.onnx MODEL.onnx --into WORDS.onnx_data

Classifiers that began as one encoder, and whose word embeddings were not trained, have these in
common, and embeddings are the larger part of a small multilingual classifier. ONNX Runtime reads
such a file only in a model's own folder or below it, so it belongs into the lowest of them.
Source: https://onnx.ai/onnx/repo-docs/ExternalData.html.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto

SMALLEST = 1 << 16  # bytes; what is smaller stays where it is
_PAGE = 4096  # where a tensor begins, so that it can be mapped into memory


class CannotShare(ValueError):
    """The models have nothing in common, or one cannot read the file; the message says which."""


def share(models: Sequence[Path], into: Path) -> list[str]:
    """Move the large weights that are the same in all models into one file, and name them.

    The models are written anew. Raises CannotShare, OSError.
    """
    for model in models:
        if not into.resolve().is_relative_to(model.resolve().parent):
            raise CannotShare(f"{into} is not in the folder of {model} or below it")
    loaded = [onnx.load(str(model)) for model in models]
    tensors = [{tensor.name: tensor for tensor in one.graph.initializer} for one in loaded]
    first, *others = tensors
    common = [
        name
        for name, tensor in first.items()
        if len(tensor.raw_data) >= SMALLEST and all(_same(tensor, one.get(name)) for one in others)
    ]
    if not common:
        raise CannotShare("the models have no weights in common")
    data, places = _joined([first[name].raw_data for name in common])
    into.write_bytes(data)
    for model, one, found in zip(models, loaded, tensors, strict=True):
        location = into.resolve().relative_to(model.resolve().parent).as_posix()
        for name, (offset, length) in zip(common, places, strict=True):
            _point(found[name], location, offset, length)
        model.write_bytes(one.SerializeToString())
    return common


def _same(tensor: TensorProto, other: TensorProto | None) -> bool:
    return (
        other is not None
        and tensor.data_type == other.data_type
        and list(tensor.dims) == list(other.dims)
        and tensor.raw_data == other.raw_data
    )


def _joined(parts: Sequence[bytes]) -> tuple[bytes, list[tuple[int, int]]]:
    """Return the parts, each from the beginning of a page on, with offsets and lengths."""
    data, places = bytearray(), []
    for part in parts:
        data.extend(bytes(-len(data) % _PAGE))
        places.append((len(data), len(part)))
        data.extend(part)
    return bytes(data), places


def _point(tensor: TensorProto, location: str, offset: int, length: int) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+", help="ONNX files, which are written anew")
    parser.add_argument("--into", type=Path, required=True, help="the file of what they share")
    arguments = parser.parse_args()
    names = share(arguments.models, arguments.into)
    print(f"{', '.join(names)}: {arguments.into.stat().st_size / 1e6:.1f} MB in {arguments.into}")


if __name__ == "__main__":
    main()
