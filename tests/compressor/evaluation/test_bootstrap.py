import numpy as np
import pytest

from compressor.evaluation.bootstrap import Counted, NotComparable, counted, differences, shares


def test_questions_are_counted_by_document() -> None:
    found = counted([[True, False, None], [True], [None]])
    assert found.survived.tolist() == [1, 1, 0]
    assert found.counted.tolist() == [2, 1, 0]


def test_the_value_is_pooled_over_questions() -> None:
    single, _ = shares({"a": Counted(np.array([1.0, 4.0]), np.array([2.0, 4.0]))})
    assert single["a"].value == pytest.approx(5 / 6)
    assert single["a"].low <= single["a"].value <= single["a"].high


def test_the_interval_of_a_share_is_about_two_standard_errors_wide() -> None:
    survived = np.array([1.0] * 60 + [0.0] * 40)
    single, _ = shares({"a": Counted(survived, np.ones(100))})
    standard_error = (0.6 * 0.4 / 100) ** 0.5
    assert single["a"].low == pytest.approx(0.6 - 1.96 * standard_error, abs=0.02)
    assert single["a"].high == pytest.approx(0.6 + 1.96 * standard_error, abs=0.02)


def test_differences_are_paired() -> None:
    # b is right wherever a is, and on ten documents more: the difference hardly varies although
    # each share does.
    a = np.array([1.0] * 45 + [0.0] * 55)
    b = np.array([1.0] * 55 + [0.0] * 45)
    single, paired = shares({"a": Counted(a, np.ones(100)), "b": Counted(b, np.ones(100))})
    difference = paired["b", "a"]
    assert difference.value == pytest.approx(0.1)
    assert difference.low > 0
    assert difference.high - difference.low < single["a"].high - single["a"].low
    assert paired["a", "b"].value == pytest.approx(-0.1)


def test_it_is_seeded_and_certain_where_nothing_varies() -> None:
    methods = {"a": Counted(np.array([1.0, 0.0, 1.0]), np.ones(3))}
    assert shares(methods) == shares(methods)
    sure, _ = shares({"a": Counted(np.ones(5), np.ones(5))})
    assert (sure["a"].low, sure["a"].high) == (1.0, 1.0)


def test_documents_without_a_question_that_counts_say_nothing() -> None:
    alone = Counted(np.array([3.0, 1.0]), np.array([4.0, 2.0]))
    among = Counted(np.array([0.0, 3.0, 0.0, 1.0]), np.array([0.0, 4.0, 0.0, 2.0]))
    assert shares({"a": among}) == shares({"a": alone})
    assert differences([(among, among)])[2] == differences([(alone, alone)])[2]
    sure = Counted(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    assert shares({"a": sure})[0]["a"].low == 1.0


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"a": Counted(np.ones(2), np.ones(2)), "b": Counted(np.ones(3), np.ones(3))}, "different"),
        ({"a": Counted(np.zeros(2), np.zeros(2))}, "no question"),
        ({"a": Counted(np.zeros(0), np.zeros(0))}, "no question"),
        ({}, "different"),
    ],
)
def test_what_cannot_be_compared(methods: dict[str, Counted], said: str) -> None:
    with pytest.raises(NotComparable, match=said):
        shares(methods)
