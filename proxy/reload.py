"""A changed config, taken over between two requests; one that cannot be used changes nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proxy.config import Config, ConfigError, Loaded
from proxy.config_file import dotted
from proxy.config_section import Section
from proxy.config_thresholds import threshold_complaints
from proxy.errors import without_words
from proxy.listening import why_not_to_listen

log = logging.getLogger("tersely.proxy")

# What is built once, at start. All other settings are taken over.
FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "server": (
        "host",
        "port",
        "uds",
        "uds_access",
        "allow_open",
        "max_head_bytes",
        "head_timeout_seconds",
        "body_timeout_seconds",
        "max_websocket_message_bytes",
        "websocket_ping_seconds",
        "shutdown_seconds",
    ),
    "compressor": ("classifier", "backend", "workers", "max_queued_tokens", "encodings"),
    "cache": (
        "memory_mb",
        "url",
        "url_env",
        "ttl_seconds",
        "call_budget_ms",
        "encryption_key_env",
        "encryption_key",
    ),
    "savings": ("path", "log", "stream", "stream_max_records"),
    "sample": ("path", "share", "max_mb", "redact"),
}

_UNUSABLE = "the config was changed and cannot be used; the one before holds, the log says why"
_Stamp = tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where a config came from, and how to read it again; `read` raises ConfigError."""

    loaded: Loaded
    read: Callable[[], Loaded]
    tell: Callable[[str], None] = log.info


class Unusable(Exception):
    """A config that is well written, but cannot take the place of the running one."""


def taken_over(running: Config, new: Config) -> tuple[Config, list[str]]:
    """Return the new config with what is fixed kept, and the dotted names of what would differ.

    Raises Unusable where that would open the proxy to people whom the running one keeps out, and
    for a threshold's name that the running classifier does not have.
    """
    if running.access.required and not new.access.required:
        raise Unusable("access: it asks for no proxy keys any more; that takes a restart")
    kept: list[str] = []
    update: dict[str, Section] = {}
    for name, fields in FIXED.items():
        old_section, new_section = getattr(running, name), getattr(new, name)
        values = {field: getattr(old_section, field) for field in fields}
        kept += [
            f"{name}.{field}"
            for field, value in values.items()
            if getattr(new_section, field) != value
        ]
        update[name] = new_section.model_copy(update=values)
    config = new.model_copy(update=update)
    if (why := why_not_to_listen(config)) is not None:
        raise Unusable(f"server.host: {why}")
    for key, why in threshold_complaints(config.compressor.classifier, config.policies):
        raise Unusable(f"{dotted(key)}: {why}")
    return config, kept


class Reloader:
    """Reads the config again when its files change, or when it is told to.

    Files are looked at every `poll_seconds`, by what they are behind all links, so that the swap of
    a Kubernetes ConfigMap's link is seen; a change is taken up once two looks agree on it, so that
    half a file is not. `apply` puts a config into service; `on_result` is told of each attempt.
    """

    def __init__(
        self,
        source: ConfigSource,
        apply: Callable[[Config], Awaitable[None]],
        *,
        on_result: Callable[[bool], None] | None = None,
        poll_seconds: float = 1.0,
    ) -> None:
        self._source = source
        self._running = source.loaded.config
        self._path = source.loaded.path
        self._apply = apply
        self._on_result = on_result or (lambda _: None)
        self._poll_seconds = poll_seconds
        self._asked = asyncio.Event()
        self._broken: Path | None = None
        self.trouble: str | None = None

    def request(self) -> None:
        """Read the config again soon, changed or not. For the loop's own thread."""
        self._asked.set()

    async def run(self) -> None:
        """Look after the config until cancelled."""
        seen = before = await self._stamps()
        while True:
            asked = await self._wait()
            now = await self._stamps()
            if asked or (now != seen and now == before):
                looks = dict(now)
                await self._reload(looks, asked=asked)
                # A change while it was read stays one.
                seen = now = {**await self._stamps(), **looks}
            before = now

    async def _wait(self) -> bool:
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _stamps(self) -> Mapping[Path, _Stamp]:
        files = [self._path, self._running.access.keys_file, self._broken]
        return await asyncio.to_thread(_stamps, [path for path in files if path is not None])

    async def _read(self, looks: dict[Path, _Stamp]) -> Loaded:
        """Read the config, adding to `looks` how its other file was before that.

        One that is looked at for the first time may have changed since it was read: all of it is
        read again. Raises ConfigError.
        """
        while True:
            loaded, failed = None, None
            try:
                loaded = await asyncio.to_thread(self._source.read)
                file = loaded.config.access.keys_file
            except ConfigError as error:
                failed, file = error, error.path
            if file is not None and file not in looks:
                looks.update(await asyncio.to_thread(_stamps, [file]))
            elif loaded is not None:
                return loaded
            elif failed is not None:
                raise failed

    async def _reload(self, looks: dict[Path, _Stamp], *, asked: bool) -> None:
        tell, path = self._source.tell, self._path
        try:
            loaded = await self._read(looks)
            config, kept = await asyncio.to_thread(taken_over, self._running, loaded.config)
            if asked or config != self._running:
                await self._apply(config)
        except ConfigError as error:
            self._failed(str(error), error.path)
        except Unusable as why:
            self._failed(f"{path}: {why}", None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the running config goes on
            self._failed(f"{path}: {without_words(error)}", None)
        else:
            changed = [n for n in type(config).model_fields if _differs(n, config, self._running)]
            self._running, self._broken, self.trouble = config, None, None
            self._on_result(True)
            what = ", ".join(changed) if changed else "nothing in it has changed"
            tell(f"{path} was read again: {what}" + _restart(kept))

    def _failed(self, why: str, broken: Path | None) -> None:
        self._broken, self.trouble = broken, _UNUSABLE
        self._on_result(False)
        log.error("The config was changed and cannot be used; the one before holds:\n%s", why)


def _differs(name: str, one: Config, other: Config) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _restart(kept: Sequence[str]) -> str:
    return f"; as they were until a restart: {', '.join(kept)}" if kept else ""


def _stamps(paths: Sequence[Path]) -> dict[Path, _Stamp]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
