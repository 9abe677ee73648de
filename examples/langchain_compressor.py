"""Shortens retrieved documents in LangChain; needs no proxy. `pip install tersely[langchain]`."""

from langchain_core.documents import Document

from proxy.integrations.langchain import TerselyDocumentCompressor

documents = [
    Document(
        "The lighthouse on the northern cape was built in 1874 by a crew of forty people, who came "
        "over the water in the summer, and it really was a rather beautiful thing to look at.",
        metadata={"source": "guide.pdf"},
    )
]
compressor = TerselyDocumentCompressor(rate=0.5)
# In a chain: ContextualCompressionRetriever(base_compressor=compressor, base_retriever=...)
for document in compressor.compress_documents(documents, "When was the lighthouse built?"):
    print(document.page_content)
    print(document.metadata)
