"""The opt-in sample of prompts: on a thread of its own, never in a request's way."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from policies.types import Decision, Role
from proxy.config_sample import SampleConfig
from proxy.dialects.base import BodyText
from proxy.errors import without_words
from proxy.ledger.queued import OnDropped, QueuedSink, StoreError
from proxy.upstream_choice import stickiness

_log = logging.getLogger("tersely.sample")

_MAX_WAITING = 64  # bodies, so that their texts do not fill the memory
_ONLY_OWNER = 0o600
_MEGABYTE = 1024 * 1024

Redact = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Offered:
    """One request's texts that its policy compresses, and all up to its first user message."""

    policy: str
    model: str
    beginning: tuple[str, ...]
    texts: tuple[tuple[Role, str], ...]


class Sampler:
    """Takes the texts of requests, and writes a share of them to a file.

    Raises ValueError for a `redact` function that cannot be imported.
    """

    def __init__(self, config: SampleConfig, *, on_dropped: OnDropped | None = None) -> None:
        if config.path is None:
            raise ValueError("sample.path is not set")
        redact = _as_it_is if config.redact is None else _imported(config.redact)
        store = SampleStore(config.path, config.share, config.max_mb * _MEGABYTE, redact)
        self._sink = QueuedSink[Offered](
            "sample", store, on_dropped=on_dropped, max_waiting=_MAX_WAITING
        )
        self._about = (
            f"{config.share:.2%} of the texts to be compressed are written to {config.path}"
        )
        self.degraded = self._sink.degraded
        self.close = self._sink.close

    async def start(self) -> None:
        """Open the file, and say in the log that prompts are written down."""
        await self._sink.start()
        _log.warning("sample: %s", self._about)

    def offer(
        self,
        policy: str,
        model: str,
        texts: Sequence[BodyText],
        decisions: Sequence[Decision],
    ) -> None:
        """Queue the texts of a request that are to be compressed; returns at once."""
        chosen = tuple(
            (text.role, text.text)
            for text, decision in zip(texts, decisions, strict=True)
            if decision.compress
        )
        if chosen:
            self._sink.write(Offered(policy, model, tuple(_beginning(texts)), chosen))


class SampleStore:
    """A JSONL file of sampled texts. Called from one thread only."""

    def __init__(self, path: Path, share: float, max_bytes: int, redact: Redact) -> None:
        self._path = path
        self._below = int(share * 2**64)
        self._max_bytes = max_bytes
        self._redact = redact
        self._descriptor: int | None = None
        self._written: set[str] = set()
        self._told: set[str] = set()

    def open(self) -> None:
        """Open the file, and read which texts it has. Raises StoreError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
            self._descriptor = os.open(self._path, flags, _ONLY_OWNER)
            self._written = set(_ids(self._path))
        except OSError as error:
            raise StoreError(f"sample.path cannot be written: {error.strerror}") from error

    def append(self, records: Sequence[Offered]) -> None:
        """Write what is drawn and not there yet. Raises StoreError."""
        if self._descriptor is None:
            raise StoreError("sample.path is not open")
        for record in records:
            doc = stickiness(*record.beginning).hex()
            for role, text in record.texts:
                identity = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
                # Of the digest's first 64 bits, which are uniform.
                if int(identity[:16], 16) < self._below and identity not in self._written:
                    self._write(identity, doc, role, text, record)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, identity: str, doc: str, role: Role, text: str, record: Offered) -> None:
        redacted = self._redacted(text)
        if redacted is None or self._descriptor is None:
            return
        line = {
            "id": identity,
            "source": "sample",
            "doc": doc,
            "role": role.value,
            "policy": record.policy,
            "model": record.model,
            "text": redacted,
        }
        data = json.dumps(line).encode("ascii") + b"\n"
        try:
            size = os.fstat(self._descriptor).st_size
            if size + len(data) > self._max_bytes:
                self._tell("sample.path has reached sample.max_mb; no more is written to it")
                return
            # In one call, so that the lines of several processes do not mix.
            if os.write(self._descriptor, data) < len(data):
                os.ftruncate(self._descriptor, size)
                raise StoreError("sample.path cannot be written: the disk is full")
        except OSError as error:
            raise StoreError(f"sample.path cannot be written: {error.strerror}") from error
        self._written.add(identity)

    def _redacted(self, text: str) -> str | None:
        try:
            redacted = self._redact(text)
        except Exception as error:  # noqa: BLE001 - the user's own code
            self._tell(
                f"sample.redact failed, and the text is not sampled:\n{without_words(error)}"
            )
            return None
        if redacted is not None and not isinstance(redacted, str):
            self._tell("sample.redact returned neither text nor None; the text is not sampled")
            return None
        return redacted

    def _tell(self, what: str) -> None:
        """Say it in the log, once."""
        if what not in self._told:
            self._told.add(what)
            _log.warning(what)


def _beginning(texts: Sequence[BodyText]) -> Iterator[str]:
    """Yield all up to the first user message, which every turn of a conversation has."""
    for text in texts:
        yield text.text
        if text.role is Role.USER:
            return


def _ids(path: Path) -> Iterator[str]:
    with path.open("rb") as lines:
        for line in lines:
            try:
                yield str(json.loads(line)["id"])
            except (ValueError, KeyError, TypeError):
                continue


def _as_it_is(text: str) -> str | None:
    return text


def _imported(hook: str) -> Redact:
    module, _, name = hook.partition(":")
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        raise ValueError(f"sample.redact: {module} cannot be imported: {error}") from error
    if not callable(found):
        raise ValueError(f"sample.redact: {module} has no function {name}")
    redact: Redact = found
    return redact
