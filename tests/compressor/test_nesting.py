"""Items of lists do not come out under another item or heading than they stood under."""

import re

import numpy as np
import pytest

from compressor.extract import extract
from compressor.structure import read_structure
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")

LISTS = {
    "nested": """Here is what the four of us agreed on last week in the kitchen:

- Leave the heavy things at home
    - glass bottles and whatever may break on the way
    - the large tent from the cellar of the old house
- Put these other things into our car
    - the small stove and two of the gas cartridges
    - a warm coat for each of the children
""",
    "lines with a colon": """We went through it on Monday with the whole team of the factory.

Things in favour:
- it costs little to run over a whole year of work
- people learn it within a few days

Things against:
1. it makes noise that is heard in the next room
2. its spare parts have to come from Italy by ship
""",
    "headings": """# What is new in the second release of this tool

## Added

- it costs little to run over a whole year of work
- people learn it within a few days

## Removed

- it makes noise that is heard in the next room
- its spare parts have to come from Italy by ship
""",
    "Roman numbers": """    I. Leave the heavy things at home
        i) glass bottles and whatever may break on the way
        ii) the large tent from the cellar of the old house
    II. Put these other things into our car
        i) the small stove and two of the gas cartridges
        ii) a warm coat for each of the children
""",
}
# An item's word, and the line that it stands under.
ABOVE = {
    "nested": {
        "glass": "- Leave the heavy things at home",
        "tent": "- Leave the heavy things at home",
        "stove": "- Put these other things into our car",
        "coat": "- Put these other things into our car",
    },
    "lines with a colon": {
        "costs": "Things in favour:",
        "learn": "Things in favour:",
        "noise": "Things against:",
        "parts": "Things against:",
    },
    "headings": {
        "costs": "## Added",
        "learn": "## Added",
        "noise": "## Removed",
        "parts": "## Removed",
    },
    "Roman numbers": {
        "glass": "I. Leave the heavy things at home",
        "tent": "I. Leave the heavy things at home",
        "stove": "II. Put these other things into our car",
        "coat": "II. Put these other things into our car",
    },
}
HEAD = {
    "nested": re.compile(r"(?m)^- .*"),
    "lines with a colon": re.compile(r"(?m)^[A-Z].*"),
    "headings": re.compile(r"(?m)^##? .*"),
    "Roman numbers": re.compile(r"(?m)^ *I+\. .*"),
}


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize("name", sorted(LISTS))
def test_an_item_stays_under_its_own_heading(name: str) -> None:
    tried = 0
    for rate in (0.5, 0.33):
        for seed in range(40):
            shorter = shorten(LISTS[name], rate, seed)
            for word, above in ABOVE[name].items():
                at = shorter.find(word)
                if at >= 0:
                    tried += 1
                    head = ["", *HEAD[name].findall(shorter[:at])][-1]
                    assert set(re.findall(r"\w+", head)) <= set(re.findall(r"\w+", above)), shorter
                    assert re.search(r"\w", head), shorter
    assert tried > 20


@pytest.mark.parametrize(
    "text",
    [
        "- the first of them\n- the second of them\n",
        "A line of prose.\n- an item\n\nAnother line.\n  - an item that is set in\n",
        "We said: it is late.\n- an item\n",
    ],
)
def test_what_stands_under_nothing(text: str) -> None:
    assert not len(read_structure(text, split_words(text)).nested)


def test_what_stands_under_what() -> None:
    text = "Buy:\n\n- bread for us\n  - brown\n\t- fresh\n- milk\n\nThe end.\n- more\n"
    words = split_words(text)
    found = [
        (text[words[a].start : words[b - 1].end], text[words[c].start : words[d - 1].end])
        for a, b, c, d in read_structure(text, words).nested.tolist()
    ]
    assert found == [
        ("Buy:", "- bread for us"),
        ("- bread for us", "- brown"),
        ("- brown", "- fresh"),
        ("Buy:", "- milk"),
    ]
