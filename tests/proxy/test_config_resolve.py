from pathlib import Path

import pytest

from policies.presets import PRESETS
from policies.types import Mode, Role
from proxy.config import load
from tests.proxy.config_files import FERNET_KEY, LEAST, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return Write(tmp_path / "config.yaml")


class TestPolicies:
    def test_presets_are_there_without_being_declared(self, write: Write) -> None:
        assert write.config(LEAST).policies.keys() == PRESETS.keys()

    def test_own_keys_replace_the_presets(self, write: Write) -> None:
        text = LEAST + "policies:\n  mine: {preset: rag, threshold: 0.4, roles: [system]}\n"
        policy = write.config(text).policies["mine"]
        assert (policy.name, policy.preset) == ("mine", "rag")
        assert (policy.rate, policy.threshold) == (None, 0.4)
        assert policy.roles == {Role.SYSTEM}

    @pytest.mark.parametrize("mode", ["on", "off", "shadow"])
    def test_on_and_off_need_no_quotes(self, write: Write, mode: str) -> None:
        text = LEAST + f"policies:\n  mine: {{preset: rag, mode: {mode}}}\n"
        assert write.config(text).policies["mine"].mode is Mode(mode)

    def test_a_route_to_off_needs_no_quotes(self, write: Write) -> None:
        assert write.config(LEAST.replace("balanced", "off")).routes[0].policy == "off"

    def test_protections_by_their_written_names(self, write: Write) -> None:
        text = LEAST + "policies:\n  m: {rate: 0.5, protect: {json: false, code: no}}\n"
        protect = write.config(text).policies["m"].protect
        assert (protect.json_, protect.code, protect.url) == (False, False, True)


class TestSavingsPath:
    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"HOME": "/h", "XDG_DATA_HOME": "/data"}, "/data/tersely/savings.db"),
            ({"HOME": "/h", "XDG_DATA_HOME": "relative"}, "/h/.local/share/tersely/savings.db"),
            ({"HOME": "/h", "XDG_DATA_HOME": ""}, "/h/.local/share/tersely/savings.db"),
        ],
    )
    def test_the_default(self, write: Write, environ: dict[str, str], expected: str) -> None:
        assert write.config(LEAST, environ).savings.path == Path(expected)

    @pytest.mark.parametrize(
        ("written", "expected"),
        [("~/s.db", "/h/s.db"), ("s.db", "s.db"), ("/x/s.db", "/x/s.db"), ("a~/b", "a~/b")],
    )
    def test_a_written_one(self, write: Write, written: str, expected: str) -> None:
        config = write.config(LEAST + f"savings: {{path: {written}}}", {"HOME": "/h"})
        assert config.savings.path == Path(expected)


KEYED = LEAST.replace("/v1}", "/v1, api_key_env: THE_KEY}")
CACHED = LEAST + "cache: {url_env: THE_URL}\n"
LOCKED = LEAST + "cache: {url: redis://x, encryption_key_env: LOCK}\n"
BRACES = KEYED.replace("THE_KEY", "'${THE_KEY}'")
SECRET = "sk-very-secret"


class TestSecrets:
    def test_they_come_from_the_environment(self, write: Write) -> None:
        key = write.config(KEYED, {"THE_KEY": f" {SECRET}\n"}).upstreams["openai"].api_key
        assert key is not None
        assert key.get_secret_value() == SECRET
        url = write.config(CACHED, {"THE_URL": "rediss://u:pw@x:1/0"}).cache.url
        assert url is not None
        assert url.get_secret_value() == "rediss://u:pw@x:1/0"
        found = write.config(LOCKED, {"LOCK": FERNET_KEY}).cache.encryption_key
        assert found is not None
        assert found.get_secret_value() == FERNET_KEY

    @pytest.mark.parametrize(
        ("text", "environ", "problem"),
        [
            (KEYED, {}, "2: openai.api_key_env: environment variable THE_KEY is not set; set"),
            (KEYED, {"THE_KEY": " "}, "2: openai.api_key_env: environment variable THE_KEY is e"),
            (KEYED, {"THE_KEY": "a\nb"}, "2: openai.api_key_env: the variable holds characters"),
            (BRACES, {}, "2: openai.api_key_env: is not the name of an environment variable, like"),
            (CACHED, {}, "5: cache.url_env: environment variable THE_URL is not set; set it, "),
            (CACHED, {"THE_URL": SECRET}, "5: cache.url_env: the address does not start with "),
            (CACHED, {"THE_URL": "redis://[" + SECRET}, "5: cache.url_env: the address cannot "),
            (LOCKED, {}, "5: cache.encryption_key_env: environment variable LOCK is not set; set"),
            (LOCKED, {"LOCK": SECRET}, "5: cache.encryption_key_env: the variable does not hold"),
        ],
    )
    def test_variables_that_cannot_be_used(
        self, write: Write, text: str, environ: dict[str, str], problem: str
    ) -> None:
        (found,) = write.problems(text, environ)
        assert found.removeprefix("2: upstreams.").startswith(problem.removeprefix("2: "))
        assert SECRET not in found

    @pytest.mark.parametrize("text", [KEYED, CACHED, LOCKED])
    def test_commands_that_need_none_can_do_without(self, write: Write, text: str) -> None:
        write.path.write_text(text)
        config = load(write.path, {}, need_secrets=False)
        assert config.upstreams["openai"].api_key is None
        assert config.cache.encryption_key is None

    @pytest.mark.parametrize(
        "written",
        [
            f"upstreams: {{o: {{base_url: 'https://x/v1', api_key: {SECRET}}}}}",
            f"upstreams: {{o: {{base_url: 'https://x/v1', api_key_env: {SECRET}}}}}",
            "upstreams: {o: {base_url: 'https://x/v1', api_key_env: skVerySecret}}",
            f"upstreams: {{o: {{base_url: 'https://u:{SECRET}@x/v1'}}}}",
            f"upstreams: {{o: {{base_url: 'ftp://u:{SECRET}@x/v1'}}}}",
            f"upstreams: {{o: {{base_url: 'https://x/v1', key: {SECRET}}}}}",
            f"cache: {{encryption_key: {SECRET}}}",
            f"cache: {{encryption_key_env: {SECRET}}}",
            f"cache: {{url: 'http://u:{SECRET}@x'}}",
            f"cache: {{url: [{SECRET}]}}",
            f"cache: {{url: 'redis://u:{SECRET}@[x'}}",
            f"cache: {{url: 'redis://u:{SECRET}@x:port'}}",
        ],
    )
    def test_no_error_shows_one(self, write: Write, written: str) -> None:
        found = "\n".join(write.problems(written))
        assert "ery-secret" not in found
        assert "VerySecret" not in found

    def test_they_are_in_no_repr_and_no_dump(self, write: Write) -> None:
        text = KEYED + "cache: {url: 'redis://u:very-secret@x', encryption_key_env: KEY}\n"
        config = write.config(text, {"THE_KEY": SECRET, "KEY": FERNET_KEY})
        shown = [repr(config), str(config), config.model_dump_json(), repr(config.model_dump())]
        for form in shown:
            assert "very-secret" not in form
            assert FERNET_KEY not in form


def test_litellm_has_to_be_installed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LEAST.replace(
        "{base_url: https://api.openai.com/v1}", "{via: litellm, models: {'*': 'gemini/{model}'}}"
    )
    assert write.config(text).upstreams["openai"].base_url is None
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (found,) = write.problems(text)
    assert (
        found == "2: upstreams.openai.via: needs the litellm extra: pip install 'tersely[litellm]'"
    )
