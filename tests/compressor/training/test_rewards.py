import pytest

from compressor.evaluation.datasets import DatasetError, Question
from compressor.training.rewards import answer_survival, named_reward

ASKED = (Question("1", "Which river?", ("the Tiber", "Tiber")), Question("2", "Where?", ("Rome",)))


def test_the_reward_is_the_share_of_questions_that_can_still_be_answered() -> None:
    source = "The Tiber flows through Rome."
    assert answer_survival(source, "Tiber flows", ASKED) == 0.5
    assert answer_survival(source, source, ASKED) == 1
    assert answer_survival("Bread.", "Bread.", ASKED) == 0


def test_a_reward_of_ones_own_is_found_by_name() -> None:
    assert named_reward("survival") is answer_survival
    assert named_reward("compressor.training.rewards:answer_survival") is answer_survival


@pytest.mark.parametrize("name", ["other", "no.such.module:f", "json:nothing", "json:decoder"])
def test_a_name_without_a_function_is_refused(name: str) -> None:
    with pytest.raises(DatasetError, match=f"reward '{name}'"):
        named_reward(name)
