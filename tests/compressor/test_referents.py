"""A kept number has what it counts beside it, an identifier the word that says what it is of."""

import re

import numpy as np
import pytest

from compressor.extract import extract
from compressor.protect import find_protected
from compressor.structure import read_structure
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
COUNTED = {
    "English": (
        "The ward opened in the spring with 17 nurses and 4 registered midwives, and three "
        "ambulances were bought at once. In the winter 212 patients were admitted there, and 38 "
        "older men of them had been in the hospital before, as had 12 children from the county.",
        ("17 nurses", "4 midwives", "three ambulances", "212 patients", "38 men", "12 children"),
    ),
    "German": (
        "Im Frühjahr kamen 17 Krankenschwestern auf die neue Station, und drei Krankenwagen wurden "
        "gekauft. Im Winter wurden dort 212 Patienten aufgenommen und die Leitung bat um 6 weitere "
        "Betten für die Abteilung.",
        ("17 Krankenschwestern", "drei Krankenwagen", "212 Patienten", "6 Betten"),
    ),
    "French": (
        "La nouvelle unité a ouvert avec 17 infirmières diplômées, et trois ambulances ont été "
        "achetées. Pendant l'hiver 212 malades ont été admis et le conseil a demandé 6 lits pour "
        "cette partie de la maison.",
        ("17 infirmières", "trois ambulances", "212 malades", "6 lits"),
    ),
}
NAMED = (
    ("Please cancel order A-4471-22 and send the amount back to the card.", "order"),
    ("He wrote in ticket SUP-88123 that the parcel has not come.", "ticket"),
    ("The policy number is 8812309441 and the sum has been paid since.", "policy"),
    ("They paid invoice no. INV-2024-0012 twice in the same week.", "invoice"),
    ("La facture n° FA-2025-0417 a été payée deux fois dans la semaine.", "facture"),
    ("O pedido nº PT-2025-00418 ainda está no armazém da loja.", "pedido"),
    ("Das Aktenzeichen lautet 12-3344-556, wie wir schon geschrieben haben.", "Aktenzeichen"),
)


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


def pairs(text: str) -> list[tuple[str, ...]]:
    words = split_words(text)
    protected = find_protected(text, Settings(rate=0.5))
    found = read_structure(text, words, (), protected).referents.tolist()
    return [tuple(text[words[at].start : words[at].end] for at in pair) for pair in found]


@pytest.mark.parametrize("language", sorted(COUNTED))
@pytest.mark.parametrize("rate", [0.7, 0.5, 0.33])
def test_a_kept_number_keeps_what_it_counts(language: str, rate: float) -> None:
    text, counted = COUNTED[language]
    for seed in range(20):
        kept = re.findall(r"[\w-]+", shorten(text, rate, seed))
        for number, noun in (each.split() for each in counted):
            assert number not in kept or noun in kept, (number, kept)


@pytest.mark.parametrize(("sentence", "name"), NAMED)
def test_an_identifier_keeps_what_it_is_of(sentence: str, name: str) -> None:
    text = f"The harbour was quiet all day and nobody came. {sentence} Then it rained again."
    for seed in range(20):
        assert name in shorten(text, 0.6, seed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two came for 40 dollars and for 3 hours.", [("Two", "came"), ("for", "came")]),
        ("In 2019 sales rose in the 5% at 10:30 today.", []),
        (
            "Her CRP is high: INR goal 2.0-3.0 and eGFR 48 mL/min.",
            [("2.0-3.0", "goal"), ("48", "eGFR")],
        ),
        ("He says (see the list, 5% at the top) so.", []),
        ("There are only 19 of us here.", []),
        ("He left the harbour. 5 km to the north it rained.", []),
        ("最新版は3つある。", []),
        ("It is said in section 12 and on page 4 of it.", [("12", "section"), ("4", "page")]),
        ("7.1 Liability of the lessee and others", []),
        ("On May 5 deadlines passed and on 14 October 2025 others did.", []),
        (
            "There were 6 more nurses than two of the ships have.",
            [("6", "nurses"), ("two", "ships")],
        ),
    ],
)
def test_what_says_what_a_number_is(text: str, expected: list[tuple[str, ...]]) -> None:
    assert pairs(text) == expected


@pytest.mark.parametrize("bullet", ["", "• ", "* ", "- [ ] ", "1. "])
def test_a_measure_at_an_item_s_beginning_keeps_what_it_is_of(bullet: str) -> None:
    items = ("1½ kg Kartoffeln", "200 g cold butter", "¼ TL Muskat", "½ Zitrone")
    text = "\n".join(bullet + item for item in items)
    named = [pair[-1] for pair in pairs(f"{text}\nMore of it.")]
    assert named == ["Kartoffeln", "cold", "Muskat", "Zitrone"]


@pytest.mark.parametrize("seed", range(20))
def test_an_abbreviation_of_number_goes_with_its_full_stop(seed: int) -> None:
    text = (
        "The strain was compared with two others of the same kind, BJ (accession no. AY319651) and "
        "DY07 (accession no. HM245923), which were isolated from sick animals on farms."
    )
    shorter = shorten(text, 0.6, seed)
    assert "accession." not in shorter
    assert "(. " not in shorter
