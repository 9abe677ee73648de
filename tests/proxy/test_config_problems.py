"""What a person is told about a config that cannot be used."""

from pathlib import Path

import pytest

from tests.proxy.config_files import LEAST, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return Write(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("policies:\n  m: {rate: 1.4}", "6: policies.m.rate: 1.4 is above 1. Tokens kept / "),
        ("policies:\n  m: {rate: 0}", "6: policies.m.rate: 0 is not above 0. "),
        ("policies:\n  m: {rate: 40%}", "6: policies.m.rate: '40%' is not a number; write 0.4. "),
        ("policies:\n  m: {rate: true}", "6: policies.m.rate: 'true' is not a number. "),
        ("policies:\n  m: {rate: nan}", "6: policies.m.rate: 'nan' is not a number. "),
        ("policies:\n  m:\n    roels: [user]\n    rate: 1", "7: policies.m.roels: is not a known "),
        (
            "policies:\n  m: {threshold: 1.4}",
            "6: policies.m.threshold: '1.4' is neither a keep probability",
        ),
        (
            "policies:\n  m: {threshold: 40%}",
            "6: policies.m.threshold: '40%' is neither a keep probability, from 0 to 1, nor a name",
        ),
        (
            "policies:\n  m: {threshold: gentel}",
            "6: policies.m.threshold: the classifier 'bundled' has no threshold called 'gentel'; "
            "it has aggressive, balanced, gentle",
        ),
        ("policies:\n  m: {rate: 1, roles: user}", "6: policies.m.roles: 'user' is not a list, "),
        (
            "policies:\n  m: {rate: 1, roles: [usr]}",
            "6: policies.m.roles[0]: 'usr' is not one of system, user, assistant, tool; "
            "did you mean user? ",
        ),
        ("policies:\n  m: {mode: onn, rate: 1}", "6: policies.m.mode: 'onn' is not one of "),
        ("policies:\n  m: {mode: on}", "6: policies.m: a policy needs exactly one of rate, "),
        (
            "policies:\n  m:\n    rate: 1\n    threshold: 1",
            "6: policies.m: a policy needs exactly ",
        ),
        (
            "policies:\n  m: {preset: rga}",
            "6: policies.m.preset: there is no preset 'rga'; did you",
        ),
        ("policies:\n  m: {preset: rag, name: x}", "6: policies.m.name: a policy is named by its"),
        ("policies:\n  m: 0.4", "6: policies.m: '0.4' is not a block of `key: value` lines"),
        ("policies: [m]", "5: policies: a list is not a block of `key: value` lines. Who gets"),
        ("server: {uds: t.sock, port: 1}", "5: server: listens on uds or on host and port, not on"),
        ("server: {port: 99999}", "5: server.port: 99999 is above 65535. "),
        ("server:\n  max_parse_bytes: 64MB", "6: server.max_parse_bytes: '64MB' is not a whole "),
        ("server:\n  port: 80.5", "6: server.port: '80.5' is not a whole number. "),
        ("server: {shutdown_seconds: .inf}", "5: server.shutdown_seconds: '.inf' is not a number"),
        ("savings: {log: maybe}", "5: savings.log: 'maybe' is not true or false. "),
        ("savings: {prices: {g: {input: 1}}}", "5: savings.prices.g.as_of: is missing. When "),
        ("savings: {prices: {g: {input: 1, as_of: today}}}", "5: savings.prices.g.as_of: 'today' "),
        ("compressor: {backend: onx}", "5: compressor.backend: 'onx' is not one of auto, onnx"),
        ("compressor: {context_windows: {g: 0}}", "5: compressor.context_windows.g: 0 is below 1"),
        ("cache: {url: 'http://x'}", "5: cache.url: the address does not start with redis://, "),
        ("cache: {url: 'redis://'}", "5: cache.url: the address has no host"),
        ("cache: {url: 'redis://x:999999'}", "5: cache.url: the port after the host is not a "),
        ("cache: {url: 'redis://x', url_env: X}", "5: cache.url_env: the address is given twice"),
        ("sever: {}", "5: sever: is not a known key; did you mean server? (known here: "),
    ],
)
def test_one_problem(write: Write, text: str, problem: str) -> None:
    (found,) = write.problems(LEAST + text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "policy: balanced",
            "policy: balnced",
            "4: routes[0].policy: there is no policy 'balnced'",
        ),
        ("upstream: openai", "upstream: opena", "4: routes[0].upstream: there is no upstream 'op"),
        (", upstream: openai", "", "4: routes[0].upstream: is missing. "),
        ("policy:", "match: {model: 'a['}, policy:", "4: routes[0].match.model: 'a[' has a [ that"),
        ("policy:", "match: {path: v1}, policy:", "4: routes[0].match.path: 'v1' matches no path"),
        ("policy:", "match: {modle: x}, policy:", "4: routes[0].match.modle: is not a known key"),
        ("- {policy: balanced, upstream: openai}", "[]", "3: routes: is empty"),
        ("- {policy: balanced, upstream: openai}", "[~]", "4: routes[0]: nothing is not a block"),
        ("https://api", "htps://api", "2: upstreams.openai.base_url: 'htps://api.openai.com/v1' i"),
        (
            "api.openai.com/v1",
            "u:pw@x/v1",
            "2: upstreams.openai.base_url: holds a user or password",
        ),
        ("api.openai.com/v1", "api:port/v1", "2: upstreams.openai.base_url: the port after the h"),
        ("api.openai.com/v1", "[x/v1'", "2: upstreams.openai.base_url: cannot be read as a URL"),
    ],
)
def test_one_problem_in_what_every_config_has(
    write: Write, old: str, new: str, problem: str
) -> None:
    assert LEAST.count(old) == 1
    text = LEAST.replace(old, new)
    if new.endswith("'"):
        text = text.replace("base_url: https", "base_url: 'https")
    (found,) = write.problems(text)
    assert found.startswith(problem)


def test_every_problem_is_named_at_once_in_the_files_order(write: Write) -> None:
    text = """\
server: {port: x}
upstreams:
  openai: {base_url: nowhere, api_key_env: NOT_THERE}
policies:
  mine: {preset: rag, rate: 2, rate: 3}
routes:
  - {policy: mien, upstream: openai}
  - {policy: mine}
"""
    found = write.problems(text)
    assert [line.split(": ")[:2] for line in found] == [
        ["1", "server.port"],
        ["3", "upstreams.openai.base_url"],
        ["3", "upstreams.openai.api_key_env"],
        ["5", "policies.mine.rate"],
        ["5", "policies.mine.rate"],
        ["7", "routes[0].policy"],
        ["8", "routes[1].upstream"],
    ]


def test_an_empty_file_says_what_is_missing(write: Write) -> None:
    assert [line.split(". ")[0] for line in write.problems("")] == [
        "1: routes: is missing",
        "1: upstreams: is missing",
    ]


LIST = """\
upstreams:
  a: {base_url: 'https://a/v1'}
  b: {base_url: 'https://b/v1'}
routes:
  - policy: balanced
    upstream:
      - SHARE
      - b
"""


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        ("c", "7: routes[0].upstream[0]: there is no upstream 'c' (there are: a, b)"),
        ("{name: c, weight: 1}", "7: routes[0].upstream[0].name: there is no upstream 'c'"),
        ("{name: a, weight: 0}", "7: routes[0].upstream[0].weight: 0 is below 1. Its share "),
        ("{name: a, weight: lots}", "7: routes[0].upstream[0].weight: 'lots' is not a whole "),
        ("{name: a, wieght: 1}", "7: routes[0].upstream[0].wieght: is not a known key; did you me"),
        ("{weight: 1}", "7: routes[0].upstream[0].name: is missing. Name of an upstream"),
        ("b", "6: routes[0].upstream: names b twice; a list names an upstream once"),
        ("[a]", "7: routes[0].upstream[0]: a list is not a block of `key: value` lines. "),
    ],
)
def test_one_problem_in_a_list_of_upstreams(write: Write, share: str, problem: str) -> None:
    (found,) = write.problems(LIST.replace("SHARE", share))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        ("upstream: []", "4: routes[0].upstream: "),
        ("upstream: {a: 1}", "4: routes[0].upstream: a block of keys is not a list, like [one, t"),
        (
            "upstream: openai, fallback_on: [conect]",
            "4: routes[0].fallback_on[0]: 'conect' is not one of connect, disconnect, timeout, ",
        ),
        ("upstream: openai, fallback_on: 503", "4: routes[0].fallback_on: '503' is not a list, "),
    ],
)
def test_one_problem_in_a_route(write: Write, route: str, problem: str) -> None:
    (found,) = write.problems(LEAST.replace("upstream: openai", route))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{}", "base_url is missing; it is like https://api.openai.com/v1"),
        ("{via: azur, base_url: 'https://x'}", "'azur' is not one of openai, azure, litellm; did"),
        ("{via: azure, base_url: 'https://x'}", "api_version is missing; it is like 2024-10-21"),
        ("{base_url: 'https://x', api_version: v1}", "api_version means nothing for `via: openai`"),
        ("{via: litellm}", "models is missing: `via: litellm` needs to know the provider"),
        ("{via: litellm, models: {'*': '{model}'}}", "models has '{model}' for *; it starts with "),
        (
            "{via: litellm, models: {'*': '{model}/x'}}",
            "models has '{model}/x' for *; it starts with ",
        ),
        (
            "{via: litellm, models: {'*': 'bedrock/{model}'}, params: {api_base: x}}",
            "may not hold api_base; base_url, models and api_key_env say that",
        ),
        (
            "{via: litellm, models: {'*': 'openai/x'}, params: {ssl_verify: 'false'}}",
            "may not hold ssl_verify: certificates are always verified",
        ),
        (
            "{via: litellm, models: {'*': 'aiohttp_openai/x'}}",
            "models has 'aiohttp_openai/x' for *; write openai/ for aiohttp_openai/, which is ",
        ),
        (
            "{via: litellm, models: {'*': 'bedrock/x'}, params: {aws_secret_access_key: x}}",
            "may not hold aws_secret_access_key: secrets do not belong in this file",
        ),
        (
            "{via: litellm, models: {'*': 'bedrock/{model}'}}",
            "params has no aws_region_name, and Bedrock's addresses begin with the region",
        ),
        ("{base_url: 'https://x', auth: basic}", "'basic' is not one of bearer, x-api-key, api-ke"),
        ("{base_url: 'https://x', ca_file: /none}", "names /none, and there is no such file"),
        ("{base_url: 'https://x', ca_file: config.yaml}", "config.yaml holds no PEM certificates"),
        ("{base_url: 'https://x', circuit_seconds: 0}", "0 is not above 0. How long it is set as"),
    ],
)
def test_one_problem_in_an_upstream(
    write: Write, written: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write.path.parent)
    (found,) = write.problems(LEAST.replace("{base_url: https://api.openai.com/v1}", written))
    line, _, text = found.partition(": ")
    assert line == "2"
    assert text.startswith("upstreams.openai")
    assert text.partition(": ")[2].startswith(problem)


def test_no_key_is_sent_two_ways(write: Write) -> None:
    text = LEAST.replace("/v1}", "/v1, auth: none, api_key_env: KEY}")
    (found,) = write.problems(text, {"KEY": "sk-1"})
    assert found.startswith("2: upstreams.openai: `auth: none` sends no key, and api_key_env names")
    assert "sk-1" not in found
