from collections.abc import Callable
from dataclasses import replace

import pytest

from compressor.evaluation.ask import AskFailed, AskRefused, Prompt, Reply
from compressor.training.label import Labelled, LabelSettings, Teacher, label_all
from compressor.training.passage import SourcePassage
from compressor.training.teacher import Rates
from tests.compressor.training.scripted_teacher import cross_out, text_of

TEXT = "The council met on Monday to discuss the new budget, and nobody had read it before."
PASSAGE = SourcePassage("1", "s", "d", "en", "CC0", TEXT)


class Words:
    """Counts words as tokens."""

    encoding = "words"
    estimated = False

    def count(self, text: str) -> int:
        return len(text.split())

    def starts(self, text: str) -> list[int]:
        raise NotImplementedError


class Scripted:
    """Answers by a function; keeps what it was asked."""

    def __init__(self, reply: Callable[[str], str] = cross_out) -> None:
        self.reply = reply
        self.asked: list[Prompt] = []

    async def __call__(self, prompt: Prompt) -> Reply:
        self.asked.append(prompt)
        return Reply(self.reply(prompt.text), 1, 1)


def teacher(ask: Scripted, **settings: object) -> Teacher:
    return Teacher(ask, Words(), LabelSettings("m", **settings))  # type: ignore[arg-type]


async def test_two_grades_the_heavy_one_of_the_light_one() -> None:
    ask = Scripted()
    labelled = await teacher(ask).label(PASSAGE)
    assert labelled.flags == ()
    assert labelled.passage is not None
    light = "council met Monday discuss new budget, nobody read before."
    assert labelled.passage.shortened == {
        "light": light,
        "heavy": "council Monday new nobody before.",
    }
    assert [text_of(prompt.text) for prompt in ask.asked] == [TEXT, light]
    assert labelled.as_dict() == {**PASSAGE.as_dict(), **labelled.passage.shortened}


async def test_one_grade() -> None:
    ask = Scripted()
    labelled = await teacher(ask, two_grades=False).label(PASSAGE)
    assert labelled.passage is not None
    assert set(labelled.passage.shortened) == {"shortened"}
    assert len(ask.asked) == 1


async def test_an_answer_that_is_no_crossing_out_is_asked_for_once_more() -> None:
    def reply(prompt: str) -> str:
        return cross_out(prompt) if "tried before" in prompt else "The board convened quickly"

    ask = Scripted(reply)
    labelled = await teacher(ask).label(PASSAGE)
    assert labelled.flags == ()
    assert len(ask.asked) == 4
    assert "'board', 'convened', 'quickly'" in ask.asked[1].text


async def test_one_that_still_is_not_is_flagged() -> None:
    ask = Scripted(lambda prompt: "The board convened quickly")
    labelled = await teacher(ask, two_grades=False).label(PASSAGE)
    assert len(ask.asked) == 2
    assert labelled.as_dict()["flags"] == [
        "shortened: these words do not stand in the text: 'board', 'convened', 'quickly'."
    ]
    assert labelled.as_dict()["shortened"] == "The board convened quickly"


async def test_a_long_passage_is_shortened_in_chunks_of_sentences() -> None:
    text = "The first sentence is here. The second one stands there.\n\nThe third one is a new one."
    ask = Scripted()
    labelled = await teacher(ask, two_grades=False, most_words=10).label(
        SourcePassage("1", "s", "d", "", "", text)
    )
    assert [text_of(prompt.text) for prompt in ask.asked] == [
        "The first sentence is here. The second one stands there.",
        "The third one is a new one.",
    ]
    assert labelled.passage is not None
    assert labelled.passage.shortened["shortened"] == (
        "first sentence here. second one stands there.\n\nthird one new one."
    )


async def test_room_for_an_answer() -> None:
    short, reasoning = teacher(Scripted()), teacher(Scripted(), reasoning=True)
    assert short.prompt("a " * 100, "light").max_tokens == 200
    assert short.prompt("a", "light").max_tokens == 64
    assert reasoning.prompt("a", "light").max_tokens == 8064


@pytest.mark.parametrize("counted", [True, False])
async def test_an_answer_that_broke_off_is_asked_for_once_more_and_flagged(counted: bool) -> None:
    class Cut(Scripted):
        async def __call__(self, prompt: Prompt) -> Reply:
            reply = await super().__call__(prompt)
            return Reply(reply.text, 1, prompt.max_tokens) if counted else replace(reply, cut=True)

    ask = Cut()
    labelled = await teacher(ask, two_grades=False).label(PASSAGE)
    assert labelled.flags == ("shortened: the answer was too long and broke off.",)
    assert len(ask.asked) == 2


async def test_a_passage_without_an_answer_has_no_line_and_does_not_stop_the_others() -> None:
    class Failing(Scripted):
        async def __call__(self, prompt: Prompt) -> Reply:
            if "second" in prompt.text:
                raise AskFailed("busy", retry=True)
            return await super().__call__(prompt)

    other = SourcePassage("2", "s", "d", "en", "CC0", "The second text is here.")
    steps: list[None] = []
    found = await label_all([other, PASSAGE], teacher(Failing()), lambda: steps.append(None))
    assert found[0] == Labelled(None, unanswered="busy")
    assert found[1].passage is not None
    assert len(steps) == 2
    with pytest.raises(ValueError, match="has no line"):
        found[0].as_dict()


async def test_a_refusal_ends_it() -> None:
    def refuse(prompt: str) -> str:
        raise AskRefused("wrong key")

    with pytest.raises(AskRefused, match="wrong key"):
        await label_all([PASSAGE, PASSAGE], teacher(Scripted(refuse)))


def test_rates_are_of_the_text_that_is_shown() -> None:
    assert Rates(0.6, 0.3).percent("light") == 60
    assert Rates(0.6, 0.3).percent("heavy") == 50
