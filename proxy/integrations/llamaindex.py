"""A LlamaIndex node postprocessor, for a query engine's `node_postprocessors`.

Source: `BaseNodePostprocessor` in llama_index/core/postprocessor/types.py. Extra: `llamaindex`.
"""

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from proxy.integrations.passages import FACT_NAMES, CompressedPassage, PassageOptions


class TerselyNodePostprocessor(PassageOptions, BaseNodePostprocessor):
    """Shortens retrieved text nodes; exactly one of rate, threshold and target_tokens is given.

    Scores and metadata stay, and `tersely_outcome`, `tersely_tokens_before` and
    `tersely_tokens_after` are added, hidden from the model and from embeddings. Nodes of other
    kinds pass. Where compressing fails the nodes come back as they are, marked `failed_open`.
    Raises ValueError (pydantic's) for settings that cannot be.
    """

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex stores a component under."""
        return "TerselyNodePostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        readable = [node for node in nodes if _text_of(node)]
        passages = self.compressed(
            [_text_of(node) for node in readable],
            query_bundle.query_str if query_bundle is not None else "",
        )
        by_node = {id(n): passage for n, passage in zip(readable, passages, strict=True)}
        done = [
            node if (passage := by_node.get(id(node))) is None else _shortened(node, passage)
            for node in nodes
        ]
        return [new for old, new in zip(nodes, done, strict=True) if _text_of(new) or old is new]


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
