"""What a line begins with to say what it is: whole with any word of the line, and gone with it."""

import numpy as np
import pytest

from compressor.extract import extract
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
LABELS = (
    "* TODO [#A] ",
    "** DONE ",
    "- [-] ",
    ".. _the rules: ",
    ".. [CIT2] ",
    ".. note:: ",
    ".. versionadded:: ",
    ".. py:function:: ",
    "[^two words]: ",
    "<v Dr. Osei>",
    "\\item ",
    "[2] ",
    "ii) ",
    "(iii) ",
    "IV. ",
    "[14] ",
    "↳ Osei: ",
    "osei [09:41] ",
    "osei.k (9:41): ",
    "Dr. Osei [09:41] ",
    ". ",
    ".. ",
)


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_whole_with_its_line_or_gone(label: str) -> None:
    said = "the old barn has enough room for all of the guests even when it rains in the evening"
    text = f"{label}{said}\n\nThe bill comes next week, as the caterer has said to all of them.\n"
    for seed in range(12):
        first = shorten(text, 0.5, seed).split("\n")[0]
        if set(first.replace(label, "").split()) & set(said.split()) - {"the", "all", "of", "in"}:
            assert first.startswith(label)
            assert set(first[len(label) :].split()) <= set(said.split())


def test_a_directive_on_a_line_of_its_own_stays() -> None:
    text = "We agreed on this.\n\n.. warning::\n\n   The old barn has room for all of the guests.\n"
    for seed in range(12):
        assert ".. warning::\n" in shorten(text, 0.6, seed)


@pytest.mark.parametrize(
    "heads",
    [
        ("[1] Report of the authority\n", "[2] Annual letter\n", "[3] Newspaper article\n"),
        ("[1] ", "[2] ", "[3] "),
        ("Document [1](Title: Report) ", "Document [2](Title: Letter) ", "Document [3](Title: A) "),
        ("Passage [1](Title: Report)\n", "Passage [2](Title: Letter)\n", "Passage [3](Title: A)\n"),
    ],
)
def test_a_retrieved_passage_keeps_its_number(heads: tuple[str, str, str]) -> None:
    """What answers cite: a passage without it would read as part of the one above."""
    said = (
        "The harbour was dredged in the spring after two ships had run aground near the old pier.",
        "The city council decided that the ferry would be replaced by a silent electric one.",
        "Fishermen said that these new rules for nets had cost them a good part of their income.",
    )
    of = ({"dredged", "ships", "aground"}, {"council", "ferry", "electric"}, {"nets", "rules"})
    text = "\n\n".join(map("".join, zip(heads, said, strict=True))) + "\n"
    kept = 0
    for seed in range(12):
        shorter = shorten(text, 0.4, seed)
        for number, own in enumerate(of, 1):
            block = next((b for b in shorter.split("\n\n") if own & set(b.split())), None)
            if block is not None:
                kept += 1
                assert f"[{number}]" in block.split("\n")[0], shorter
    assert kept > 8


@pytest.mark.parametrize(
    "lead",
    [
        "Daniel Bernoulli (German pronunciation: [bɛʁˈnʊli]; born in 1700)",
        "- Elias Canetti (Bulgarian: Елиас Канети, born in 1905)",
    ],
)
def test_a_colon_within_open_brackets_ends_no_label(lead: str) -> None:
    text = (
        f"{lead} was a writer and one of the many prominent people in a large family of the town.\n"
    )
    for seed in range(12):
        for rate in (0.6, 0.3):
            shorter = shorten(text, rate, seed)
            assert shorter.count("(") == shorter.count(")"), shorter


def test_a_name_with_a_remark_in_brackets_is_a_speaker() -> None:
    text = (
        "Anna (Berlin): We have been late with all of it since the old barn was sold last year.\n"
    )
    assert shorten(text, 0.5, 1).startswith("Anna (Berlin):")


def without_words_of(text: str, gone: str, rate: float = 0.6) -> str:
    """What is left where the words of `gone` are the least likely ones."""
    at = text.index(gone)
    words = split_words(text)
    probabilities = [0.1 if at <= w.start < at + len(gone) else 0.9 for w in words]
    settings = Settings(rate=rate, protect=frozenset())
    return extract(text, words, np.array(probabilities, np.float32), settings, COUNTER).text


@pytest.mark.parametrize("between", ["Can", "<END CATEGORIES>"])
def test_what_stands_between_two_lists_is_no_part_of_an_item(between: str) -> None:
    gone = "Encourage people who plan it or support what harms all of the others."
    text = f"Should not\n- {gone}\n{between}\n- Discuss the reasons.\n- Report what came of it.\n"
    lines = without_words_of(text, gone).splitlines()
    assert lines[1:3] == [between, "- Discuss the reasons."]


def test_a_line_that_goes_on_with_an_item_is_part_of_it() -> None:
    gone = "The barn behind the mill of the miller's brother, which was"
    text = f"- {gone}\nbuilt long ago.\n- Bill.\n"
    assert without_words_of(text, gone, 0.3).startswith("- built")
