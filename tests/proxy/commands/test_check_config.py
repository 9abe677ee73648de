import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from policies.match import first_match
from policies.types import Match, Route
from proxy.commands.check_config import check, check_config, examples
from tests.proxy.config_files import LEAST

TEXT = """\
upstreams:
  openai: {base_url: https://api.openai.com/v1, api_key_env: NOT_SET_HERE}
  local: {base_url: http://127.0.0.1:8000/v1}
policies:
  tight: {preset: agent, target_tokens: 900, mode: shadow}
routes:
  - match: {model: "llama-*", tenant: "t-*"}
    policy: tight
    upstream: local
  - match: {headers: {x-app: search}}
    policy: rag
    upstream: openai
  - match: {path: /v1/*}
    policy: off
    upstream: openai
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOT_SET_HERE", "sk-secret")
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


def run(*arguments: Any) -> Result:
    app = typer.Typer()
    app.command()(check_config)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def asked(path: Path, *arguments: str) -> Any:
    result = run(path, "--json", *arguments)
    assert result.exit_code == 0, result.output
    (answer,) = json.loads(result.stdout)["requests"]
    return answer


def test_every_route_has_an_example_that_reaches_it(path: Path) -> None:
    result = run(path, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert report["problems"] == []
    assert {request["route"] for request in report["requests"]} == {0, 1, 2}
    assert "sk-secret" not in result.output


def test_the_table(path: Path) -> None:
    result = run(path, "--model", "llama-3", "--tenant", "t-1")
    assert result.exit_code == 0
    rows = [line.split("  ") for line in result.output.splitlines()[2:4]]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["request", "route", "policy", "mode", "amount", "roles", "upstream"],
        [
            "/v1/chat/completions llama-3 tenant=t-1",
            "routes[0] line 7",
            "tight",
            "shadow",
            "target_tokens 900",
            "tool",
            "local",
        ],
    ]


def test_one_request_by_header_in_any_case(path: Path) -> None:
    answer = asked(path, "--header", "X-App=search", "--model", "gpt-4o")
    assert (answer["route"], answer["line"], answer["upstream"]) == (1, 10, "openai")
    assert answer["policy"]["name"] == "rag"
    assert answer["policy"]["roles"] == ["system", "tool", "user"]


def test_control_headers_are_followed(path: Path) -> None:
    answer = asked(path, "--header", "x-tersely-policy=agent", "--header", "x-tersely-rate=0.25")
    assert (answer["policy"]["name"], answer["policy"]["rate"]) == ("agent", 0.25)
    assert asked(path, "--header", "x-tersely-bypass=true")["note"].startswith("bypassed")


def test_a_control_header_that_would_be_refused(path: Path) -> None:
    answer = asked(path, "--header", "x-tersely-policy=agnet")
    assert answer["policy"] is None
    assert answer["note"].startswith("refused with 400: ")


def test_paths_that_are_passed_through(path: Path) -> None:
    answer = asked(path, "--path", "/v1/embeddings")
    assert answer["note"] == "not a path that is compressed: passed through"
    assert asked(path, "--model", "gpt-4o")["note"] is None


def test_a_request_that_no_route_takes(path: Path) -> None:
    result = run(path, "--path", "/other")
    assert "/other: refused with 404: no route takes it" in result.output
    assert "warning: " in result.output
    assert "no route takes every request" in result.output


def test_problems_are_listed_and_fail(path: Path) -> None:
    path.write_text(
        TEXT.replace("preset: agent", "preset: agnet").replace("policy: rag", "policy: r")
    )
    result = run(path)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith(f"{path}:5: policies.tight.preset: there is no preset 'agnet'")
    assert lines[1].startswith(f"{path}:11: routes[1].policy: there is no policy 'r'")
    assert lines[2] == "2 problems found"


def test_problems_as_json(path: Path) -> None:
    path.write_text(TEXT + "extra: 1\n")
    result = run(path, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["ok"] is False
    (problem,) = report["problems"]
    assert (problem["line"], problem["column"], problem["key"]) == (16, 1, "extra")


def test_a_missing_variable_is_a_problem_unless_told_otherwise(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET_HERE")
    result = run(path)
    assert result.exit_code == 1
    assert "environment variable NOT_SET_HERE is not set" in result.output
    assert run(path, "--without-secrets").exit_code == 0


def test_a_header_without_value(path: Path) -> None:
    result = run(path, "--header", "x-app")
    assert result.exit_code == 2
    assert "is not NAME=VALUE" in result.output


def test_without_a_path_it_reads_the_one_that_serve_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(LEAST)
    assert run().output.startswith("config.yaml is fine.")


def test_no_such_file(tmp_path: Path) -> None:
    findings = check(tmp_path / "nowhere.yaml")
    assert [problem.text for problem in findings.problems] == [
        "cannot be read: No such file or directory"
    ]


GLOBS = st.text("ab-*?", min_size=1, max_size=6) | st.sampled_from(
    ["[ab]c", "[!a]b", "[!~]", "[]]"]
)
MATCHES = st.builds(
    Match,
    model=st.none() | GLOBS,
    path=st.none() | GLOBS.map(lambda text: "/" + text),
    tenant=st.none() | GLOBS,
    headers=st.dictionaries(st.sampled_from(["x-a", "X-B"]), GLOBS, max_size=2),
)


@given(match=MATCHES)
def test_an_example_matches_the_route_that_it_is_for(match: Match) -> None:
    route = Route(match=match, policy="off", upstream="u")
    assert any(first_match([route], facts) for facts in examples([route]))
