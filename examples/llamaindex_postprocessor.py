"""Shortens retrieved nodes in LlamaIndex; needs no proxy. `pip install tersely[llamaindex]`."""

from llama_index.core.schema import NodeWithScore, TextNode

from proxy.integrations.llamaindex import TerselyNodePostprocessor

nodes = [
    NodeWithScore(
        node=TextNode(
            text="The lighthouse on the northern cape was built in 1874 by a crew of forty people, "
            "who came over the water in the summer, and it really was a rather beautiful thing.",
        ),
        score=0.8,
    )
]
postprocessor = TerselyNodePostprocessor(rate=0.5)
# In a query engine: index.as_query_engine(node_postprocessors=[postprocessor])
for node in postprocessor.postprocess_nodes(nodes, query_str="When was the lighthouse built?"):
    print(node.text)
    print(node.metadata)
