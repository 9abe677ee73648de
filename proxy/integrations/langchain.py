"""A LangChain document compressor, for ContextualCompressionRetriever and pipelines.

Source: `BaseDocumentCompressor` in langchain_core/documents/compressor.py. Extra: `langchain`.
"""

from collections.abc import Sequence
from typing import Self

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field, SkipValidation, model_validator

from compressor.engine import Compressor
from compressor.types import Settings
from proxy.integrations.passages import PassageCompressor, compress_passages


class TerselyDocumentCompressor(BaseDocumentCompressor):
    """Shortens retrieved documents; exactly one of rate, threshold and target_tokens is given.

    Metadata stay, and `tersely_outcome`, `tersely_tokens_before` and `tersely_tokens_after` are
    added. Where compressing fails the documents come back as they are, marked `failed_open`.
    Raises ValueError (pydantic's) for settings that cannot be.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    rate: float | None = Field(None, description="Tokens kept / tokens before.")
    threshold: float | None = Field(None, description="Keep words likelier to matter than this.")
    target_tokens: int | None = Field(None, description="A cap in the target model's tokens.")
    share_budget: bool = Field(
        False,
        description="The amount is of all documents together, not of each; one of which nothing "
        "stays is left out. The query is then not looked at.",
    )
    question_aware: bool = Field(True, description="Score the documents' words against the query.")
    force_tokens: tuple[str, ...] = Field((), description="Kept wherever they occur.")
    encoding: str = Field("o200k_base", description="The target model's tokenizer.")
    compressor: SkipValidation[PassageCompressor] = Field(default_factory=Compressor, exclude=True)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self._settings("")
        self.compressor.counter(self.encoding)
        return self

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Return the documents, shortened, in the order given; the given ones are not changed."""
        passages = compress_passages(
            self.compressor,
            [document.page_content for document in documents],
            self._settings(query),
            share_budget=self.share_budget,
        )
        return [
            document.model_copy(
                update={
                    "page_content": passage.text,
                    "metadata": {**document.metadata, **passage.facts},
                }
            )
            for document, passage in zip(documents, passages, strict=True)
            if passage.text.strip() or not document.page_content.strip()
        ]

    def _settings(self, query: str) -> Settings:
        return Settings(
            rate=self.rate,
            threshold=self.threshold,
            target_tokens=self.target_tokens,
            force_tokens=self.force_tokens,
            encoding=self.encoding,
            question=query if self.question_aware and query.strip() else None,
        )
