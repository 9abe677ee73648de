import pytest

from compressor.evaluation.ask import AskFailed, Prompt, Reply
from compressor.training.label import LabelSettings, Teacher
from compressor.training.label_cost import Estimate, estimate
from tests.compressor.training.test_label import PASSAGE, TEXT, Scripted, Words

WORDS = Words().count(TEXT)


class OnDisk(Scripted):
    """Has the answers to the first prompts that it is asked, as many as `known`."""

    def __init__(self, known: int) -> None:
        super().__init__()
        self.known = known

    async def __call__(self, prompt: Prompt) -> Reply:
        if prompt not in self.asked and len(self.asked) >= self.known:
            raise AskFailed("not asked yet", retry=False)
        return await super().__call__(prompt)


async def estimated(settings: LabelSettings, known: int = 0) -> Estimate:
    return await estimate([PASSAGE, PASSAGE], settings, Words(), OnDisk(known))


def around(settings: LabelSettings, grade: str) -> int:
    prompt: Prompt = Teacher(Scripted(), Words(), settings).prompt(TEXT, grade)
    return Words().count(prompt.text) - WORDS


async def test_two_grades_are_two_requests() -> None:
    settings = LabelSettings("m")
    found = await estimated(settings)
    light = int(0.6 * WORDS)
    assert found.requests == 4
    assert found.prompt_tokens == 2 * (2 * around(settings, "light") + WORDS + light)
    assert found.completion_tokens == 2 * (light + int(0.3 * WORDS))


async def test_one_grade_is_one() -> None:
    settings = LabelSettings("m", two_grades=False)
    found = await estimated(settings)
    assert found.requests == 2
    assert found.prompt_tokens == 2 * (around(settings, "shortened") + WORDS)


async def test_what_is_on_disk_costs_nothing() -> None:
    assert await estimated(LabelSettings("m"), known=4) == Estimate(0, 0, 0)


async def test_a_heavy_grade_that_is_not_on_disk_is_asked_for() -> None:
    settings = LabelSettings("m")
    found = await estimated(settings, known=1)
    light = int(0.6 * WORDS)
    assert found.requests == 2
    assert found.prompt_tokens == 2 * (around(settings, "light") + light)
    assert found.completion_tokens == 2 * int(0.3 * WORDS)


def test_dollars() -> None:
    assert Estimate(1, 2_000_000, 500_000).dollars(1, 4) == pytest.approx(4)
