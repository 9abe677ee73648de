"""The document compressor, in LangChain's own hands."""

import pytest
from pydantic import ValidationError

from compressor import Compressor
from tests.proxy.integrations.test_passages import TEXTS

pytest.importorskip("langchain_core", reason="needs langchain: make test-all")
from langchain_core.documents import Document

from proxy.integrations.langchain import TerselyDocumentCompressor

pytestmark = pytest.mark.frameworks

QUERY = "When was the lighthouse built?"


@pytest.fixture(scope="module")
def compressor() -> Compressor:
    return Compressor(workers=1)


async def test_documents(compressor: Compressor) -> None:
    documents = [Document(text, id=str(n), metadata={"page": n}) for n, text in enumerate(TEXTS)]
    adapter = TerselyDocumentCompressor(rate=0.5, compressor=compressor)
    shorter = adapter.compress_documents(documents, QUERY)
    assert [d.page_content for d in shorter] == [
        compressor.compress(text, rate=0.5, question=QUERY).text for text in TEXTS
    ]
    assert "1874" in shorter[0].page_content
    for number, (before, after) in enumerate(zip(documents, shorter, strict=True)):
        assert before.metadata == {"page": number}
        assert (after.id, after.metadata["page"]) == (before.id, number)
        assert after.metadata["tersely_outcome"] == "compressed"
        tokens = after.metadata["tersely_tokens_before"], after.metadata["tersely_tokens_after"]
        assert tokens[1] <= tokens[0] * 0.5 + 1
    assert list(await adapter.acompress_documents(documents, QUERY)) == list(shorter)


def test_a_document_of_which_nothing_stays_is_left_out(compressor: Compressor) -> None:
    adapter = TerselyDocumentCompressor(target_tokens=6, share_budget=True, compressor=compressor)
    filler = "and so on and so forth, as they say, more or less, of course, and the like"
    documents = [Document("Zurich insured Lloyd for 91250 dollars in Geneva"), Document(filler)]
    left = adapter.compress_documents(documents, "")
    assert all(document.page_content.strip() for document in left)
    assert sum(document.metadata["tersely_tokens_after"] for document in left) <= 8


@pytest.mark.parametrize("amount", [{}, {"rate": 2}, {"rate": 0.5, "threshold": 0.5}])
def test_settings_that_cannot_be_fail_at_once(amount: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=r"rate"):
        TerselyDocumentCompressor(**amount)
