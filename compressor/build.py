"""Puts the compressor of a running proxy together from plain values."""

from collections.abc import Callable, Mapping

from compressor.cache import MemoryCache
from compressor.cache_entry import FernetCipher
from compressor.deadline import DeadlineCompressor
from compressor.engine import Compressor
from compressor.loading import EarlyLoad
from compressor.relevance import Relevance
from compressor.shared_cache import SharedCache
from compressor.tokens import Tokenizers


def build_part_compressor(
    *,
    classifier: str = "bundled",
    backend: str = "auto",
    workers: int = 0,
    max_queued_tokens: int = 400_000,
    encodings: Mapping[str, str] | None = None,
    tokenizers: Tokenizers | None = None,
    memory_bytes: int = 64 * 1024 * 1024,
    redis_url: str | None = None,
    ttl_seconds: int = 86_400,
    call_budget_ms: int = 20,
    encryption_key: str | None = None,
    on_shared_error: Callable[[], None] | None = None,
    relevance: Relevance | None = None,
    load_now: bool = False,
) -> DeadlineCompressor:
    """Return a part compressor that is not started: nothing is loaded or connected yet.

    With `load_now` a thread begins to load, for programs that start it at their first request.
    `tokenizers` shares what is loaded elsewhere, instead of new ones for `encodings`; `relevance`
    scores texts against questions instead of LexicalRelevance. Raises ValueError for a Redis
    address or an encryption key that cannot be used.
    """
    counters = Tokenizers(encodings) if tokenizers is None else tokenizers

    def load() -> Compressor:
        compressor = Compressor(
            tokenizers=counters,
            name=classifier,
            backend=backend,
            workers=workers,
            max_queued_tokens=max_queued_tokens,
            relevance=relevance,
        )
        compressor.load()
        return compressor

    shared = None
    if redis_url is not None:
        shared = SharedCache(
            redis_url,
            ttl_seconds=ttl_seconds,
            call_budget_ms=call_budget_ms,
            cipher=None if encryption_key is None else FernetCipher(encryption_key),
            on_error=on_shared_error,
        )
    loading = EarlyLoad(load) if load_now else load
    return DeadlineCompressor(loading, memory=MemoryCache(memory_bytes), shared=shared)
