"""Markdown's reference links, their definitions and footnotes keep the brackets that they have."""

import re

import numpy as np
import pytest

from compressor.extract import extract
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
TEXT = """The parser reads nested lists as the [specification of it][cm] has them, though some of
the odd corners are still open[^1] and the [old tests][] of the [second part][the issue] fail there.
The ![picture of the harbour][map] was drawn long before, as [Otto Brandt][1] says in it[^b].

[cm]: https://spec.example.org/0.31 "Common Mark"
[old tests]: <https://example.org/old>
[the issue]: https://example.org/issues
[map]: /images/harbour.png
[1]: https://example.org/brandt
[^1]: Lists that begin with another number, and lists inside of quotes.
[^b]: The book is in the archive of the city and may be seen there.
"""
LINK = re.compile(r"(!?)\[([^\[\]]*)\]\[([^\[\]]*)\]")


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize("rate", [0.8, 0.65, 0.55])
def test_definitions_and_footnotes_keep_their_labels(rate: float) -> None:
    for seed in range(10):
        short = shorten(TEXT, rate, seed)
        for line in short.split("\n\n")[-1].splitlines():
            label = re.match(r"\[[^\]]+\]: \S", line)
            assert label, line
            assert label.group()[:-1] in TEXT


@pytest.mark.parametrize("rate", [0.8, 0.65, 0.55])
def test_a_reference_stays_whole_with_words_of_its_text_and_goes_with_them(rate: float) -> None:
    references = {link[2] for link in LINK.findall(TEXT)} - {""}
    for seed in range(10):
        body = shorten(TEXT, rate, seed).partition("\n[")[0]
        found = LINK.findall(body)
        assert {link[2] for link in found} <= references | {""}
        assert all(link[1] for link in found), body
        rest = LINK.sub("", body)
        assert not re.search(r"\]\[|\[\]|\[(?:cm|map|the issue)\]", rest), body
        assert not {"specification", "tests", "picture"} & set(re.findall(r"\w+", rest)), body


@pytest.mark.parametrize("rate", [0.8, 0.65, 0.5])
def test_the_mark_of_a_footnote_is_whole_or_gone(rate: float) -> None:
    for seed in range(10):
        body = shorten(TEXT, rate, seed).partition("\n[")[0]
        assert not re.search(r"[\[^](?:1|b)\]|\^", re.sub(r"\[\^\w\]|\[1\]", "", body)), body
