from compressor.evaluation.methods import Original, corpus_revision, source_revision
from compressor.types import Span


def test_the_original_stays_whole() -> None:
    shortened = Original().shorten("some text", None, 0.2)
    assert (shortened.text, shortened.kept) == ("some text", (Span(0, 9),))
    assert Original().shorten("", None, 0.2).kept == ()


def test_revisions_follow_the_content() -> None:
    assert source_revision() == source_revision()
    assert corpus_revision(["a", "b"]) != corpus_revision(["ab"])
    assert corpus_revision(["a", "b"]) != corpus_revision(["b", "a"])
