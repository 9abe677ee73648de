"""Structure rules, and for each rule a small bad example that it has to find."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests import architecture_rules as rules
from tests.architecture_rules import Module

ROOT = Path(__file__).parent.parent
MODULES = rules.read_modules(ROOT, rules.RUNTIME)
EVERY_MODULE = rules.read_modules(ROOT, (*rules.RUNTIME, "benchmarks", "examples", "tests"))
HEAVY = {"aiohttp", "httpx", "litellm", "onnxruntime", "openai", "torch", "transformers"}

Rule = Callable[[Sequence[Module]], list[str]]


def test_the_source_is_found() -> None:
    assert {module.package for module in MODULES} == set(rules.RUNTIME)


@pytest.mark.parametrize(
    "rule",
    [
        rules.separation_faults,
        rules.reserved_faults,
        rules.environment_faults,
        rules.function_size_faults,
        rules.broad_except_faults,
        rules.global_faults,
    ],
)
def test_runtime_packages_follow(rule: Rule) -> None:
    assert rule(MODULES) == []


def test_no_file_is_too_long() -> None:
    assert rules.file_size_faults(EVERY_MODULE) == []


def test_file_names_say_what_they_hold() -> None:
    assert rules.name_faults([module.path for module in EVERY_MODULE]) == []


def test_tests_mirror_the_source() -> None:
    paths = [module.path for module in EVERY_MODULE]
    tests = [path for path in paths if path.startswith("tests/")]
    sources = [path for path in paths if not path.startswith("tests/")]
    assert rules.mirror_faults(tests, sources) == []


def test_version_is_the_newest_in_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(
        r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert newest is not None
    assert newest.group(1) == project["version"]


@pytest.mark.parametrize("name", ["proxy.cli", "compressor", "policies", "proxy.config"])
def test_importing_starts_no_heavy_work(name: str) -> None:
    """What takes long to import is imported where it is used, so `tersely --help` stays quick."""
    code = f"import sys, {name}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# The rules themselves: each has to find its fault, and to leave the allowed case alone.

SEPARATION = [
    ("policies/a.py", "import compressor", True),
    ("policies/a.py", "from proxy.config import Config", True),
    ("compressor/a.py", "from policies import types", True),
    ("compressor/a/b.py", "def f():\n    import proxy", True),
    ("compressor/types.py", "from compressor.words import Word", True),
    ("compressor/types.py", "from .words import Word", True),
    ("compressor/a.py", "from compressor.types import Span", False),
    ("compressor/a.py", "import proxyless", False),
    ("proxy/a.py", "import compressor, policies", False),
]
RESERVED = [
    ("proxy/relay.py", "import aiohttp", True),
    ("proxy/upstream.py", "import aiohttp", False),
    ("proxy/app.py", "from yaml import safe_load", True),
    ("proxy/config.py", "import yaml", False),
    ("proxy/prices.py", "import litellm", True),
    ("proxy/prices.py", "def f():\n    import litellm", False),
    ("proxy/prices.py", "def f():\n    importlib.import_module('litellm.utils')", False),
    ("proxy/savings.py", "importlib.import_module('litellm.utils')", True),
    ("proxy/integrations/litellm_callback.py", "import litellm", False),
    ("proxy/integrations/passages.py", "import langchain_core", True),
    ("proxy/app.py", "from proxy.integrations import langchain", True),
    ("proxy/savings.py", "def f():\n    import litellm", True),
    ("compressor/engine.py", "import torch.nn", True),
    ("compressor/classifier/torch.py", "import torch.nn", False),
    ("compressor/engine.py", "from starlette.routing import Route", True),
    ("proxy/app.py", "from compressor.training import train", True),
    ("proxy/app.py", "from benchmarks import overhead", True),
    ("compressor/engine.py", "from compressor import evaluation", True),
]
ENVIRONMENT = [
    ("proxy/app.py", "import os\nos.environ['A']", True),
    ("proxy/app.py", "from os import getenv", True),
    ("proxy/config.py", "import os\nos.environ['A']", False),
    ("proxy/app.py", "import os\nos.cpu_count()", False),
]
BROAD = [
    ("proxy/app.py", "try: pass\nexcept Exception: pass", True),
    ("proxy/app.py", "try: pass\nexcept: pass", True),
    ("proxy/app.py", "try: pass\nexcept (ValueError, BaseException): pass", True),
    ("proxy/app.py", "try: pass\nexcept ValueError: pass", False),
    ("compressor/deadline.py", "try: pass\nexcept Exception: pass", False),
    ("compressor/deadline.py", "try: pass\nexcept Exception: pass\n" * 2, True),
]
LONG = "\n".join(["def f():", *["    pass"] * 60])
CASES = [
    *((rules.separation_faults, *case) for case in SEPARATION),
    *((rules.reserved_faults, *case) for case in RESERVED),
    *((rules.environment_faults, *case) for case in ENVIRONMENT),
    *((rules.broad_except_faults, *case) for case in BROAD),
    (rules.global_faults, "proxy/a.py", "x = 1\ndef f():\n    global x\n    x = 2", True),
    (rules.global_faults, "proxy/a.py", "x = 1\ndef f():\n    x = 2", False),
    (rules.function_size_faults, "proxy/a.py", LONG, True),
    (rules.function_size_faults, "proxy/a.py", LONG.removesuffix("\n    pass"), False),
    (rules.file_size_faults, "proxy/a.py", "x = 1\n" * 401, True),
    (rules.file_size_faults, "proxy/a.py", "x = 1\n" * 400, False),
]


@pytest.mark.parametrize(("rule", "path", "source", "faulty"), CASES)
def test_a_rule_finds_its_fault(rule: Rule, path: str, source: str, faulty: bool) -> None:
    faults = rule([Module.parse(path, source)])
    assert bool(faults) is faulty
    assert all(fault.startswith(path) for fault in faults)


@pytest.mark.parametrize(
    ("path", "faulty"),
    [
        ("proxy/utils.py", True),
        ("proxy/helpers/a.py", True),
        ("proxy/manager.py", True),
        ("proxy/relay_v2.py", True),
        ("proxy/relay.py", False),
        ("proxy/common_sense.py", False),
    ],
)
def test_the_name_rule_finds_its_fault(path: str, faulty: bool) -> None:
    assert bool(rules.name_faults([path])) is faulty


@pytest.mark.parametrize(
    ("test", "faulty"),
    [
        ("tests/proxy/test_relay.py", False),
        ("tests/proxy/test_relay_disconnect.py", False),
        ("tests/proxy/test_demo.py", False),
        ("tests/proxy/fakes.py", False),
        ("tests/integration/test_anything.py", False),
        ("tests/test_docs.py", False),
        ("tests/proxy/test_rely.py", True),
        ("tests/compressor/test_relay.py", True),
    ],
)
def test_the_mirror_rule_finds_its_fault(test: str, faulty: bool) -> None:
    assert bool(rules.mirror_faults([test], ["proxy/relay.py", "proxy/demo/run.py"])) is faulty
