"""What README, docs and examples show has to work."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from proxy.cli import build
from proxy.commands.check_config import check
from proxy.config import load

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
OF_OURS = re.compile(
    r"`((?:benchmarks|compressor|docs|examples|policies|proxy|tests)/[\w/.-]+\.\w+)[`:]"
)


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, body)
        for page in PAGES
        for kind, body in BLOCK.findall(page.read_text("utf-8"))
        if kind == language
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_files_that_pages_name_exist() -> None:
    named = [path for page in PAGES for path in OF_OURS.findall(page.read_text("utf-8"))]
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_python_examples_parse() -> None:
    examples = [(p.name, p.read_text("utf-8")) for p in (ROOT / "examples").glob("*.py")]
    assert examples
    for name, code in [*examples, *blocks("python")]:
        ast.parse(code, name)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("config-*.yaml")), ids=str)
def test_example_configs_load(path: Path) -> None:
    findings = check(path, need_secrets=False)
    assert not findings.problems
    assert [found.text for found in findings.warnings] == []
    assert all(answer.policy is not None for answer in findings.answers)


def test_the_readmes_config_loads(tmp_path: Path) -> None:
    [(_, body)] = [b for b in blocks("yaml") if b[0] == "README.md"]
    (tmp_path / "config.yaml").write_text(body)
    assert load(tmp_path / "config.yaml", {}).policies["documents"].rate == 0.4


def test_the_routes_on_the_page_about_upstreams_are_the_examples(tmp_path: Path) -> None:
    example = (ROOT / "examples" / "config-fallback.yaml").read_text("utf-8")
    [(_, body)] = [b for b in blocks("yaml") if b[0] == "upstreams.md"]
    path = tmp_path / "config.yaml"
    path.write_text(example[: example.index("routes:")] + body)
    found, shown = (
        load(file, {}, need_secrets=False).routes[0]
        for file in (ROOT / "examples" / "config-fallback.yaml", path)
    )
    assert (shown.tiers, shown.fallback_on) == (found.tiers, found.fallback_on)


def test_the_compose_file_names_services() -> None:
    compose = yaml.safe_load((ROOT / "examples" / "docker-compose.yaml").read_text("utf-8"))
    assert {"tersely", "valkey"} <= set(compose["services"])


def test_commands_and_targets_that_pages_name_exist() -> None:
    text = "\n".join(body for _, body in blocks("sh"))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE))
    assert {"run", "test"} <= named <= targets
    commands = set(re.findall(r"^tersely ([a-z-]+)", text, re.MULTILINE))
    assert commands
    for command in commands:
        assert CliRunner().invoke(build(), [command, "--help"]).exit_code == 0, command
