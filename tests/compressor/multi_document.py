"""Makes small sets of several documents with questions that one passage each answers.

Everything is invented and drawn by a seed. Each passage is about one place and states four facts in
wordings that the questions do not share word for word; the other passages state the same kinds of
facts about other places, so that only the right place's name tells them apart.
"""

import random
from dataclasses import dataclass

_PLACES = [
    "Aldersund",
    "Brackholm",
    "Corvale",
    "Dunmere",
    "Eskwater",
    "Farrowby",
    "Glenharrow",
    "Hestvik",
    "Ironbeck",
    "Jorrestad",
    "Kelmarsh",
    "Lindhaven",
    "Morvane",
    "Norrick",
    "Ostermoor",
    "Pellworth",
]
_NAMES = ["Anders", "Beata", "Cornelis", "Dorthe", "Emeric", "Fenna", "Gotthard", "Hedda"]
_FAMILIES = [
    "Aakre",
    "Brandvold",
    "Castellan",
    "Dubrow",
    "Engelbrecht",
    "Falkner",
    "Grimsby",
    "Holt",
]
_GOODS = ["herring", "slate", "barrel staves", "sea salt", "felt", "rope", "lamp oil", "oats"]
_REASONS = (
    "nobody wanted to pay for the paint", "too many sheep had got across at night",
    "the keeper had moved in with his sister", "the ice had lifted it out of its place",
    "it swayed when more than two carts were on it", "the toll was never once collected",
)  # fmt: skip
_FILLER = (
    "Visitors tend to come in the warmer months and stay for an afternoon.",
    "Much has been written about the weather there, most of it by people who were passing through.",
    "The main street runs down to the water and is closed to traffic on Sundays.",
    "A small museum keeps tools, photographs and a number of flags from that time.",
    "There have been several attempts to bring the railway back, none of them with success.",
    "The houses near the square were painted in the same colours until quite recently.",
    "Older people still remember the noise of the carts in the early morning.",
)


@dataclass(frozen=True, slots=True)
class MultiDocument:
    """Passages with a blank line between, and pairs of a question and its answer."""

    text: str
    questions: tuple[tuple[str, str], ...]


def multi_document(seed: int, passages: int = 10) -> MultiDocument:
    """Return one text of `passages` passages and one question about each."""
    chance = random.Random(seed)
    written = [_passage(chance, place) for place in chance.sample(_PLACES, passages)]
    return MultiDocument(
        "\n\n".join(text for text, _ in written), tuple(asked for _, asked in written)
    )


def _passage(chance: random.Random, place: str) -> tuple[str, tuple[str, str]]:
    person = f"{chance.choice(_NAMES)} {chance.choice(_FAMILIES)}"
    goods = " and ".join(chance.sample(_GOODS, 2))
    why = chance.choice(_REASONS)
    facts = [
        (
            f"The lighthouse at {place} was designed by {person}, who had never seen the sea.",
            (f"Which architect designed the {place} lighthouse?", person),
        ),
        (
            f"For a long time {place} lived from shipping {goods} to the mainland.",
            (f"What did {place} ship?", goods),
        ),
        (
            f"In the end the bridge that leads to {place} was closed because {why}.",
            (f"Why did they close the bridge to {place}?", why),
        ),
    ]
    asked = chance.choice(facts)[1]
    sentences = [fact for fact, _ in facts] + chance.sample(_FILLER, 4)
    chance.shuffle(sentences)
    return f"{place}\n" + " ".join(sentences), asked
