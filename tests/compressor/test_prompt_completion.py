"""What a message leaves to be completed is kept, and the examples before that are not."""

import pytest

from tests.compressor.test_question import marked

EXAMPLES = [
    ("What is the capital of the country whose flag shows a cedar?", "Beirut"),
    ("Which metal is liquid at room temperature?", "Mercury"),
    ("Which river flows through the city of Cologne?", "The Rhine does, on its way to the sea"),
    ("In which year did a human being first walk on the moon?", "1969"),
]
ASKED = "Which sea lies between Italy and the Balkans?"


@pytest.mark.parametrize("between", ["\n", "\n\n"])
@pytest.mark.parametrize(
    ("asks", "says"), [("Question", "Answer"), ("Query", "Response"), ("Input", "Output")]
)
def test_the_answers_of_examples_are_left_to_the_budget(asks: str, says: str, between: str) -> None:
    told = "Answer each trivia question with one word."
    shown = [f"{asks}: {question}\n{says}: {answer}" for question, answer in EXAMPLES]
    text = between.join([told, *shown, f"{asks}: {ASKED}\n{says}:"])
    kept = "\n".join(marked(text))
    assert told in kept
    assert ASKED in kept
    assert [answer for _, answer in EXAMPLES[:-1] if answer in kept] == []


def test_a_section_that_comes_once_is_no_example() -> None:
    text = f"Question: {ASKED}\n\nAnswer: one word, in capitals.\n\nRules: no guesses."
    assert "Answer: one word, in capitals." in marked(text)
