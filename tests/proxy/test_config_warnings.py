from pathlib import Path

import pytest

from proxy import config_warnings
from proxy.config import read
from proxy.config_warnings import warnings
from tests.proxy.config_files import FERNET_KEY, LEAST

SHIPPED = Path(__file__).parents[2] / "config.yaml"
ENVIRON = {"KEY": "sk-secret", "URL": "redis://u:sk-secret@cache.internal", "LOCK": FERNET_KEY}


def warned(path: Path, text: str) -> list[str]:
    path.write_text(text, "utf-8")
    return [str(warning) for warning in warnings(read(path, ENVIRON))]


def test_the_shipped_config_has_none() -> None:
    assert warnings(read(SHIPPED, {})) == []


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("server: {host: 0.0.0.0}", "5: server.host: 0.0.0.0 is reached from other machines: who"),
        (
            "policies:\n  p: {preset: rag, min_request_tokens: 9}",
            "6: policies.p.min_request_tokens: moves cached prefixes: ",
        ),
        (
            "policies:\n  p: {preset: rag, fit_context: true}\n"
            "compressor: {context_windows: {m: 100}}",
            "6: policies.p.fit_context: moves cached prefixes: ",
        ),
        (
            "policies:\n  p: {preset: rag, question_aware: true}",
            "6: policies.p.question_aware: moves cached prefixes: ",
        ),
        (
            "policies:\n  p: {preset: rag-question}",
            "6: policies.p.question_aware: moves cached prefixes: ",
        ),
        ("cache: {url: 'redis://cache.internal'}", "5: cache.url: compressed prompts cross the "),
        ("cache: {url_env: URL}", "5: cache.url_env: compressed prompts cross the network"),
    ],
)
def test_one_warning(tmp_path: Path, text: str, warning: str) -> None:
    (found,) = warned(tmp_path / "config.yaml", LEAST + text)
    assert found.startswith(warning)
    assert "sk-secret" not in found


@pytest.mark.parametrize(
    "text",
    [
        "server: {host: localhost}",
        "server: {host: '::1'}",
        "cache: {url: 'redis://localhost'}",
        "cache: {url: 'rediss://cache.internal'}",
        "cache: {url: 'unix:///run/redis.sock'}",
        "cache: {url_env: URL, encryption_key_env: LOCK}",
    ],
)
def test_nothing_to_warn_of(tmp_path: Path, text: str) -> None:
    assert warned(tmp_path / "config.yaml", LEAST + text) == []


@pytest.mark.parametrize(
    ("upstream", "warning"),
    [
        ("http://127.0.0.1:8400/v1", "2: upstreams.openai.base_url: is the proxy's own address"),
        ("http://localhost:8400", "2: upstreams.openai.base_url: is the proxy's own address"),
        ("http://llm.internal, api_key_env: KEY", "2: upstreams.openai.base_url: the API key cro"),
    ],
)
def test_one_warning_about_the_upstream(tmp_path: Path, upstream: str, warning: str) -> None:
    text = LEAST.replace("https://api.openai.com/v1", upstream)
    (found,) = warned(tmp_path / "config.yaml", text)
    assert found.startswith(warning)


def test_a_route_to_the_preset_for_questions_is_warned_of_where_it_stands(tmp_path: Path) -> None:
    used = LEAST.replace("policy: balanced", "policy: rag-question")
    assert used != LEAST
    (found,) = warned(tmp_path / "config.yaml", used)
    assert "routes[0].policy: moves cached prefixes: " in found
    declared = used + "policies: {rag-question: {question_aware: false}}"
    assert warned(tmp_path / "config.yaml", declared) == []


def test_an_open_proxy_names_the_keys_that_it_spends(tmp_path: Path) -> None:
    text = LEAST.replace("/v1}", "/v1, api_key_env: KEY}") + "server: {host: 0.0.0.0}"
    (found,) = warned(tmp_path / "config.yaml", text)
    assert "spend on the key of openai" in found


def test_a_policy_that_a_key_could_never_have(tmp_path: Path) -> None:
    keys = f"access: {{keys: {{k: {{sha256: {'a' * 64}, policies: [safe, agressive]}}}}}}"
    (found,) = warned(tmp_path / "config.yaml", LEAST + keys)
    assert found.startswith("5: access.keys.k.policies: 'agressive' matches no policy; there are:")


def test_an_upstream_without_routes(tmp_path: Path) -> None:
    text = LEAST.replace("routes:", "  spare: {base_url: 'https://x/v1'}\nroutes:")
    assert warned(tmp_path / "config.yaml", text) == [
        "3: upstreams.spare: is not used by any route"
    ]


def test_routes_that_are_never_reached(tmp_path: Path) -> None:
    text = """\
upstreams: {o: {base_url: 'https://x/v1'}}
routes:
  - {match: {model: 'gpt-*'}, policy: rag, upstream: o}
  - {match: {model: 'gpt-4*'}, policy: rag, upstream: o}
  - {policy: off, upstream: o}
  - {match: {path: /v1/models}, policy: off, upstream: o}
"""
    assert warned(tmp_path / "config.yaml", text) == [
        "4: routes[1]: is never reached: routes[0] in line 3 takes all of it",
        "6: routes[3]: is never reached: routes[2] in line 5 takes all of it",
    ]


def test_no_route_that_takes_the_rest(tmp_path: Path) -> None:
    text = LEAST.replace("policy:", "match: {path: /v1/*}, policy:")
    (found,) = warned(tmp_path / "config.yaml", text)
    assert found.startswith("3: routes: no route takes every request: ")
    assert "{policy: off, upstream: openai}" in found


def test_fit_context_without_any_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LEAST + "policies:\n  p: {preset: rag, fit_context: true}"
    monkeypatch.setattr(config_warnings, "find_spec", lambda _: None)
    assert any("cannot act" in found for found in warned(tmp_path / "config.yaml", text))
    monkeypatch.setattr(config_warnings, "find_spec", lambda _: object())
    assert not any("cannot act" in found for found in warned(tmp_path / "config.yaml", text))


def test_a_fallback_without_another_upstream(tmp_path: Path) -> None:
    text = LEAST.replace("upstream: openai}", "upstream: openai, fallback_on: [connect, 503]}")
    (found,) = warned(tmp_path / "config.yaml", text)
    assert found.startswith("4: routes[0].fallback_on: does nothing: the route has one upstream")
