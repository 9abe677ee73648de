"""The wheel holds all that a machine without this source tree and without a network needs."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Where a file of the wheel has another place in the source tree.
SOURCES = {"proxy/default_config.yaml": "config.yaml"}
pytestmark = pytest.mark.package


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    _pip("wheel", *options, str(ROOT))
    (built,) = folder.glob("tersely-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder of their own, found before those of the source tree."""
    folder = tmp_path_factory.mktemp("installed")
    _pip("install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _tersely(installed: Path, cwd: Path, *arguments: str, text: str = "") -> str:
    code = "from proxy.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed), "TMPDIR": str(cwd)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "compressor/models/model.onnx",
        "compressor/models/fast/model.onnx",
        "compressor/models/fast/words.onnx_data",
        "compressor/models/tokenizer.json",
        "compressor/models/LICENSE.multilingual-e5-small",
        "compressor/vocabulary/o200k_base.tiktoken",
        "compressor/vocabulary/cl100k_base.tiktoken",
        "compressor/py.typed",
        "policies/py.typed",
        "proxy/py.typed",
        "proxy/default_config.yaml",
        "proxy/demo/document.txt",
    ],
)
def test_the_wheel_holds(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        size = archive.getinfo(name).file_size
    assert size == (ROOT / SOURCES.get(name, name)).stat().st_size


def test_every_licence_in_the_wheel_is_named_in_its_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    named = {name.partition("/licenses/")[2] for name in names if "/licenses/" in name}
    held = {name for name in names if "/LICENSE" in name and ".dist-info/" not in name}
    assert named == held | {"LICENSE"}


def test_the_wheel_holds_no_more_than_its_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"compressor", "policies", "proxy"}


def test_the_installed_files_are_the_ones_that_run(installed: Path, tmp_path: Path) -> None:
    assert str(installed) in _tersely(installed, tmp_path, "check-config")


def test_compress_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    text = "The committee met on Tuesday, and it did not approve the budget of 4,200 euros. " * 8
    shorter = _tersely(installed, tmp_path, "compress", "--rate", "0.5", text=text)
    assert 0 < len(shorter) < len(text)


def test_the_demo_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    assert "what reached the model" in _tersely(installed, tmp_path, "demo")
    (ledger,) = tmp_path.glob("tersely-demo-*/savings.db")
    answer = _tersely(installed, tmp_path, "savings", "--json", "--path", str(ledger))
    total = json.loads(answer)["total"]
    assert total["requests"] == 1
    assert 0 < total["tokens_sent"] < total["tokens_before"]
