"""The page of other proxies' faults names tests that exist; and tests that fit nowhere else."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from proxy.config import ServerConfig

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "peer-faults.md").read_text("utf-8")
ROW = re.compile(r"^\| (?!fault )(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NODE = re.compile(r"`(tests/[\w/]+\.py)::(\w+(?:::\w+)?)`")
RUNTIMES = {"aiohttp", "httpx", "litellm", "onnxruntime", "openai", "tiktoken", "torch", "numpy"}


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the node ids of a test file, without the file; those that are always skipped not."""
    found = set()

    def look(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                look(node.body, f"{node.name}::")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
                if "mark.skip(" not in marks and "xfail" not in marks:
                    found.add(prefix + node.name)

    look(ast.parse((ROOT / path).read_text("utf-8")).body, "")
    return frozenset(found)


def test_every_fault_has_a_test_that_exists() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) == sum(line.startswith("| ") for line in PAGE.splitlines()) - 4  # headings
    for fault, _, cell in rows:
        named = NODE.findall(cell)
        assert named, f"no test is named for: {fault}"
        assert " ".join(f"`{path}::{test}`" for path, test in named) == cell, fault
        for path, test in named:
            assert (ROOT / path).is_file(), f"{path} does not exist (docs/peer-faults.md)"
            assert test in names_in(path), f"{path} has no {test} (docs/peer-faults.md)"


def test_it_listens_on_this_machine_alone_by_default() -> None:
    assert ServerConfig().host == "127.0.0.1"
    assert not ServerConfig().allow_open


def run_alone(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", [["--help"], ["compress", "--help"]])
def test_help_loads_no_runtime(words: list[str]) -> None:
    out = run_alone(
        "import sys\nfrom proxy.cli import build\n"
        f"build()({words!r}, standalone_mode=False)\n"
        f"print('loaded:', *sorted({RUNTIMES!r} & set(sys.modules)))"
    )
    assert "Usage" in out
    assert out.splitlines()[-1] == "loaded:"


def test_compressing_needs_no_network() -> None:
    """Neither the classifier nor a vocabulary is looked for anywhere but in the package."""
    out = run_alone(
        "import socket, sys\n"
        "def refuse(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):\n"
        "        print('network:', event, args[1:]); raise OSError(event)\n"
        "sys.addaudithook(refuse)\n"
        "from compressor import Compressor\n"
        "from compressor.tokens import Tokenizers\n"
        "text = 'The committee met on Tuesday, and it talked at length about the weather. ' * 9\n"
        "count = Tokenizers().counter('o200k_base')\n"
        "with Compressor() as compressor:\n"
        "    result = compressor.compress(text, rate=0.5)\n"
        "print(len(result.text) < len(text), result.tokens_after < result.tokens_before)\n"
    )
    assert out == "True True\n"
