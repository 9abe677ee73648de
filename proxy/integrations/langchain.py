"""A LangChain document compressor, for ContextualCompressionRetriever and pipelines.

Source: `BaseDocumentCompressor` in langchain_core/documents/compressor.py. Extra: `langchain`.
"""

from collections.abc import Sequence

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document

from proxy.integrations.passages import PassageOptions


class TerselyDocumentCompressor(PassageOptions, BaseDocumentCompressor):
    """Shortens retrieved documents; exactly one of rate, threshold and target_tokens is given.

    Metadata stay, and `tersely_outcome`, `tersely_tokens_before` and `tersely_tokens_after` are
    added. Where compressing fails the documents come back as they are, marked `failed_open`.
    Raises ValueError (pydantic's) for settings that cannot be.
    """

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Return the documents, shortened, in the order given; the given ones are not changed."""
        passages = self.compressed([document.page_content for document in documents], query)
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
