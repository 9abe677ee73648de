"""Where the documents of a message stand, by its tags, labels and rules."""

import pytest

from compressor.case_folding import fold_case
from compressor.prompt_evidence import read_parts
from compressor.prompt_mood import is_imperative
from compressor.prompt_regions import Place, places
from compressor.prompt_text import read_paragraphs


def place_of(text: str, wanted: str) -> Place:
    paragraphs = read_paragraphs(text, [])
    found = places(text, paragraphs)
    [place] = [
        place
        for paragraph, place in zip(paragraphs, found, strict=True)
        if wanted in text[paragraph.start : paragraph.end]
    ]
    return place


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("<context>\nThe lake is deep.\n</context>\n\nHow deep?", "data"),
        ("<BEGIN LAKE CATEGORIES>\nThe lake is deep.\n<END LAKE CATEGORIES>\n\nHow?", "asks"),
        ("<BEGIN CONVERSATION>\n\nThe lake is deep.\n\n<END CONVERSATION>\n\nHow?", "data"),
        ("<start>\nThe lake is deep.\n</start>\n\nHow deep?", "other"),
        ("<START TEXT>\n\nx\n\n<END TEXT>\n\nThe lake is deep.", ""),
        ('<doc id="3">The lake is deep.</doc>', "data"),
        ("<rules>\nThe lake is deep.\n</rules>", "asks"),
        ("<a><context>\n<rules>x\n\n</rules>\n\nThe lake is deep.\n</context></a>", "data"),
        ("<context>The lake is deep.", ""),
        ("<context>x</context>\n\nThe lake is deep.", ""),
    ],
)
def test_a_tag_tells_what_it_holds(text: str, tag: str) -> None:
    assert place_of(text, "The lake").tag == tag


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Context:\nThe lake is deep.", "data"),
        ("### Passage 2\n\nThe lake is deep.", "data"),
        ("[1]\nThe lake is deep.", "data"),
        ("# Output format\n\nThe lake is deep.", "asks"),
        ("制約条件：\n\nThe lake is deep.", "asks"),
        ("Lakes of the North\n\nThe lake is deep.", ""),
        ("--- START OF TEXT ---\nThe lake is deep.\n--- END OF TEXT ---", "data"),
        ("--- START OF TEXT ---\nx\n--- END OF TEXT ---\n\nThe lake is deep.", ""),
    ],
)
def test_a_label_tells_what_follows(text: str, label: str) -> None:
    assert place_of(text, "The lake").label == label


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        ('Read:\n"""\nThe lake is deep.\n"""\nHow deep?', True),
        ("Text:\n-----\nThe lake is deep.\n\nx\n-----\n\nHow deep?", True),
        ("Read.\n-----\nThe lake is deep and cold.\n-----\nHow?", True),
        ("Read.\n-----\nThe lake is deep.", False),
        ("x\n---\ny\n---\nThe lake is deep.", False),
    ],
)
def test_two_rules_alike_set_off_a_document(text: str, fenced: bool) -> None:
    assert place_of(text, "The lake").quoted is fenced


def test_the_headers_of_an_email_begin_one() -> None:
    text = "Reply, please.\n\nFrom: Ada\nTo: Bob\n\nThe lake is deep."
    assert place_of(text, "The lake").mail
    assert not place_of(text, "Reply").mail


def test_zones_and_sides_are_told_apart() -> None:
    long = "The lake is deep and cold. " * 20
    text = f"Answer.\n\nContext:\n\n{long}\n\nQuestion:\n\nHow deep?"
    parts = read_parts(text, read_paragraphs(text, []))
    assert [p.zone for p in parts] == ["first", "largest", "largest", "last", "last"]
    assert [p.side for p in parts] == ["before", "before", "long", "after", "after"]


@pytest.mark.parametrize(
    ("sentence", "imperative"),
    [
        ("Rinse the beans in cold water.", True),
        ("Please sketch two variants.", True),
        ("Never quote a price.", True),
        ("Prüfen Sie den Ölstand.", True),
        ("Relevez tous les montants.", True),
        ("Dividi il testo in tre parti.", True),
        ("三行で要約して。", True),
        ("With the lake frozen, nobody fished.", False),
        ("The lake is deep.", False),
        ("Fishing a lake takes patience.", False),
        ("Für die Gäste gibt es Tee.", False),
        ("Dans la salle, tous se taisent.", False),
        ("湖は深い。", False),
    ],
)
def test_an_imperative_is_told_by_its_shape(sentence: str, imperative: bool) -> None:
    assert is_imperative(fold_case(sentence)) is imperative
