import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.config import Config, Loaded, ServerConfig, read
from proxy.config_section import Section
from proxy.reload import FIXED, ConfigSource, Reloader, Unusable, taken_over
from tests.proxy.config_files import FERNET_KEY, LEAST

HASH = "a" * 64
POLL_SECONDS = 0.01

# What a reload changes, by section; with FIXED that has to be all there is.
TAKEN_OVER = {
    "server": {"max_parse_bytes", "max_connections"},
    "compressor": {"context_windows"},
    "cache": {"share_between_tenants"},
    "savings": {"prices"},
    "sample": set(),
}
WHOLE = {"upstreams", "policies", "routes", "access"}


def test_every_setting_is_either_fixed_or_taken_over() -> None:
    """A new setting has to be put into one of the two, FIXED or the lists of this test."""
    assert set(Config.model_fields) == WHOLE | set(FIXED)
    for section, fields in FIXED.items():
        kind = Config.model_fields[section].annotation
        assert isinstance(kind, type)
        assert issubclass(kind, Section)
        assert set(kind.model_fields) == set(fields) | TAKEN_OVER[section]


def test_a_thresholds_name_has_to_be_the_running_classifiers(tmp_path: Path) -> None:
    """A new classifier takes a restart, and its names with it."""
    running = config(tmp_path, LEAST)
    other = running.compressor.model_copy(update={"classifier": str(tmp_path)})
    old = running.model_copy(update={"compressor": other})
    new = config(tmp_path, LEAST + "policies: {mine: {threshold: balanced}}\n")
    assert taken_over(running, new)[0].policies["mine"].threshold == "balanced"
    with pytest.raises(Unusable, match=r"policies\.mine\.threshold: .* has no calibration\.json"):
        taken_over(old, new)


def config(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return read(path, {"KEY": FERNET_KEY}).config


def test_what_is_fixed_is_kept_and_named(tmp_path: Path) -> None:
    old = config(tmp_path, LEAST + "cache: {url: 'redis://h/0'}")
    new = config(
        tmp_path,
        LEAST
        + "server: {port: 1, max_connections: 7}\ncompressor: {workers: 3}\n"
        + "cache: {url: 'redis://other/0', encryption_key_env: KEY, share_between_tenants: true}\n"
        + "savings: {path: other.db, prices: {m: {input: 1, as_of: 2026-01-01}}}\n",
    )
    both, kept = taken_over(old, new)
    assert kept == [
        "server.port",
        "compressor.workers",
        "cache.url",
        "cache.encryption_key_env",
        "cache.encryption_key",
        "savings.path",
    ]
    assert both.server == ServerConfig(max_connections=7)
    assert both.cache.url == old.cache.url
    assert both.cache.encryption_key is None
    assert both.cache.share_between_tenants
    assert both.savings.path == old.savings.path
    assert "m" in both.savings.prices


def test_no_reload_opens_a_proxy(tmp_path: Path) -> None:
    keys = f"access: {{keys: {{k: {{sha256: {HASH}}}}}}}"
    locked = config(tmp_path, LEAST + keys)
    with pytest.raises(Unusable, match="asks for no proxy keys any more"):
        taken_over(locked, config(tmp_path, LEAST))
    # the last key may go: then nobody is let in
    taken_over(locked, config(tmp_path, LEAST + "access: {keys: {}}"))


class Running:
    """A reloader at work on files, and what it put into service."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.configs: list[Config] = []
        self.results: list[bool] = []
        self.told: list[str] = []
        self.broken = False
        self.secret = "SECRET"

        source = ConfigSource(read(path, {}), lambda: read(path, {}), self.told.append)
        self.reloader = Reloader(
            source, self._apply, on_result=self.results.append, poll_seconds=POLL_SECONDS
        )

    async def _apply(self, config: Config) -> None:
        if self.broken:
            raise RuntimeError(self.secret)
        self.configs.append(config)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(POLL_SECONDS)

    async def polls(self, count: int = 5) -> None:
        """Let some looks at the files pass."""
        looks = 0
        original = self.reloader._stamps

        async def counted() -> object:
            nonlocal looks
            looks += 1
            return await original()

        self.reloader._stamps = counted  # type: ignore[assignment, method-assign]
        await self.until(lambda: looks >= count)


@contextlib.asynccontextmanager
async def running(path: Path) -> AsyncIterator[Running]:
    one = Running(path)
    task = asyncio.create_task(one.reloader.run())
    await one.polls(2)
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST)
    return path


async def test_a_changed_file_is_taken_over(path: Path) -> None:
    async with running(path) as one:
        path.write_text(LEAST.replace("balanced", "rag") + "server: {port: 9}")
        await one.until(lambda: bool(one.told))
        assert [config.routes[0].policy for config in one.configs] == ["rag"]
        assert one.told == [
            f"{path} was read again: routes; as they were until a restart: server.port"
        ]
        assert (one.results, one.reloader.trouble) == ([True], None)


async def test_a_file_that_only_looks_new_changes_nothing(path: Path) -> None:
    async with running(path) as one:
        path.write_text("# a comment\n" + LEAST)
        await one.until(lambda: bool(one.told))
        assert one.told == [f"{path} was read again: nothing in it has changed"]
        assert one.configs == []


async def test_when_asked_everything_is_made_anew(path: Path) -> None:
    """Files that a config names, like a ca_file, may have changed."""
    async with running(path) as one:
        one.reloader.request()
        await one.until(lambda: bool(one.told))
        assert len(one.configs) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LEAST + "nonsense: 1\n", ":5: nonsense: is not a known key"),
        ("a: [\n", ":2: is not YAML"),
        (LEAST + "server: {port: x}\n", ":5: server.port: 'x' is not a whole number"),
        (LEAST + "access: {keys_file: none.yaml}\n", "none.yaml:1: cannot be read"),
        (None, ":1: cannot be read: No such file"),
    ],
)
async def test_a_bad_config_changes_nothing_and_says_why(
    path: Path, caplog: pytest.LogCaptureFixture, text: str | None, why: str
) -> None:
    async with running(path) as one:
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        await one.until(lambda: bool(one.results))
        await one.polls()
        assert one.results == [False]  # said once, not at every look
        assert one.configs == []
        assert why in caplog.text
        assert one.reloader.trouble is not None
        assert "the one before holds" in one.reloader.trouble

        path.write_text(LEAST.replace("balanced", "rag"))
        await one.until(lambda: len(one.results) == 2)
        assert one.results == [False, True]
        assert one.reloader.trouble is None
        assert len(one.configs) == 1


async def test_keys_files_are_watched(path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    keys.write_text(f"a: {{sha256: {HASH}}}\n")
    path.write_text(LEAST + f"access: {{keys_file: '{keys}'}}")
    async with running(path) as one:
        keys.write_text("")
        await one.until(lambda: bool(one.told))
        assert [config.access.keys for config in one.configs] == [{}]
        assert one.configs[0].access.required
        keys.write_text("a: {sha256: x}\n")
        await one.until(lambda: len(one.results) == 2)
        assert one.results == [True, False]
        keys.write_text(f"b: {{sha256: {HASH}}}\n")
        await one.until(lambda: len(one.results) == 3)
        assert list(one.configs[1].access.keys) == ["b"]


async def test_a_keys_file_that_comes_late_is_seen(path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    async with running(path) as one:
        path.write_text(LEAST + f"access: {{keys_file: '{keys}'}}")
        await one.until(lambda: one.results == [False])
        keys.write_text(f"b: {{sha256: {HASH}}}\n")
        await one.until(lambda: one.results == [False, True])


async def test_a_keys_file_that_comes_right_after_it_was_looked_for_is_seen(
    path: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.yaml"
    async with running(path) as one:
        read_config = one.reloader._source.read

        def too_early() -> Loaded:
            try:
                return read_config()
            finally:
                keys.write_text(f"b: {{sha256: {HASH}}}\n")

        one.reloader._source = replace(one.reloader._source, read=too_early)
        path.write_text(LEAST + f"access: {{keys_file: '{keys}'}}")
        await one.until(lambda: bool(one.configs))
        assert list(one.configs[0].access.keys) == ["b"]


async def test_the_swap_of_a_link_is_seen(tmp_path: Path) -> None:
    """As Kubernetes changes a ConfigMap: a link to a folder of links is replaced."""
    for name, policy in (("one", "balanced"), ("two", "rag")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(LEAST.replace("balanced", policy))
        os.utime(tmp_path / name / "config.yaml", (1, 1))
    (tmp_path / "..data").symlink_to("one")
    path = tmp_path / "config.yaml"
    path.symlink_to(Path("..data", "config.yaml"))
    async with running(path) as one:
        (tmp_path / "new").symlink_to("two")
        (tmp_path / "new").rename(tmp_path / "..data")
        await one.until(lambda: bool(one.told))
        assert one.configs[0].routes[0].policy == "rag"


async def test_a_file_that_is_being_written_is_waited_for(path: Path) -> None:
    async with running(path) as one:
        stamps = one.reloader._stamps
        moving = True
        number = 0

        async def changing() -> object:
            nonlocal number
            number += 1
            found = await stamps()
            return {**found, Path("/moving"): (0, 0, number if moving else 0, 0)}

        one.reloader._stamps = changing  # type: ignore[assignment, method-assign]
        path.write_text(LEAST.replace("balanced", "rag"))
        await one.until(lambda: number > 5)
        assert one.results == []
        moving = False
        await one.until(lambda: bool(one.results))
        assert one.configs[0].routes[0].policy == "rag"


async def test_what_cannot_be_put_into_service_changes_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(path) as one:
        one.broken = True
        path.write_text(LEAST.replace("balanced", "rag"))
        await one.until(lambda: bool(one.results))
        assert one.results == [False]
        assert "RuntimeError" in caplog.text
        assert "SECRET" not in caplog.text
        one.broken = False
        one.reloader.request()
        await one.until(lambda: len(one.results) == 2)
        assert one.configs[0].routes[0].policy == "rag"


async def test_a_proxy_is_not_opened(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text(LEAST + f"access: {{keys: {{k: {{sha256: {HASH}}}}}}}")
    async with running(path) as one:
        path.write_text(LEAST)
        await one.until(lambda: bool(one.results))
        assert one.results == [False]
        assert one.configs == []
        assert caplog.record_tuples[0][1] == logging.ERROR
        assert "asks for no proxy keys any more" in caplog.text
