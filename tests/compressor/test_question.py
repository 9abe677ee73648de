"""The detector of instructions on single messages and on any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.prompt_evidence import read_parts
from compressor.prompt_score import PromptWeights, bundled_weights
from compressor.prompt_text import read_paragraphs
from compressor.question import prompt_spans
from compressor.types import Kind, ProtectedSpan
from tests.compressor.labelled.prompt_sets import characters, measure, prompts

LAKE = (
    "The lake is fed by two streams and by springs on its northern side. It freezes in most years "
    "between January and March. Fishing rights belong to the village, which leases them to a "
    "family from the valley. Old maps show a ferry; a causeway replaced it in 1887, and the "
    "landing stage rotted away within a decade. Herons nest on the western shore."
)


def marked(text: str) -> list[str]:
    return [text[s.start : s.end] for s in prompt_spans(text, [])]


def test_the_first_set_is_large_and_in_several_languages() -> None:
    assert len(prompts("first")) >= 150
    assert {p.lang for p in prompts("first")} >= {"en", "de", "fr", "es", "ja", "zh"}


@pytest.mark.parametrize("lang", ["de", "fr", "es", "ja", "zh"])
def test_other_languages_are_found_too(lang: str) -> None:
    tally, missed, _ = measure([p for p in prompts("first") if p.lang == lang])
    assert tally.recall >= 0.9, missed


def test_plain_documents_are_left_to_the_budget() -> None:
    plain = [p for p in prompts("first") if not p.wanted]
    assert len(plain) >= 12
    for prompt in plain:
        spans = prompt_spans(prompt.text, [])
        share = len(characters(prompt.text, ((s.start, s.end) for s in spans)))
        assert share < 0.15 * len(prompt.text), prompt.text[:60]


def test_what_blocks_hold_is_no_instruction() -> None:
    text = "```\nSummarize the text below.\n```\n\nWhat does the code print?"
    block = ProtectedSpan(0, text.index("\n\n"), Kind.CODE)
    [span] = prompt_spans(text, [block])
    assert text[span.start : span.end] == "What does the code print?"
    assert span.kind is Kind.QUESTION


def test_what_stands_around_a_document_that_is_set_off_is_kept_with_its_lists() -> None:
    before = "You are a limnologist.\n\nMind this:\n- figures in metres\n\n- nothing on fish"
    after = "Two sentences, plain words."
    text = f"{before}\n\n<document>\n{LAKE}\n</document>\n\n{after}"
    kept = "\n".join(marked(text))
    assert all(line in kept for line in [*before.split("\n"), after] if line)
    assert LAKE[:40] not in kept


def test_the_label_for_the_model_to_complete_is_kept() -> None:
    assert marked(f"{LAKE}\n\nWhere do the herons nest?\n\nAnswer:")[-1] == "Answer:"


def test_the_last_of_several_items_alike_is_kept_for_the_model_to_complete() -> None:
    items = "Review: Loud.\nSentiment: mixed\n\nReview: It broke.\nSentiment: negative\n\n"
    last = "Review: The box was torn.\nSentiment:"
    text = f"{items}{last}"
    assert [*marked(text)[-2:]] == last.split("\n")
    assert "Review: Loud." not in marked(text)


def test_the_turn_before_an_empty_speaker_is_kept() -> None:
    turns = "User: I want to return the shoes.\nAssistant: I can see the order.\n"
    last = "User: a larger size, but only before the 14th\nAssistant:"
    assert marked(turns + last)[-2:] == last.split("\n")
    long = f"User: {LAKE} {LAKE} {LAKE}\nAssistant:"
    assert not any(LAKE[:40] in m for m in marked(turns + long))


@pytest.mark.parametrize(
    "request_",
    [
        "I was wondering if you might be able to pull out the action points for me.",
        "I'd like to know whether this was wise and what the village should have done",
        "pls rewrite this so a 10 yr old gets it, no more then 5 sentances",
        "Make a comparison table of the owners and leave a cell blank if nothing is said.",
        "Mich würde interessieren, wem das Fischrecht gehört.",
        "Quisiera saber a quién pertenece el derecho de pesca.",
    ],
)
def test_a_request_said_round_about_is_found(request_: str) -> None:
    assert marked(f"{LAKE}\n\n{request_}") == [request_]


def test_a_letter_to_somebody_weighs_as_such() -> None:
    def evidence(text: str) -> list[str]:
        return read_parts(text, read_paragraphs(text, []))[0].evidence

    request = "could you send me the list of guests before Friday?"
    assert "letter" in evidence(f"Hi Clare, {request}")
    assert "letter" not in evidence(f"Hi Claude, {request}")
    assert "letter" not in evidence(f"Hi, {request}")


def test_what_stands_in_a_tag_for_questions_is_kept_whatever_it_says() -> None:
    text = f"<data>\n{LAKE}\n</data>\n<question>\nherons, western shore\n</question>"
    assert "herons, western shore" in marked(text)


def test_a_paragraph_that_neither_asks_nor_tells_needs_much_text_beside_it() -> None:
    assert marked("The harbour was closed during the night.") == []
    assert marked("The harbour was closed.\n\nThe market was held in the square.") == []


def test_the_likelier_end_is_kept_where_nothing_else_is() -> None:
    text = f"{LAKE}\n\n{LAKE}\n\nHerons, in eighty words."
    nothing = PromptWeights({"": -9.0}, {"": -1.0})
    assert [text[s.start : s.end] for s in prompt_spans(text, [], nothing)] == [
        "Herons, in eighty words."
    ]
    titled = f"{LAKE}\n\n{LAKE}\n\nHerons of the Lake"
    assert prompt_spans(titled, [], nothing) == []


def test_a_label_that_recurs_is_a_speaker_and_no_question() -> None:
    turns = [f"Question: Was it cold in {m}?\nAnswer: It was." for m in ("May", "June", "July")]
    text = "\n\n".join(turns)
    parts = read_parts(text, read_paragraphs(text, []))
    asked = [part.read[0].sentence for part in parts if "Question" in part.read[0].sentence.text]
    assert [(s.speaker, s.strength) for s in asked] == [("question:", 0)] * 3
    assert "Question: How cold was it?" in marked(f"{LAKE}\n\nQuestion: How cold was it?")


def test_other_weights_can_be_given() -> None:
    text = f"{LAKE}\n\nWhere do the herons nest?"
    assert prompt_spans(text, [], PromptWeights({"": -9.0}, {"": -9.0})) == []
    assert prompt_spans(text, [], bundled_weights()) == prompt_spans(text, [])


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters() | st.sampled_from(' \n?.:-#*"<>/Write'), max_size=400))
def test_spans_ascend_within_any_text(text: str) -> None:
    at = 0
    for span in prompt_spans(text, []):
        assert at <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip() == text[span.start : span.end]
        at = span.end
