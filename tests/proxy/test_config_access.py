from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.access import digest_of, new_key
from proxy.config import Config, ConfigError, load
from tests.proxy.config_files import LEAST, Write

HASH = "a" * 64
OTHER = "b" * 64


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return Write(tmp_path / "config.yaml")


def keys(*lines: str) -> str:
    return LEAST + "access:\n  keys:\n" + "".join(f"    {line}\n" for line in lines)


def test_without_the_section_no_key_is_asked_for(write: Write) -> None:
    assert not write.config(LEAST).access.required


@pytest.mark.parametrize("text", ["access: {keys: {}}", "access: {keys: {k: {sha256: HASH}}}"])
def test_with_keys_written_keys_are_asked_for(write: Write, text: str) -> None:
    assert write.config(LEAST + text.replace("HASH", HASH)).access.required


def test_limits_alone_ask_for_no_key(write: Write) -> None:
    assert not write.config(LEAST + "access: {limits: {requests_per_minute: 9}}").access.required


@pytest.mark.parametrize("text", ["access: {}", "access:\n  keys:\n    # k: {sha256: x}\n"])
def test_a_section_with_nothing_in_it_is_an_error(write: Write, text: str) -> None:
    # Else the last key that is taken out would open the proxy.
    (problem,) = write.problems(LEAST + text)
    assert problem.startswith("5: access: is empty, so everybody would be let in")


def test_a_whole_key(write: Write) -> None:
    key = write.config(
        keys(
            f"ci: {{sha256: {HASH}, tenant: team-a, expires: 2027-01-31, models: ['gpt-4o*'],",
            "  policies: [off], paths: [/v1/chat/*], control_headers: true,",
            "  limits: {requests_per_minute: 1, tokens_per_minute: 2, tokens_per_day: 3}}",
        )
    ).access.keys["ci"]
    assert key.expires == datetime(2027, 1, 31, tzinfo=UTC)
    assert (key.tenant, key.models, key.policies) == ("team-a", ("gpt-4o*",), ("off",))
    assert key.control_headers
    assert key.limits is not None
    assert key.limits.tokens_per_day == 3


@pytest.mark.parametrize(
    ("written", "expires"),
    [
        ("2027-01-31T18:00:00+02:00", datetime(2027, 1, 31, 16, tzinfo=UTC)),
        ("2027-01-31 18:00", datetime(2027, 1, 31, 18, tzinfo=UTC)),
    ],
)
def test_times(write: Write, written: str, expires: datetime) -> None:
    config = write.config(keys(f"k: {{sha256: {HASH}, expires: '{written}'}}"))
    assert config.access.keys["k"].expires == expires


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("k: {tenant: t}", "sha256: is missing"),
        ("k: {sha256: abc}", "sha256: is not 64 hex digits"),
        (f"k: {{sha256: {HASH.upper()}}}", "sha256: is not 64 hex digits"),
        (f"k: {{sha256: {HASH}, expires: 1790000000}}", "expires: is not a date like 2027-01-31"),
        (f"k: {{sha256: {HASH}, expires: 2027-02-31}}", "expires: "),
        (f"k: {{sha256: {HASH}, models: ['']}}", "models: has an empty glob"),
        (f"k: {{sha256: {HASH}, tenant: 'a b'}}", "tenant: 'a b' is no usable name"),
        (f"k: {{sha256: {HASH}, limits: {{tokens_per_day: 0}}}}", "limits.tokens_per_day: 0 is b"),
        (f"k: {{sha256: {HASH}, model: x}}", "model: is not a known key; did you mean models?"),
    ],
)
def test_what_is_wrong_with_a_key(write: Write, entry: str, problem: str) -> None:
    (found,) = write.problems(keys(entry))
    assert found.startswith(f"7: access.keys.k.{problem}")


def test_a_key_itself_in_the_file_is_not_repeated(write: Write) -> None:
    key = new_key()
    (found,) = write.problems(keys(f"k: {{sha256: {key}}}"))
    assert "holds the key itself" in found
    assert key not in found


def test_the_same_key_twice(write: Write) -> None:
    (found,) = write.problems(keys(f"a: {{sha256: {HASH}}}", f"b: {{sha256: {HASH}}}"))
    assert "a and b are the same key" in found
    assert HASH not in found


def test_a_bad_name(write: Write) -> None:
    (found,) = write.problems(keys(f"'-x y': {{sha256: {HASH}}}"))
    assert "'-x y' is no usable name" in found


def test_hashes_are_not_shown_by_accident(write: Write) -> None:
    digest = digest_of(new_key())
    config = write.config(keys(f"k: {{sha256: {digest}}}"))
    assert digest not in repr(config)
    assert digest not in config.model_dump_json()


class TestKeysFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "keys.yaml"

    def config(self, write: Write, file: Path, own: str = "") -> Config:
        return write.config(LEAST + f"access: {{keys_file: '{file}'{own}}}")

    def test_its_keys_join_the_configs(self, write: Write, file: Path) -> None:
        file.write_text(f"b: {{sha256: {OTHER}, tenant: t}}\n")
        access = self.config(write, file, f", keys: {{a: {{sha256: {HASH}}}}}").access
        assert access.required
        assert sorted(access.keys) == ["a", "b"]
        assert access.keys["b"].tenant == "t"

    @pytest.mark.parametrize("text", ["", "# nobody\n"])
    def test_an_empty_one_lets_nobody_in(self, write: Write, file: Path, text: str) -> None:
        file.write_text(text)
        access = self.config(write, file).access
        assert access.required
        assert not access.keys

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (f"a: {{sha256: {OTHER}}}\nb: {{sha256: x}}\n", "2: b.sha256: is not 64 hex digits"),
            ("a: [\n", "2: is not YAML"),
            (f"own: {{sha256: {OTHER}}}\n", "1: own is in the config's own access.keys as well"),
            (f"b: {{sha256: {HASH}}}\n", "1: own and b are the same key"),
            (f"a: {{sha256: {OTHER}, x: 1}}\n", "1: a.x: is not a known key"),
        ],
    )
    def test_its_problems_are_told_by_its_lines(
        self, write: Write, file: Path, text: str, problem: str
    ) -> None:
        file.write_text(text)
        with pytest.raises(ConfigError) as caught:
            self.config(write, file, f", keys: {{own: {{sha256: {HASH}}}}}")
        assert str(caught.value).startswith(f"{file}:{problem}")

    def test_a_missing_one_is_an_error(self, write: Write, file: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            self.config(write, file)
        assert str(caught.value) == f"{file}:1: cannot be read: No such file or directory"


def test_the_shipped_config_asks_for_no_key() -> None:
    assert not load(Path(__file__).parents[2] / "config.yaml", {}).access.required
