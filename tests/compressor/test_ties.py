"""What is in brackets behind a word: a number alone stays and goes with it."""

import numpy as np
import pytest

from compressor.extract import extract
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")

NUMBERED = {
    "shares": (
        "The share is large in Maldah (51.27%) and in Dinajpur (49.92 %), while it is said to be "
        "much smaller in Birbhum (37.06%) and in the old part of Howrah (26.2%) by the river.",
        {
            "Maldah": "Maldah (51.27%)",
            "Dinajpur": "Dinajpur (49.92 %)",
            "Birbhum": "Birbhum (37.06%)",
            "Howrah": "Howrah (26.2%)",
        },
    ),
    "measures": (
        "On the next day the haemoglobin (9.8 g/dL) and the ferritin (8 µg/L) were rather low, and "
        "the creatinine (142 µmol/L, 1.6 mg/dL) was somewhat raised when it was measured again.",
        {
            "haemoglobin": "haemoglobin (9.8 g/dL)",
            "ferritin": "ferritin (8 µg/L)",
            "creatinine": "creatinine (142 µmol/L, 1.6 mg/dL)",
        },
    ),
    "German": (
        "Gewählt wurden im ersten Durchgang Frau Brandt (34 Stimmen) und Herr Vogel (31), während "
        "Herr Lindner (12) und die anderen Leute von der Liste nicht mehr in Frage kamen.",
        {"Vogel": "Vogel (31)", "Lindner": "Lindner (12)"},
    ),
    "Japanese": (
        "昨年の調査では大阪（51.2％）と京都（48.7％）の割合が高く、奈良（21.3％）の割合は低かった。",
        {"大阪": "大阪（51.2％）", "京都": "京都（48.7％）", "奈良": "奈良（21.3％）"},
    ),
}


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize("name", sorted(NUMBERED))
def test_a_number_in_brackets_stays_and_goes_with_its_name(name: str) -> None:
    text, wanted = NUMBERED[name]
    tried = 0
    for rate in (0.6, 0.33):
        for seed in range(25):
            shorter = shorten(text, rate, seed)
            for word, whole in wanted.items():
                tried += word in shorter
                assert (word in shorter) == (whole in shorter), shorter
    assert tried > 20


def test_numbers_alone_in_brackets_are_not_left_without_them() -> None:
    text = (
        "The profit before tax dropped to £412m (2024: £607m) in that year, and the dividend of "
        "the group rose from 11p to 12.5p (2024: 11p, 2023: 10p) as its owners had hoped."
    )
    for seed in range(40):
        shorter = shorten(text, 0.5, seed)
        for whole, part in (("(2024: £607m)", "607"), ("(2024: 11p, 2023: 10p)", "10p")):
            assert (part in shorter) == (whole in shorter), shorter


@pytest.mark.parametrize("rule", ["* * *", "* * * * *", "- - -", "~ ~ ~", "· · ·"])
def test_the_marks_between_two_scenes_stay_or_go_together(rule: str) -> None:
    text = (
        "The old harbour was quiet at last, and nobody spoke of the letter on the way home.\n\n"
        f"{rule}\n\n"
        "On the next morning the boats went out early, and the woman at the window saw them go.\n\n"
        f"  {rule}\n\n"
        "Nothing was heard of the men for a week, and then they came back with the tide.\n"
    )
    whole = 0
    for rate in (0.9, 0.6, 0.3):
        for seed in range(10):
            lines = [line.strip() for line in shorten(text, rate, seed).splitlines()]
            bare = [line for line in lines if line and not any(map(str.isalnum, line))]
            assert set(bare) <= {rule}, lines
            whole += len(bare)
    assert whole


def test_an_item_whose_first_line_is_all_marks_keeps_its_bullet_with_its_text() -> None:
    text = (
        "How changes can be made depends on when they are needed and on who is travelling:\n\n"
        "- **[!]**\n  [Changes made at the airport or the train station](#at-the-station)\n\n"
        "- [Changes made before going there, but after the ticket was bought](#before)\n"
    )
    for rate in (0.75, 0.5, 0.3):
        for seed in range(12):
            lines = [line.strip() for line in shorten(text, rate, seed).splitlines()]
            assert not {"-", "- **", "-**"} & set(lines), lines
