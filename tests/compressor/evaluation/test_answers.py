import pytest

from compressor.evaluation import answers


def test_squad_normalisation() -> None:
    assert answers.squad_normalised("The  Answer, an apple!") == "answer apple"


def test_exact_match() -> None:
    assert answers.exact_match("The Beatles.", "beatles") == 1
    assert answers.exact_match("the Beatles band", "beatles") == 0


def test_contains_looks_at_the_first_line_only() -> None:
    assert answers.contains("\nIt was the Red Door.\nOr blue", "red door") == 1
    assert answers.contains("It was blue\nred door", "red door") == 0


def test_f1_by_hand() -> None:
    # predicted: red big door; gold: red door -> precision 2/3, recall 1
    assert answers.f1("the red, big door", "a red door") == pytest.approx(0.8)
    assert answers.f1("blue", "red") == 0
    assert answers.f1("", "") == 0


def test_f1_of_unspaced_scripts_counts_segments() -> None:
    assert answers.f1_unspaced("北京大学", "北京大学。") == 1
    assert 0 <= answers.f1_unspaced("上海", "北京") < 1


@pytest.mark.parametrize(
    ("prediction", "gold", "expected"),
    [
        ("7 + 5 = 12. The answer is 12", "so #### 12", 1),
        ("The answer is 12.\nQuestion: 99", "#### 12", 1),  # what comes after is not read
        ("The answer is 1,200", "#### 1200", 1),
        ("The answer is $18.00", "#### 18", 1),  # the paper's script compares the spelling
        ("12 and then 13", "#### 12", 0),
        ("no number", "#### 12", 0),
    ],
)
def test_last_number(prediction: str, gold: str, expected: float) -> None:
    assert answers.last_number(prediction, gold) == expected


@pytest.mark.parametrize(
    ("prediction", "gold", "expected"),
    [
        ("Not (A). So the answer is (B).", "(B)", 1),
        ("(A) or (B)", "(B)", 0),
        ("(B)", "(B)", 1),
        ("the answer is valid. Because (A)", "valid", 1),
        ("the answer is invalid.", "valid", 0),
        ("", "(B)", 0),
    ],
)
def test_option_or_text(prediction: str, gold: str, expected: float) -> None:
    assert answers.option_or_text(prediction, gold) == expected


def test_classification_shares_between_the_classes_named() -> None:
    classes = ["Food", "Animal", "Food group"]
    assert answers.classification("Food", "Food", classes) == 1
    assert answers.classification("Food or Animal", "Food", classes) == 0.5
    assert answers.classification("Food group", "Food group", classes) == 1  # Food is a part of it
    assert answers.classification("Animal", "Food", classes) == 0


def test_share_of_numbers() -> None:
    assert answers.share_of_numbers("Paragraph 7", "Paragraph 7") == 1
    assert answers.share_of_numbers("3 or 7", "段落7") == 0.5
    assert answers.share_of_numbers("17", "7") == 0
    assert answers.share_of_numbers("none", "7") == 0


def test_code_similarity_reads_the_first_line_of_code() -> None:
    assert answers.code_similarity("```python\n# next\nreturn x\nmore", "return x") == 1
    assert answers.code_similarity("return y", "return x") == pytest.approx(0.88)  # 2 * 7 / 16
    assert answers.code_similarity("# only", "x") == 0


def test_percent_similarity() -> None:
    assert answers.percent_similarity("60%", "60%") == 1
    assert answers.percent_similarity("About 70 %", "60%") == pytest.approx(0.5)
    assert answers.percent_similarity("most", "60%") == 0


def test_concordance() -> None:
    assert answers.concordance("1, 2, 3", "1, 2, 3") == 1
    assert answers.concordance("1, 3, 2", "1, 2, 3") == pytest.approx(2 / 3)
    assert answers.concordance("1, 2", "1, 2, 3") == 0
