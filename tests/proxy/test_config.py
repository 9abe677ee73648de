import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import proxy.config
from policies.types import Match
from proxy.config import CacheConfig, ConfigError, find, load, read
from proxy.config_upstream import UpstreamConfig
from tests.proxy.config_files import FERNET_KEY, LEAST, Write

SHIPPED = Path(__file__).parents[2] / "config.yaml"
SHIPPED_TEXT = SHIPPED.read_text("utf-8")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return Write(tmp_path / "config.yaml")


class TestShipped:
    def test_it_needs_no_environment_and_no_key(self) -> None:
        config = load(SHIPPED, {"HOME": "/home/me"})
        assert config.upstreams["openai"].base_url == "https://api.openai.com/v1"
        assert config.upstreams["openai"].api_key is None
        assert config.savings.path == Path("/home/me/.local/share/tersely/savings.db")

    def test_whose_requests_go_where(self) -> None:
        routes = load(SHIPPED, {}).routes
        assert [(route.policy, route.upstream) for route in routes] == [
            ("balanced", "anthropic"),
            ("trial", "openai"),
            ("agent", "openai"),
            ("balanced", "openai"),
        ]
        assert routes[0].match.headers == {"anthropic-version": "*"}
        assert routes[-1].match == Match()

    def test_every_price_is_dated_and_cached_input_is_cheaper(self) -> None:
        prices = load(SHIPPED, {}).savings.prices
        assert {"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5"} <= prices.keys()
        for price in prices.values():
            assert price.cached_input is not None
            assert 0 < price.cached_input < price.input
            assert price.as_of <= date(2025, 8, 7)

    def test_what_is_commented_out_is_valid_as_well(self, write: Write) -> None:
        text = SHIPPED_TEXT
        for line in (
            "api_key_env: OPENAI_API_KEY",
            "local:",
            "  base_url: http://127.0.0.1:8000/v1",
        ):
            assert text.count(f"# {line}\n") == 1
            text = text.replace(f"# {line}\n", f"{line}\n")
        for line in (
            "server:",
            "  port: 8400",
            "cache:",
            "  url_env: TERSELY_REDIS_URL",
            "  encryption_key_env: TERSELY_CACHE_KEY",
        ):
            assert text.count(f"\n# {line}\n") == 1
            text = text.replace(f"\n# {line}\n", f"\n{line}\n")
        environ = {
            "OPENAI_API_KEY": "sk-x",
            "TERSELY_REDIS_URL": "redis://127.0.0.1",
            "TERSELY_CACHE_KEY": FERNET_KEY,
        }
        config = write.config(text, environ)
        assert config.upstreams.keys() == {"openai", "anthropic", "local"}
        assert config.cache.encryption_key is not None


class TestFiles:
    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read: No such file"):
            load(tmp_path / "nowhere.yaml", {})

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
            load(tmp_path, {})

    def test_a_given_path_is_taken_as_it_is(self) -> None:
        assert find(Path("nowhere.yaml")) == Path("nowhere.yaml")

    def test_config_yaml_in_the_current_folder_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        shutil.copy(SHIPPED, tmp_path)
        assert find() == Path("config.yaml")

    def test_else_the_one_that_tersely_comes_with(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert find().read_text("utf-8") == SHIPPED_TEXT

    def test_an_installed_package_has_it_inside(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = tmp_path / "proxy"
        package.mkdir()
        shutil.copy(SHIPPED, package / "default_config.yaml")
        monkeypatch.chdir(package)
        monkeypatch.setattr(proxy.config, "__file__", str(package / "config.py"))
        assert find() == package / "default_config.yaml"


def test_a_config_is_frozen(write: Write) -> None:
    config = write.config(LEAST)
    with pytest.raises(ValidationError, match="frozen"):
        config.server.port = 1  # type: ignore[misc]  # that it cannot be done is the test


def test_lines_of_keys() -> None:
    loaded = read(SHIPPED, {})
    lines = SHIPPED_TEXT.splitlines()
    assert "x-team: research" in lines[loaded.line("routes", 1) - 1]
    assert lines[loaded.line("policies", "documents") - 1].strip() == "documents:"


def test_models_check_addresses_without_a_file() -> None:
    assert CacheConfig(url=None).url is None
    with pytest.raises(ValidationError, match="no host"):
        UpstreamConfig(base_url="http://:80/v1")


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "replace"]),
        st.integers(0, len(SHIPPED_TEXT)),
        st.one_of(
            st.text(max_size=3),
            st.text(" \n:-{}[]#&*!|>'\"%@`,?~<=0.x\t", max_size=6),
            st.sampled_from(
                ["null", "on: ", "- ", "<<: *a", "&a ", "!!int ", "99999999999", "1e999"]
            ),
        ),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=4,
)


def mutated(text: str, mutations: list[tuple[str, int, str, int]]) -> str:
    for kind, at, new, length in mutations:
        end = at if kind == "insert" else at + length
        text = text[:at] + ("" if kind == "delete" else new) + text[end:]
    return text


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mutations=MUTATIONS)
@example([("replace", 0, "a: &a {<<: *a}\n", 10_000)])
@example([("replace", 0, "&a [*a]: 1\n", 10_000)])
def test_a_mutated_config_loads_or_says_where_it_does_not(
    tmp_path: Path, mutations: list[tuple[str, int, str, int]]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(mutated(SHIPPED_TEXT, mutations).encode("utf-8", "surrogatepass"))
    try:
        load(path, {})
    except ConfigError as error:
        found = error
    else:
        return
    last = path.read_bytes().count(b"\n") + 2
    assert found.problems
    assert all(1 <= problem.place.line <= last for problem in found.problems)
    assert str(found).startswith(f"{path}:")
