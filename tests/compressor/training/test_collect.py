import random

from compressor.training.collect import CollectSettings, collect, passage_id
from compressor.training.overlap import Runs
from compressor.training.texts import Text

VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nrst"]


def prose(seed: int, words: int) -> str:
    draw = random.Random(seed)
    return " ".join(draw.choice(VOCABULARY) for _ in range(words)) + "."


def text(content: str, doc: str = "d", lang: str = "") -> Text:
    return Text("s", doc, lang, "CC0", content)


def test_passages_say_where_they_are_from() -> None:
    content = "The council met and it was said that the budget is not for this year. " * 8
    (passage,) = collect([text(content)], CollectSettings(near=1)).passages
    assert (passage.source, passage.doc, passage.licence) == ("s", "d", "CC0")
    assert passage.lang == "en"
    assert passage.text == content.strip()
    assert passage.id == passage_id(passage.text)
    (stated,) = collect([text(content, lang="xx")], CollectSettings()).passages
    assert stated.lang == "xx"


def test_duplicates_and_near_duplicates_are_dropped_and_counted() -> None:
    one, other = prose(1, 120), prose(2, 120)
    words = one.split()
    words[60] = "changed"
    found = collect(
        [
            text(one),
            text(one.upper() + "  "),
            text(" ".join(words), doc="e"),
            text(other),
            text("short"),
        ],
        CollectSettings(),
    )
    assert [passage.text for passage in found.passages] == [one, other]
    assert found.counts == {
        "texts": 5,
        "texts too short": 1,
        "passages cut": 4,
        "dropped: exact duplicate": 1,
        "dropped: near-duplicate": 1,
    }
    assert found.by_source() == {"s": 2}


def test_exact_duplicates_alone_where_that_is_wanted() -> None:
    words = prose(1, 120).split()
    changed = [*words[:60], "changed", *words[61:]]
    texts = [text(" ".join(words)), text(" ".join(changed))]
    assert len(collect(texts, CollectSettings(near=1)).passages) == 2


def test_what_stands_in_held_out_text_is_dropped() -> None:
    held_out = Runs()
    held_out.add(prose(1, 200))
    piece = " ".join(prose(1, 200).split()[100:120])
    found = collect(
        [text(f"{prose(3, 60)} {piece} {prose(4, 60)}"), text(prose(5, 120))],
        CollectSettings(),
        held_out=held_out,
    )
    assert [passage.text for passage in found.passages] == [prose(5, 120)]
    assert found.counts["dropped: shares a run with held-out text"] == 1
