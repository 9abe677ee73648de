import pytest

from compressor.evaluation import metrics
from compressor.evaluation.datasets import DatasetError, Question
from compressor.training.rewards import answer_survival, named_reward

ASKED = (Question("1", "Which river?", ("the Tiber", "Tiber")), Question("2", "Where?", ("Rome",)))


def test_the_reward_is_the_share_of_questions_that_can_still_be_answered() -> None:
    source = "The Tiber flows through Rome."
    assert answer_survival(source, "Tiber flows", ASKED) == 0.5
    assert answer_survival(source, source, ASKED) == 1
    assert answer_survival("Bread.", "Bread.", ASKED) == 0


def test_what_depends_on_the_source_is_computed_once_for_all_its_choices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    normalised = metrics.normalised

    def counted(text: str) -> str:
        read.append(text)
        return normalised(text)

    monkeypatch.setattr(metrics, "normalised", counted)
    source = "The Tiber flows through Rome, once a text."
    choices = ["Tiber flows", "flows through Rome", "flows"]
    assert [answer_survival(source, choice, ASKED) for choice in choices] == [0.5, 0.5, 0]
    assert read.count(source) == 1
    assert read.count("Rome") == 1
    assert [text for text in read if text in choices] == choices


def test_other_questions_about_the_same_source_have_answers_of_their_own() -> None:
    source = "The Tiber flows through Rome."
    assert answer_survival(source, "Tiber", ASKED[:1]) == 1
    assert answer_survival(source, "Tiber", ASKED[1:]) == 0


def test_a_reward_of_ones_own_is_found_by_name() -> None:
    assert named_reward("survival") is answer_survival
    assert named_reward("compressor.training.rewards:answer_survival") is answer_survival


@pytest.mark.parametrize("name", ["other", "no.such.module:f", "json:nothing", "json:decoder"])
def test_a_name_without_a_function_is_refused(name: str) -> None:
    with pytest.raises(DatasetError, match=f"reward '{name}'"):
        named_reward(name)
