import subprocess
import sys

import pytest

import compressor

HEAVY = ("numpy", "onnxruntime", "tokenizers", "tiktoken", "redis", "cryptography", "asyncio")


def test_importing_the_package_loads_no_runtime() -> None:
    code = f"import compressor, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    assert set(compressor.__all__) <= set(dir(compressor))
    for name in compressor.__all__:
        assert getattr(compressor, name).__name__ == name


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Missing'"):
        compressor.Missing  # noqa: B018 - looking it up is the test
