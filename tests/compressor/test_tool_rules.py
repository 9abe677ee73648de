"""What a tool's description says about how to use the tool stays, however little is kept."""

import pytest

from compressor.protect import find_protected
from compressor.tool_rules import tool_rules
from compressor.types import ALL_KINDS, Kind, Settings

TOLD = [
    "Never pass more than 10 terms.",
    "Use `sort=date` to sort by date.",
    "If the user has not given a city, ask for it first.",
    "Only call this when the user explicitly asks.",
    "Prefer `find` over this.",
    "The path must be absolute.",
    "Dates have to be in ISO format.",
    "The second argument is optional.",
    "Das Datum muss in der Zukunft liegen.",
    "Les dates doivent être au format ISO.",
    "La ruta debe ser absoluta.",
    "日期必须是ISO格式。",
]
SAID = [
    "Search the catalogue of everything that the shop has ever sold.",
    "The rows are sorted by relevance.",
    "Returns a list of rows with the name of the product and its price.",
    "Durchsucht den Katalog des Ladens.",
    "Lit un fichier du disque.",
]


def rules(text: str) -> list[str]:
    return [text[span.start : span.end] for span in tool_rules(text, ())]


@pytest.mark.parametrize("sentence", TOLD)
def test_rules_of_use_stay_wherever_they_stand(sentence: str) -> None:
    between = f"{SAID[0]} {sentence} {SAID[1]}"
    assert rules(between) == [sentence]


@pytest.mark.parametrize("sentence", SAID)
def test_what_a_tool_does_is_no_rule(sentence: str) -> None:
    assert rules(sentence) == []


def test_only_a_description_has_rules_and_only_where_instructions_stay() -> None:
    text = " ".join((SAID[0], TOLD[5], SAID[1], SAID[2]))

    def kept(settings: Settings) -> bool:
        found = find_protected(text, settings)
        return any(s.kind is Kind.INSTRUCTION and text[s.start : s.end] == TOLD[5] for s in found)

    assert kept(Settings(rate=0.5, tool_description=True))
    assert not kept(Settings(rate=0.5))
    others = ALL_KINDS - {Kind.INSTRUCTION, Kind.QUESTION}
    assert not kept(Settings(rate=0.5, tool_description=True, protect=others))
