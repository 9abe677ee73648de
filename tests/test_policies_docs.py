"""The examples in docs/policies.md do what the page says."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from policies.select import select
from policies.types import Policy, Role, TextPart
from proxy.commands.check_config import check_config
from proxy.config import load
from proxy.config_reference import presets_table

PAGE = (Path(__file__).parents[1] / "docs" / "policies.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(yaml|console)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
YAML = [text for kind, text in BLOCKS if kind == "yaml"]
LOADABLE = [text for text in YAML if "roels" not in text]
REST = {
    "upstreams": "upstreams: {openai: {base_url: https://api.openai.com/v1}}\n",
    "routes": "routes: [{policy: off, upstream: openai}]\n",
}


def sessions() -> list[tuple[str, str, str]]:
    """Every console example: the YAML above it, the command and what it prints."""
    found, above = [], ""
    for kind, text in BLOCKS:
        if kind == "yaml":
            above = text
        else:
            command, _, output = text.removeprefix("$ ").partition("\n")
            found.append((above, command, output))
    return found


@pytest.mark.parametrize("text", LOADABLE)
def test_the_yaml_examples_load(text: str, tmp_path: Path) -> None:
    for section, default in REST.items():
        if f"{section}:" not in text:
            text += default
    path = tmp_path / "config.yaml"
    path.write_text(text)
    config = load(path, {})
    declared = re.findall(r"^  ([a-z-]+):", text.split("policies:")[1], re.MULTILINE)
    assert declared[0] in config.policies


@pytest.mark.parametrize(("text", "command", "output"), sessions())
def test_the_commands_print_what_the_page_shows(
    text: str, command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(text)
    app = typer.Typer()
    app.command()(check_config)
    _, name, *arguments = shlex.split(command)
    assert name == "check-config"
    result = CliRunner().invoke(app, arguments)
    assert result.output == output


def test_the_presets_table_is_fresh() -> None:
    assert f"<!-- presets -->\n{presets_table()}\n<!-- /presets -->" in PAGE


def test_the_reasons_are_the_ones_that_select_gives() -> None:
    def reason(tokens: int = 900, role: Role = Role.USER, **own: object) -> str:
        policy = Policy.model_validate({"name": "p", "mode": "on", **own})
        part = TextPart(role, ("messages", 0, "content"), "text", tokens)
        return select(policy, [part], window=window)[0].reason

    window: int | None = 128_000
    reasons = [
        reason(mode="off"),
        reason(rate=0.5, role=Role.SYSTEM),
        reason(rate=0.5, tokens=120),
        reason(rate=0.5, tool_descriptions=60, tokens=40, role=Role.TOOL_SCHEMA),
        reason(target_tokens=1000),
        reason(rate=0.5, min_request_tokens=1000),
        reason(rate=0.5, fit_context=True),
    ]
    window = None
    reasons.append(reason(rate=0.5, fit_context=True))
    shown = re.findall(r"^   \| `(.+?)` \|", PAGE, re.MULTILINE)
    assert shown == reasons
