"""The node postprocessor, in LlamaIndex's own hands."""

import pytest
from pydantic import ValidationError

from compressor import Compressor
from tests.proxy.integrations.test_passages import TEXTS

pytest.importorskip("llama_index.core", reason="needs llamaindex: make test-all")
from llama_index.core.schema import ImageNode, MetadataMode, Node, NodeWithScore, TextNode

from proxy.integrations.llamaindex import TerselyNodePostprocessor

pytestmark = pytest.mark.frameworks

QUERY = "When was the lighthouse built?"


@pytest.fixture(scope="module")
def compressor() -> Compressor:
    return Compressor(workers=1)


async def test_nodes(compressor: Compressor) -> None:
    texts = [TextNode(text=text, metadata={"page": n}) for n, text in enumerate(TEXTS)]
    others = [ImageNode(image="aGk="), Node()]
    nodes = [NodeWithScore(node=node, score=0.5) for node in [*texts, *others]]
    adapter = TerselyNodePostprocessor(rate=0.5, compressor=compressor)
    shorter = adapter.postprocess_nodes(nodes, query_str=QUERY)
    assert [n.text for n in shorter[:2]] == [
        compressor.compress(text, rate=0.5, question=QUERY).text for text in TEXTS
    ]
    assert [new is old for new, old in zip(shorter, nodes, strict=True)] == [False] * 2 + [True] * 2
    for before, after in zip(nodes[:2], shorter, strict=False):
        assert (after.score, after.node_id) == (before.score, before.node_id)
        assert set(before.metadata) == {"page"}
        assert after.metadata["tersely_tokens_after"] < after.metadata["tersely_tokens_before"]
        for mode in (MetadataMode.LLM, MetadataMode.EMBED):
            shown = after.node.get_content(mode)
            assert "page" in shown
            assert "tersely" not in shown
    again = await adapter.apostprocess_nodes(nodes, query_str=QUERY)
    assert [n.node.get_content() for n in again] == [n.node.get_content() for n in shorter]


def test_without_a_query(compressor: Compressor) -> None:
    adapter = TerselyNodePostprocessor(rate=0.5, compressor=compressor)
    [node] = adapter.postprocess_nodes([NodeWithScore(node=TextNode(text=TEXTS[0]))])
    assert node.text == compressor.compress(TEXTS[0], rate=0.5).text


def test_settings_that_cannot_be_fail_at_once() -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        TerselyNodePostprocessor()
