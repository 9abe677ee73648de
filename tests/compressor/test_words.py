import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.words import is_mark, split_words


def pieces(text: str) -> list[str]:
    return [text[w.start : w.end] for w in split_words(text)]


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(), max_size=120))
def test_every_character_but_white_space_is_in_exactly_one_word(text: str) -> None:
    at = 0
    for word in split_words(text):
        assert at <= word.start < word.end <= len(text)
        assert not text[at : word.start].strip()
        at = word.end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("state-of-the-art, don't!", ["state-of-the-art", ",", "don't", "!"]),
        ("1,000.5 at 10:30", ["1,000.5", "at", "10:30"]),
        ("naïve café", ["naïve", "café"]),
        ("ok 👍🏽 🇩🇪", ["ok", "👍🏽", "🇩🇪"]),
        ("C++ and C#", ["C++", "and", "C#"]),
        ('המנכ"ל אמר "לא"', ['המנכ"ל', "אמר", '"', "לא", '"']),
        ("(see [1](a))!!", ["(", "see", "[", "1", "]", "(", "a", ")", ")", "!!"]),
        ("(see U.S. law)", ["(", "see", "U.S.", "law", ")"]),
    ],
)
def test_words_and_marks(text: str, words: list[str]) -> None:
    assert pieces(text) == words


@pytest.mark.parametrize(
    "text", ["富士山の高さは三千七百メートルです", "长江的长度是六千公里", "สวัสดีชาวโลกทั้งหลาย"]
)
def test_scripts_without_spaces_are_cut_small(text: str) -> None:
    assert len(pieces(text)) > 3
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("นอน๒๕๖๙", ["นอน", "๒๕๖๙"]),
        ("฿500", ["฿", "500"]),
        ("ទេ។១៥%", ["ទេ", "។", "១៥", "%"]),
        ("ပါ။၂၀", ["ပါ", "။", "၂၀"]),
        ("ປີ໒໐", ["ປີ", "໒໐"]),
    ],
)
def test_digits_and_marks_of_unspaced_scripts_are_no_letters(text: str, words: list[str]) -> None:
    assert pieces(text) == words


def test_marks_are_told_from_words() -> None:
    text = "Hi, “you” 👍 。x_y"
    assert [text[w.start : w.end] for w in split_words(text) if is_mark(text, w)] == [
        ",", "“", "”", "。",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all parti-\ncipants came", ["all", "parti-\ncipants", "came"]),
        ("die Ver-\n    ordnung gilt", ["die", "Ver-\n    ordnung", "gilt"]),
        ("no dash -\nhere", ["no", "dash", "-", "here"]),
        ("a list-\n- of items", ["a", "list", "-", "-", "of", "items"]),
        ("Vor-\n\nund Nachteile", ["Vor", "-", "und", "Nachteile"]),
        ("chapter 3-\n5 pages", ["chapter", "3", "-", "5", "pages"]),
    ],
)
def test_a_word_that_is_hyphenated_at_a_line_s_end_is_one(text: str, words: list[str]) -> None:
    assert pieces(text) == words
