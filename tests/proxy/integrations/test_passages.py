"""Passages that adapters of RAG frameworks hand over."""

import logging
from collections.abc import Sequence

import pytest

from compressor import Compressor
from compressor.types import CompressionResult, Settings
from proxy.integrations.passages import FACT_NAMES, PassageOutcome, compress_passages

TEXTS = [
    "The old lighthouse on the northern cape was built in 1874 by a crew of forty people, who "
    "came over the water in the summer, and it really was a rather beautiful thing to look at.",
    "Well, as everybody around here will gladly tell you over and over again, the weather that "
    "they have up there is not what anybody would want for very long, in my humble opinion.",
]


@pytest.fixture(scope="module")
def compressor() -> Compressor:
    return Compressor(workers=1)


def test_each_passage_has_the_amount_for_itself(compressor: Compressor) -> None:
    passages = compress_passages(compressor, TEXTS, Settings(rate=0.5))
    for text, passage in zip(TEXTS, passages, strict=True):
        assert passage.outcome is PassageOutcome.COMPRESSED
        assert passage.text == compressor.compress(text, rate=0.5).text
        assert passage.tokens_before == compressor.counter("o200k_base").count(text)
        assert passage.tokens_after == compressor.counter("o200k_base").count(passage.text)
        assert tuple(passage.facts) == FACT_NAMES


def test_the_question_is_heard(compressor: Compressor) -> None:
    text = " ".join(TEXTS)
    [blind] = compress_passages(compressor, [text], Settings(rate=0.4))
    [asked] = compress_passages(
        compressor, [text], Settings(rate=0.4, question="What does everybody say of the weather?")
    )
    assert blind.text != asked.text
    assert "weather" in asked.text


def test_a_shared_budget_is_of_all_together(compressor: Compressor) -> None:
    settings = Settings(target_tokens=40, question="ignored?")
    passages = compress_passages(compressor, TEXTS, settings, share_budget=True)
    count = compressor.counter("o200k_base").count
    assert count("\n\n".join(p.text for p in passages if p.text.strip())) <= 40
    assert [p.tokens_after for p in passages] == [count(p.text) for p in passages]


def test_what_saves_nothing_stays(compressor: Compressor) -> None:
    [passage] = compress_passages(compressor, ["Two words."], Settings(target_tokens=50))
    assert (passage.text, passage.outcome) == ("Two words.", PassageOutcome.UNCHANGED)
    assert passage.tokens_before == passage.tokens_after


class _Broken(Compressor):
    def compress(
        self, text: str, settings: Settings | None = None, **_: object
    ) -> CompressionResult:  # type: ignore[override]
        raise RuntimeError(f"about {text}")

    def classify(self, texts: Sequence[str], settings: Settings) -> list[object]:  # type: ignore[override]
        raise RuntimeError(f"about {texts}")


@pytest.mark.parametrize("share", [False, True])
def test_trouble_gives_the_originals(share: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "tersely.integrations"):
        passages = compress_passages(_Broken(), TEXTS, Settings(rate=0.5), share_budget=share)
    assert [p.text for p in passages] == TEXTS
    assert {p.outcome for p in passages} == {PassageOutcome.FAILED_OPEN}
    assert [dict(p.facts) for p in passages] == [{"tersely_outcome": "failed_open"}] * 2
    assert "RuntimeError" in caplog.text
    assert "lighthouse" not in caplog.text
