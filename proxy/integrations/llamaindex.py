"""A LlamaIndex node postprocessor, for a query engine's `node_postprocessors`.

Source: `BaseNodePostprocessor` in llama_index/core/postprocessor/types.py. Extra: `llamaindex`.
"""

from typing import Self

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import ConfigDict, Field, SkipValidation, model_validator

from compressor.engine import Compressor
from compressor.types import Settings
from proxy.integrations.passages import (
    FACT_NAMES,
    CompressedPassage,
    PassageCompressor,
    compress_passages,
)


class TerselyNodePostprocessor(BaseNodePostprocessor):
    """Shortens retrieved text nodes; exactly one of rate, threshold and target_tokens is given.

    Scores and metadata stay, and `tersely_outcome`, `tersely_tokens_before` and
    `tersely_tokens_after` are added, hidden from the model and from embeddings. Nodes of other
    kinds pass. Where compressing fails the nodes come back as they are, marked `failed_open`.
    Raises ValueError (pydantic's) for settings that cannot be.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    rate: float | None = Field(None, description="Tokens kept / tokens before.")
    threshold: float | None = Field(None, description="Keep words likelier to matter than this.")
    target_tokens: int | None = Field(None, description="A cap in the target model's tokens.")
    share_budget: bool = Field(
        False,
        description="The amount is of all nodes together, not of each; one of which nothing stays "
        "is left out. The query is then not looked at.",
    )
    question_aware: bool = Field(True, description="Score the nodes' words against the query.")
    force_tokens: tuple[str, ...] = Field((), description="Kept wherever they occur.")
    encoding: str = Field("o200k_base", description="The target model's tokenizer.")
    compressor: SkipValidation[PassageCompressor] = Field(default_factory=Compressor, exclude=True)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self._settings("")
        self.compressor.counter(self.encoding)
        return self

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex stores a component under."""
        return "TerselyNodePostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        readable = [node for node in nodes if _text_of(node)]
        passages = compress_passages(
            self.compressor,
            [_text_of(node) for node in readable],
            self._settings(query_bundle.query_str if query_bundle is not None else ""),
            share_budget=self.share_budget,
        )
        by_node = {id(n): passage for n, passage in zip(readable, passages, strict=True)}
        done = [
            node if (passage := by_node.get(id(node))) is None else _shortened(node, passage)
            for node in nodes
        ]
        return [new for old, new in zip(nodes, done, strict=True) if _text_of(new) or old is new]

    def _settings(self, query: str) -> Settings:
        return Settings(
            rate=self.rate,
            threshold=self.threshold,
            target_tokens=self.target_tokens,
            force_tokens=self.force_tokens,
            encoding=self.encoding,
            question=query if self.question_aware and query.strip() else None,
        )


def _text_of(node: NodeWithScore) -> str:
    """Return a text node's text, "" where there is none to compress."""
    inner = node.node
    return inner.text if isinstance(inner, TextNode) and inner.text.strip() else ""


def _shortened(node: NodeWithScore, passage: CompressedPassage) -> NodeWithScore:
    """Return a copy with the passage's text; the retriever may hand out its own objects."""
    inner = node.node
    # What is in a node's metadata is put in front of its text, unless it is on these lists.
    hidden = {
        key: list(dict.fromkeys([*getattr(inner, key), *FACT_NAMES]))
        for key in ("excluded_llm_metadata_keys", "excluded_embed_metadata_keys")
    }
    metadata = {**inner.metadata, **passage.facts}
    new = inner.model_copy(update={"text": passage.text, "metadata": metadata, **hidden})
    return NodeWithScore(node=new, score=node.score)
