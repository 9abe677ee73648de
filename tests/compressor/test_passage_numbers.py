"""The number above a retrieved passage stays with any word of it."""

import pytest

from compressor.passage_numbers import below_titles, numbers_alone
from tests.compressor.test_structure_labels import shorten

SAID = (
    "The harbour was dredged in the spring after two ships had run aground near the old pier.",
    "The city council decided that the ferry would be replaced by a silent electric one.",
    "Fishermen said that these new rules for nets had cost them a good part of their income.",
)
OF = ({"dredged", "ships", "aground"}, {"council", "ferry", "electric"}, {"nets", "rules"})


@pytest.mark.parametrize(
    "head",
    [
        "Document {}\n",
        "Document {}:\n\n",
        "### Source {}\n\n",
        "**Passage {}:**\n",
        "[{}]\n",
        "[Quelle {}]\n\n",
        "[{}] Annual letter\n\n",
        "Document {}: Report of the authority\n\n",
    ],
)
def test_a_passage_keeps_its_number_over_lines(head: str) -> None:
    text = "\n\n".join(f"{head.format(n)}{said}" for n, said in enumerate(SAID, 1)) + "\n"
    kept = 0
    for seed in range(12):
        shorter = shorten(text, 0.4, seed)
        for number, own in enumerate(OF, 1):
            lines = shorter.split("\n")
            at = next((i for i, line in enumerate(lines) if own & set(line.split())), None)
            if at is not None:
                kept += 1
                above = [line for line in lines[:at] if any(c.isdigit() for c in line)]
                assert above, shorter
                assert str(number) in above[-1], shorter
    assert kept > 6


@pytest.mark.parametrize(
    "text",
    [
        "Document 1\nThe lake is deep.",
        "1\nThe lake is deep.\n2\nIt is cold.",
        "The lake of Document 1\nis deep.\nSo is that of Document 2\nin the valley.",
        "",
    ],
)
def test_other_lines_number_no_passage(text: str) -> None:
    assert numbers_alone(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[1] The lake is deep.\n\nIt is cold.",
        "[1] A. Author, Lakes, 2003\n\n[2] B. Author, Rivers, 2004\n\n[3] C. Author, Seas",
        "[1] Lakes\nThey are deep.",
        "Lakes\n\nThey are deep.",
    ],
)
def test_other_lines_are_no_title_with_a_number(text: str) -> None:
    assert below_titles(text) == []
