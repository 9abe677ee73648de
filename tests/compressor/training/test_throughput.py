import pytest

from compressor.training.throughput import throughput
from tests.compressor.scripted_classifier import ScriptedClassifier


def test_it_reads_no_more_texts_than_asked_and_counts_their_tokens() -> None:
    classifier = ScriptedClassifier()
    found = throughput(classifier, ["one two three", "four five", "six"], tokens=4)
    assert found.one_thread > 0
    assert found.all_cores > 0
    assert found.cores >= 1
    assert "six" not in classifier.encoded
    # both texts once in each of the two runs, and the first once before each
    assert classifier.classified == 2 * (5 + 3)


def test_without_text_there_is_no_speed() -> None:
    with pytest.raises(ValueError, match="no text"):
        throughput(ScriptedClassifier(), ["", " "])
