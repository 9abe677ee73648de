"""Shortens texts with a token classifier: `Compressor().compress(text, rate=0.5)`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compressor.build import build_part_compressor
    from compressor.contexts import CompressedContexts, ContextFilter, compress_contexts
    from compressor.engine import Compressor
    from compressor.types import CompressionResult, ExplainedWord, Kind, Settings, VerifiedCount

__all__ = [
    "CompressedContexts",
    "CompressionResult",
    "Compressor",
    "ContextFilter",
    "ExplainedWord",
    "Kind",
    "Settings",
    "VerifiedCount",
    "build_part_compressor",
    "compress_contexts",
]

_HOMES = {
    "CompressedContexts": "compressor.contexts",
    "CompressionResult": "compressor.types",
    "Compressor": "compressor.engine",
    "ContextFilter": "compressor.contexts",
    "ExplainedWord": "compressor.types",
    "Kind": "compressor.types",
    "Settings": "compressor.types",
    "VerifiedCount": "compressor.types",
    "build_part_compressor": "compressor.build",
    "compress_contexts": "compressor.contexts",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes have no one type
    # At first use, because the runtimes below take most of a second to import.
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'compressor' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
