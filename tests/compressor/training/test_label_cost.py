import pytest

from compressor.evaluation.ask import Prompt
from compressor.training.label import LabelSettings, Teacher
from compressor.training.label_cost import Estimate, estimate
from tests.compressor.training.test_label import PASSAGE, TEXT, Scripted, Words

WORDS = Words().count(TEXT)


def estimated(settings: LabelSettings, known: bool = False) -> Estimate:
    teacher = Teacher(Scripted(), Words(), settings)
    return estimate([PASSAGE, PASSAGE], teacher, settings, Words(), lambda prompt: known)


def around(settings: LabelSettings, grade: str) -> int:
    prompt: Prompt = Teacher(Scripted(), Words(), settings).prompt(TEXT, grade)
    return Words().count(prompt.text) - WORDS


def test_two_grades_are_two_requests() -> None:
    settings = LabelSettings("m")
    found = estimated(settings)
    light = int(0.6 * WORDS)
    assert found.requests == 4
    assert found.prompt_tokens == 2 * (2 * around(settings, "light") + WORDS + light)
    assert found.completion_tokens == 2 * (light + int(0.3 * WORDS))


def test_one_grade_is_one() -> None:
    settings = LabelSettings("m", two_grades=False)
    found = estimated(settings)
    assert found.requests == 2
    assert found.prompt_tokens == 2 * (around(settings, "shortened") + WORDS)


def test_what_is_on_disk_costs_nothing() -> None:
    assert estimated(LabelSettings("m"), known=True) == Estimate(0, 0, 0)


def test_dollars() -> None:
    assert Estimate(1, 2_000_000, 500_000).dollars(1, 4) == pytest.approx(4)
