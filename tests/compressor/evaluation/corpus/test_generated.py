"""The generated texts of the corpus: the same ones every time, with what they say they hold."""

from compressor.evaluation.corpus.generated import generate, prose_in_json


def test_a_seed_gives_the_same_texts() -> None:
    assert generate(20, seed=5) == generate(20, seed=5)
    assert generate(20, seed=5) != generate(20, seed=6)
    assert list(prose_in_json(1, 2)) == list(prose_in_json(1, 2))


def test_planted_strings_stand_in_their_texts() -> None:
    cases = generate(100)
    assert len({case.domain for case in cases}) == 10
    assert len({case.id for case in cases}) == 100
    for case in cases:
        assert case.planted or case.domain == "json"
        assert all(text in case.text for text in case.planted)
