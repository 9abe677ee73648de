"""Retrieved passages in, shorter passages out: what the adapters of RAG frameworks share."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, model_validator

from compressor.contexts import ContextClassifier, compress_contexts
from compressor.engine import Compressor
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


class PassageOptions(BaseModel):
    """The fields of an adapter; exactly one of rate, threshold and target_tokens is given.

    Raises ValueError (pydantic's) for settings that cannot be.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    rate: float | None = Field(None, description="Tokens kept / tokens before.")
    threshold: float | str | None = Field(
        None,
        description="Keep words likelier to matter than this; a number, or a name like "
        "balanced from the classifier's calibration.",
    )
    target_tokens: int | None = Field(None, description="A cap in the target model's tokens.")
    share_budget: bool = Field(
        False,
        description="The amount is of all passages together, not of each; one of which nothing "
        "stays is left out. The query is then not looked at.",
    )
    question_aware: bool = Field(True, description="Score the passages' words against the query.")
    force_tokens: tuple[str, ...] = Field((), description="Kept wherever they occur.")
    encoding: str = Field("o200k_base", description="The target model's tokenizer.")
    compressor: SkipValidation[PassageCompressor] = Field(default_factory=Compressor, exclude=True)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.compressor.resolved(self.settings(""))
        self.compressor.counter(self.encoding)
        return self

    def settings(self, query: str) -> Settings:
        """Return how passages are compressed for a query, "" for none."""
        return Settings(
            rate=self.rate,
            threshold=self.threshold,
            target_tokens=self.target_tokens,
            force_tokens=self.force_tokens,
            encoding=self.encoding,
            question=query if self.question_aware and query.strip() else None,
        )

    def compressed(self, texts: Sequence[str], query: str) -> list[CompressedPassage]:
        """Return passages compressed, in order; never raises on the compressor's account."""
        return compress_passages(
            self.compressor, texts, self.settings(query), share_budget=self.share_budget
        )


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
