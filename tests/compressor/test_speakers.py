"""Chats whose speakers stand above what they say: kept turns keep them, and gone turns do not."""

import re

import numpy as np
import pytest

from compressor.extract import extract
from compressor.speakers import speaker_lines, turns_within
from compressor.tokens import load_counter
from compressor.types import Kind, ProtectedSpan, Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
SAID = (
    "the caterer sends the bill next week and the band is booked for the evening",
    "then we should ask the neighbours about the tables and chairs for the guests",
    "good and the old barn has enough room for all of them even when it rains",
    "we could also borrow benches from the fire brigade for a small fee",
)
NAMES = ("Lena Hoffmann", "Tom", "Lena Hoffmann", "Tom")
STYLES = {
    "Slack": "{name}  10:0{n} AM",
    "Slack, copied": "{name}\n  10:0{n} AM",
    "Teams": "[10:0{n} AM] {name}",
    "Teams, with a day": "{name}, 14/10/2025 10:0{n}",
    "Teams, by surname": "[Yesterday 10:0{n}] {name}, Anna",
    "Discord": "{name} — Today at 10:0{n} PM",
    "Discord, exported": "[14-Oct-25 10:0{n} PM] {name}",
    "Telegram": "{name}, [14.10.25 21:0{n}]",
    "Zoom": "10:02:1{n} From {name} to Everyone:",
    "a transcript": "{name}   0:1{n}",
    "one space": "{name} 10:0{n}",
    "names alone": "{name}",
    "headings": "## {name}",
    "bold": "**{name}:**",
}


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


def chat(style: str, between: str = "\n\n") -> tuple[str, list[str]]:
    heads = [STYLES[style].format(name=name, n=n) for n, name in enumerate(NAMES)]
    turns = (f"{head}\n{said}" for head, said in zip(heads, SAID, strict=True))
    return between.join(turns), heads


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("rate", [0.7, 0.5, 0.4])
def test_what_is_kept_of_a_message_has_its_speaker_whole(style: str, rate: float) -> None:
    text, heads = chat(style)
    for seed in range(6):
        kept = [turn for turn in shorten(text, rate, seed).split("\n\n") if turn.strip()]
        assert kept
        for turn in kept:
            head = next(head for head in heads if turn.startswith(head + "\n"))
            said = turn[len(head) + 1 :].split()
            assert said
            assert any(set(said) <= set(whole.split()) for whole in SAID)


def test_a_speaker_stays_over_several_paragraphs() -> None:
    text = (
        f"Lena Hoffmann  10:02 AM\n{SAID[0]}\n\n{SAID[1]}\n\nTom  10:05 AM\n{SAID[2]}\n\n{SAID[3]}"
    )
    for seed in range(8):
        kept = shorten(text, 0.4, seed)
        before, _, after = kept.partition("Tom  10:05 AM")
        if before.strip():
            assert before.startswith("Lena Hoffmann  10:02 AM\n")
        assert not set(after.split()) & {"caterer", "neighbours"}


@pytest.mark.parametrize("rate", [0.6, 0.5, 0.4, 0.3])
def test_what_a_number_is_of_does_not_stay_without_its_speaker(rate: float) -> None:
    text = (
        "[14/10/2025 21:03] lea_m\non part à 6 h samedi et le train attend à la gare du nord\n\n"
        "[14/10/2025 21:05] Maxime\nj'ai 4 places en voiture 12, il manque encore 36,50 € de Hugo"
    )
    for seed in range(30):
        for turn in shorten(text, rate, seed).split("\n\n"):
            assert turn.startswith("[14/10/2025") or not turn.strip()


def test_who_speaks_once_among_others_marked_alike_is_a_speaker() -> None:
    names = ("Lena", "Tom", "Ana", "Lena", "Tom")
    text = "\n\n".join(f"**{name}**\n{SAID[n % 4]}" for n, name in enumerate(names))
    assert [text[start:end] for start, end in speaker_lines(text)] == [f"**{n}**" for n in names]


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, 13 Oct 2025 at 17:40, Priya Nair wrote:",
        "Am 13.10.2025 um 17:40 schrieb Lena Hoffmann:",
        "Le lun. 13 oct. 2025 à 17:40, Anne Martin\n<anne@example.fr> a écrit :",
        "> On 10 Oct 2025, at 08:01, Anders Holm <anders@example.se> wrote:",
    ],
)
def test_who_wrote_what_an_email_quotes_stays_told(line: str) -> None:
    text = f"We cannot take it before the spring.\n\n{line}\n> {SAID[0]}\n> {SAID[1]}\n"
    assert [text[start:end] for start, end in speaker_lines(text)] == [line]
    for seed in range(6):
        assert line in shorten(text, 0.75, seed)


@pytest.mark.parametrize("day", ["14.10.25", "14/10/2025"])
def test_a_day_in_a_stamp_goes_with_the_message(day: str) -> None:
    text = "\n\n".join(f"Lena Hoffmann, {day} 21:0{n}\n{SAID[n % 4]}" for n in range(9))
    assert shorten(text, 0.3, 1).count("Lena") < 9


@pytest.mark.parametrize(
    "text",
    [
        "The ship left the harbour in the early morning and it was expected at\n10:30 by all",
        "Paris 10:02\nLyon 11:15\nMarseille 12:40",
        "Confidential\nThe committee met in May.\n\nConfidential\nIt met again in June.",
        "Yes\n\nNo\n\nYes\n\nNo",
        "This is what he wrote:\nnobody came.",
        "we left at 10:30 and\nnobody was there",
    ],
)
def test_prose_and_lists_have_no_speakers(text: str) -> None:
    assert speaker_lines(text) == []


@pytest.mark.parametrize("speaker", ["<XinZhao>", "<tgm4883>", "XinZhao:", "tgm4883:"])
def test_a_handle_on_the_line_of_a_message_goes_with_it(speaker: str) -> None:
    said = (
        "hello there my friends, is anybody up at this time of the night",
        "you can do a clean install of it if you want to have it all removed",
        "my tip was really interesting to them and so it goes on",
        "the installer cannot find the disk because of the mode of the controller",
    )
    lines = [f"[01:4{n}] {speaker} {said[n % 4]}" for n in range(8)]
    for seed in range(20):
        for line in shorten("\n".join(lines), 0.3, seed).splitlines():
            stamp, _, rest = line.partition(" ")
            assert re.fullmatch(r"\[01:4\d\]", stamp)
            assert rest.startswith(f"{speaker} ")


def test_what_stands_behind_a_list_is_no_part_of_its_last_item() -> None:
    notes = "- The heap grows much faster than before.\n- The old one has a clear spike."
    after = "This run shows a somewhat extreme case, where a steady state is never reached at all."
    one = "- This is essentially the same as in the case of the space of a stack."
    text = "\n\n".join(f"Notes:\n{notes}\n\n{after}\n\nPlots:\n{one}\n\n{after}" for _ in range(3))
    words = split_words(text)
    free = Settings(rate=0.4, protect=frozenset())
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        lines = extract(text, words, noise, free, COUNTER).text.splitlines()
        assert not [line for line in lines if line.strip() == "-"]


def test_a_bullet_below_a_speaker_that_has_to_stay_goes_with_its_item() -> None:
    text = "Notes:\n- The old one has a clear spike.\n\nPlots:\n- A steady state is seen there.\n\n"
    text *= 4
    words = split_words(text)
    names = [
        ProtectedSpan(m.start(), m.end(), Kind.FORCED)
        for m in re.finditer("(?:Notes|Plots):", text)
    ]
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.5), COUNTER, protected=names).text
        assert not [line for line in shorter.splitlines() if line.strip() == "-"]


_TURNS = (
    ("Anna", "as all of us know the calculator has still been missing since last Friday"),
    ("Speaker 2", "many shops have asked after it in the meantime and they will ask again"),
    ("Anna", "it may be ready by the end of this month when nobody falls ill"),
    ("Carla Diaz", "both invoices from September remain open and I want to close them soon"),
)


@pytest.mark.parametrize("rate", [0.7, 0.4, 0.2])
def test_who_speaks_inside_a_line_stays_with_what_is_said(rate: float) -> None:
    text = " ".join(f"{name}: {said[0].upper()}{said[1:]}." for name, said in _TURNS)
    words = split_words(text)
    for seed in range(20):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=rate), COUNTER).text
        turns = re.split(r"(?:^|(?<=\.) )(Anna|Speaker 2|Carla Diaz):", shorter)
        assert not turns[0], shorter  # nothing is said by nobody
        for name, kept in zip(turns[1::2], turns[2::2], strict=True):
            assert any(
                name == of and set(re.findall(r"\w+", kept.lower())) <= set(said.lower().split())
                for of, said in _TURNS
            ), shorter


def test_prose_with_colons_has_no_turns() -> None:
    text = "The result was clear. There was one rule: nobody leaves. See also: Chapter 2: Bees."
    assert turns_within(text) == []
