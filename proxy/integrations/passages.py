"""Retrieved passages in, shorter passages out: what the adapters of RAG frameworks share."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from compressor.contexts import ContextClassifier, compress_contexts
from compressor.types import CompressionResult, Settings

_log = logging.getLogger("tersely.integrations")


class PassageCompressor(ContextClassifier, Protocol):
    """What is needed of a compressor here; `compressor.Compressor` is one."""

    def compress(self, text: str, settings: Settings) -> CompressionResult:
        """Return one text, compressed."""
        ...


class PassageOutcome(StrEnum):
    """What became of one passage."""

    COMPRESSED = "compressed"
    UNCHANGED = "unchanged"
    FAILED_OPEN = "failed_open"  # compressing failed: it is the original


@dataclass(frozen=True, slots=True)
class CompressedPassage:
    """One passage and its tokens before and after; None where they could not be counted."""

    text: str
    outcome: PassageOutcome
    tokens_before: int | None
    tokens_after: int | None

    @property
    def facts(self) -> Mapping[str, str | int]:
        """What the adapters add to a passage's metadata."""
        counted = {
            "tersely_tokens_before": self.tokens_before,
            "tersely_tokens_after": self.tokens_after,
        }
        known = {name: count for name, count in counted.items() if count is not None}
        return {"tersely_outcome": self.outcome.value, **known}


FACT_NAMES = ("tersely_outcome", "tersely_tokens_before", "tersely_tokens_after")


def compress_passages(
    compressor: PassageCompressor,
    texts: Sequence[str],
    settings: Settings,
    *,
    share_budget: bool = False,
) -> list[CompressedPassage]:
    """Return the passages compressed, in order; never raises on the compressor's account.

    Each has the settings' amount for itself and is scored against their question. With
    `share_budget` the amount is of all together, best words first whichever passage they stand in:
    a passage may come out empty, and the question is not looked at.
    """
    try:
        if share_budget:
            return _together(compressor, texts, replace(settings, question=None))
        return [_passage(text, compressor.compress(text, settings)) for text in texts]
    except Exception as error:  # noqa: BLE001 - the fail-open boundary
        # Without its message, which may quote the text.
        _log.warning("passages go on uncompressed: %s", type(error).__name__)
        return [CompressedPassage(text, PassageOutcome.FAILED_OPEN, None, None) for text in texts]


def _passage(text: str, result: CompressionResult) -> CompressedPassage:
    if result.tokens_after >= result.tokens_before:
        count = result.tokens_before
        return CompressedPassage(text, PassageOutcome.UNCHANGED, count, count)
    compressed = PassageOutcome.COMPRESSED
    return CompressedPassage(result.text, compressed, result.tokens_before, result.tokens_after)


def _together(
    compressor: PassageCompressor, texts: Sequence[str], settings: Settings
) -> list[CompressedPassage]:
    counter = compressor.counter(settings.encoding)
    shorter = compress_contexts(compressor, texts, settings).texts
    passages = []
    for before, after in zip(texts, shorter, strict=True):
        counts = counter.count(before), counter.count(after)
        # By itself a passage may count no fewer tokens, though all together do.
        kept = before if counts[1] >= counts[0] else after
        outcome = PassageOutcome.UNCHANGED if kept == before else PassageOutcome.COMPRESSED
        passages.append(CompressedPassage(kept, outcome, counts[0], min(counts)))
    return passages
