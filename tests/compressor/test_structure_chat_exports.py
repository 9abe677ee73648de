"""Chats as they are exported, key-value lines and short answers: who said what stays told."""

import numpy as np
import pytest

from compressor.extract import extract
from compressor.structure import read_structure
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
SAID = (
    "the caterer sends the bill next week and the band is booked for the evening",
    "then we should ask the neighbours about the tables and chairs for the guests",
    "good and the old barn has enough room for all of them even when it rains",
)
STAMPS = (
    "[14.10.25, 21:03:11] Lena Hoffmann: ",
    "14/10/2025, 21:07 - Tom: ",
    "10/14/25, 9:03 PM - Tom: ",
    "14-10-2025 21:07 - Tom: ",
    "[10:02 AM] Tom: ",
    "(21:03) Lena Hoffmann: ",
    ":param timeout: ",
    ":returns: ",
)


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("rate", [0.6, 0.4])
def test_a_kept_message_has_its_stamp_and_speaker_whole(stamp: str, rate: float) -> None:
    text = "\n".join(stamp + said for said in SAID)
    lines = [line for seed in range(10) for line in shorten(text, rate, seed).split("\n")]
    assert lines
    assert all(line.startswith(stamp) for line in lines)
    assert all(len(line) > len(stamp) for line in lines)


@pytest.mark.parametrize("stamp", ["", "[14:02] "])
def test_what_somebody_does_in_a_chat_keeps_who_does_it(stamp: str) -> None:
    kinds = ("<kira> ", "* kira ", "<mx> ", "* mx ")
    text = "\n".join(f"{stamp}{kind}{said}" for said in SAID for kind in kinds)
    starts = tuple(stamp + kind for kind in kinds)
    shorter = [shorten(text, rate, seed) for rate in (0.6, 0.3) for seed in range(10)]
    assert any(f"{stamp}* mx " in one for one in shorter)
    assert all(line.startswith(starts) for one in shorter for line in one.split("\n"))


@pytest.mark.parametrize("head", ["> Does it stand the rain?", "- Old boats and ropes"])
def test_a_line_below_a_quote_or_a_short_item_does_not_take_its_mark(head: str) -> None:
    answer = "The plug of the boat lies open there and all of the water comes in over night"
    text = f"{head}\n{answer}\n\n{head}\n{answer}\n"
    for seed in range(30):
        for line in shorten(text, 0.4, seed).split("\n"):
            if line[:2] == head[:2]:
                assert set(line[2:].strip(" ?").split()) <= set(head[2:].strip("?").split())


def test_a_chat_of_short_lines_is_no_markup() -> None:
    text = "\n".join(f"<{nick}> {said[:50]}" for said in SAID for nick in ("kira", "mx"))
    assert len(shorten(text, 0.5, 1)) < 0.7 * len(text)


def test_the_stamp_of_a_message_that_is_gone_goes_too() -> None:
    text = "\n".join(f"[1{n}.10.25, 21:03:11] Lena: {SAID[n % 3]}" for n in range(9))
    assert len(shorten(text, 0.3, 1).split("\n")) < 9


def test_no_later_line_goes_on_behind_a_key_of_a_column() -> None:
    text = (
        "Tests:       one failed and twelve passed in all\nTime:        seven seconds or so\n"
        "The branch is ahead of the other one by a few commits and nobody has pushed them yet.\n"
        "Changes that are staged will be shown in the list below as soon as there are any.\n"
    )
    for seed in range(60):
        for line in shorten(text, 0.4, seed).split("\n"):
            if line.startswith("Time:"):
                assert set(line.split()[1:]) <= {"seven", "seconds", "or", "so"}


def test_a_screenplay_says_who_speaks() -> None:
    speeches = {
        "JONAS": "You never ate the soup",
        "MARTA": "Nobody is hungry in this old house",
        "DR. PEREZ (V.O.)": "She has waited since our war ended",
    }
    text = "\n\n".join(f"{' ' * 20}{name}\n{' ' * 10}{said}." for name, said in speeches.items())
    for seed in range(20):
        shorter = shorten(text, 0.6, seed).split()
        for name, said in speeches.items():
            assert name.split()[-1] in shorter or not {*said.split()} & {*shorter}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("No. We never got the database.", 2),
        ("Nein. No. Yes.", 3),
        ("See no. 5 of the list.", 1),
        ("See art. 7 and fig. 3 of it.", 1),
        ("That is art. We like it.", 2),
    ],
)
def test_an_answer_of_one_word_is_a_sentence(text: str, sentences: int) -> None:
    assert len(set(read_structure(text, split_words(text)).sentence.tolist())) == sentences


@pytest.mark.parametrize(
    "link",
    [
        "<a.lind@example.org>",
        "<https://example.org/a?b=1>",
        "<https://example.org/a|dashboard of all>",
        "<mailto:a.lind@example.org|a.lind@example.org>",
        "<@U02ABC123>",
        "<#C01XYZ9|ops>",
        "<!subteam^S012ABC>",
    ],
)
def test_an_address_keeps_its_angle_brackets(link: str) -> None:
    text = f"The bill was sent to Anna Lind {link} on a rainy day and nobody has read it since."
    for seed in range(10):
        assert link in shorten(text, 0.6, seed)
