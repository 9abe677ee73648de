import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.message_question import question_of

DOCUMENT = (
    "The harbour wall was built of local stone. Its foundations are older than the town. In winter "
    "the ferries leave from the other side of the bay, where the water is calmer. Nobody knows who "
    "drew the plans. The council repaired the eastern end after a storm and left the western end "
    "as it was. Fishermen kept their nets in the arches until the road was widened."
)


@pytest.mark.parametrize(
    "texts",
    [
        ["Who drew the plans of the wall?"],
        ["the wall, its builders"],
        ["And in winter", "where do the ferries leave from?"],
        ["壁を建てたのは誰ですか。"],
    ],
)
def test_a_short_message_is_its_question(texts: list[str]) -> None:
    assert question_of(texts) == "\n".join(texts)


@pytest.mark.parametrize(
    ("texts", "question"),
    [
        (
            [f"Answer from the text below.\n\n{DOCUMENT}\n\nWho drew the plans?"],
            "Answer from the text below.\nWho drew the plans?",
        ),
        ([f"Who drew the plans?\n\n{DOCUMENT}"], "Who drew the plans?"),
        ([DOCUMENT, DOCUMENT, "Who drew the plans?"], "Who drew the plans?"),
        ([DOCUMENT, "the builders of the wall"], "the builders of the wall"),
        ([f"{DOCUMENT}\n\n```python\n# Who wrote this?\n```\n\nWho drew it?"], "Who drew it?"),
    ],
)
def test_of_a_longer_one_it_is_what_asks_and_instructs(texts: list[str], question: str) -> None:
    assert question_of(texts) == question


def test_the_line_ends_of_windows_change_nothing() -> None:
    text = f"{DOCUMENT}\n\n```python\n# Who wrote this?\n```\n\nWho drew it?\nName\nall of them."
    assert question_of([text.replace("\n", "\r\n")]) == question_of([text])


@pytest.mark.parametrize("texts", [[], ["", " \n"], [DOCUMENT], [DOCUMENT, DOCUMENT]])
def test_where_nothing_asks_there_is_none(texts: list[str]) -> None:
    assert question_of(texts) is None


def test_a_document_of_short_words_is_no_question() -> None:
    assert question_of(["no " * 190]) is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=200) | st.just(DOCUMENT), max_size=4))
def test_it_is_made_of_the_message_and_never_blank(texts: list[str]) -> None:
    question = question_of(texts)
    assert question is None or question.strip()
    for line in (question or "").splitlines():
        assert any(line.strip() in text for text in texts)
