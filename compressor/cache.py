"""Compressed text by content: the key, and the cache inside one process."""

import dataclasses
import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from threading import Lock

from compressor.types import CompressionResult, Settings

# What an entry takes beside its text: key, result, dictionary slot. Measured with tracemalloc.
_ENTRY_OVERHEAD = 700
_KIND_OVERHEAD = 240  # each kind in `verified`


@dataclass(frozen=True, slots=True)
class PartKey:
    """Names one part for one tenant, whatever the classifier; a key for each classifier from it.

    `digest` is a SHA-256 over tenant, settings and text, so that nobody reads another tenant's
    entry without knowing its text and the tenant.
    """

    digest: bytes

    @classmethod
    def of(cls, text: str, settings: Settings, tenant: str) -> "PartKey":
        """Hash a part. Every field is preceded by its length, so no two parts run together.

        Raises ValueError for a threshold's name: what it stands for may change.
        """
        if isinstance(settings.threshold, str):
            raise ValueError(f"threshold '{settings.threshold}' is a name, and no part of a key")
        hashed = hashlib.sha256(b"tersely part 1")
        for field in (tenant, _settings_text(settings), text):
            data = field.encode("utf-8", "surrogatepass")
            hashed.update(b"%d:" % len(data))
            hashed.update(data)
        return cls(hashed.digest())

    def entry(self, revision: str) -> bytes:
        """Return the key of what this classifier and algorithm make of the part."""
        return hashlib.sha256(self.digest + revision.encode()).digest()


def _settings_text(settings: Settings) -> str:
    """Write the settings that differ from their defaults, so that a new one moves no old key.

    A default that is changed changes outputs, which calls for a new ALGORITHM_REVISION.
    """
    fields = {
        field.name: _plain(value)
        for field in dataclasses.fields(settings)
        if (value := getattr(settings, field.name)) != field.default
    }
    return json.dumps(fields, sort_keys=True)


def _plain(value: object) -> object:
    """Reduce a setting to JSON, equal settings to equal JSON (1 and 1.0, sets in any order)."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, Set):
        return sorted(json.dumps(_plain(member), sort_keys=True) for member in value)
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    raise TypeError(f"a setting of type {type(value).__name__} has no place in a cache key")


def compact(result: CompressionResult) -> CompressionResult:
    """Return a result without what a cache does without: spans, words, timings, a source text."""
    text = "" if result.unchanged else result.text
    return dataclasses.replace(result, text=text, kept=(), words=(), timings_ms={})


def expand(entry: CompressionResult, source: str) -> CompressionResult:
    """Return a compacted result as it was, but for spans and timings."""
    return dataclasses.replace(entry, text=source) if entry.unchanged else entry


class MemoryCache:
    """Least recently used entries go first once they take more than `max_bytes`; 0 holds nothing.

    Thread-safe. `hits`, `misses` and `evictions` count since the start.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self._entries: OrderedDict[bytes, tuple[CompressionResult, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> CompressionResult | None:
        """Return the entry (see `expand`), or None."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: bytes, result: CompressionResult) -> None:
        """Keep a result. One that is larger than the whole cache is not kept."""
        entry = compact(result)
        size = sys.getsizeof(entry.text) + _ENTRY_OVERHEAD + _KIND_OVERHEAD * len(entry.verified)
        with self._lock:
            self._remove(key)
            if size > self.max_bytes:
                return
            self._entries[key] = (entry, size)
            self.bytes += size
            while self.bytes > self.max_bytes:
                self._remove(next(iter(self._entries)))
                self.evictions += 1

    def _remove(self, key: bytes) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self.bytes -= found[1]
