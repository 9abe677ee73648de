from compressor.evaluation.datasets import Document, QASet, Question
from compressor.evaluation.methods import Original
from compressor.evaluation.speed import Speed, measure
from tests.fakes import FakeCounter

SET = QASet("s", (Document("a", "one two", (Question("q", "?", ()),)), Document("b", "x", ())))


def test_every_document_that_is_asked_about_is_timed() -> None:
    steps: list[None] = []
    [found] = measure([SET], [Original()], 0.5, FakeCounter(), lambda: steps.append(None))
    assert (found.method, found.documents, found.tokens) == ("original", 1, 2)
    assert found.seconds > 0
    assert len(steps) == 1
    assert Speed("m", 1, 300, 2.0).tokens_per_second == 150
