import pytest

from compressor.training.teacher import Rates, cleaned, fault_of, foreign_words, instruction
from tests.compressor.training.scripted_teacher import text_of

TEXT = "The council met on Monday to discuss the new budget, and nobody had read it before."


def test_a_prompt_has_the_text_and_how_much_is_to_stay() -> None:
    light = instruction(TEXT, "light", Rates(0.6, 0.3))
    assert text_of(light) == TEXT
    assert "about 60 of every 100 words" in light
    heavy = instruction(TEXT, "heavy", Rates(0.6, 0.3))
    assert "about 50 of every 100 of its words" in heavy  # of the light text
    single = instruction(TEXT, "shortened", Rates())
    assert "of every 100" not in single
    assert "tried before" not in light + heavy + single


def test_a_second_prompt_says_what_was_wrong() -> None:
    again = instruction(TEXT, "light", Rates(), fault="nothing was left.")
    assert "nothing was left." in again
    assert text_of(again) == TEXT


@pytest.mark.parametrize(
    "reply",
    [
        "council met Monday",
        "  council met Monday\n",
        "```\ncouncil met Monday\n```",
        "```text\ncouncil met Monday\n```",
        "<text>\ncouncil met Monday\n</text>",
        "<text>council met Monday",
        "<think>\nThe council stays.\n</think>\n\ncouncil met Monday",
    ],
)
def test_what_models_put_around_an_answer(reply: str) -> None:
    assert cleaned(reply) == "council met Monday"


def test_fences_inside_an_answer_stay() -> None:
    assert cleaned("Run:\n```\nmake\n```") == "Run:\n```\nmake\n```"


@pytest.mark.parametrize(
    ("shortened", "fault"),
    [
        ("council met Monday discuss new budget, nobody had read before.", None),
        ("Council met monday discuss new budgets", None),  # case and form are tolerated
        ("", "nothing was left."),
        (TEXT, "nothing was crossed out."),
        ("The board convened", "these words do not stand in the text: 'board', 'convened'."),
        ("nobody read budget new Monday council", "words stand in another order than in the text."),
    ],
)
def test_what_is_no_crossing_out(shortened: str, fault: str | None) -> None:
    assert fault_of(TEXT, shortened) == fault


def test_foreign_words_are_named_once() -> None:
    assert foreign_words(TEXT, "THE board met, the board spoke") == ["board", "spoke"]
