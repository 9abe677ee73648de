"""Text to words, the units that are scored, kept and dropped: character offsets, any script."""

import re
import unicodedata
from dataclasses import dataclass

from compressor.segment import HAN, HIRAGANA, KATAKANA, OTHERS, THAI, Segmenter

# Scripts written without spaces: kana, Han, bopomofo, Thai, Lao, Myanmar, Khmer.
UNSPACED = KATAKANA + HIRAGANA + HAN + THAI + OTHERS

_LETTER = rf"[^\W{UNSPACED}]"
_EMOJI = (
    "[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]"
    "(?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|[\U000e0020-\U000e007f]{1,8})?"
)

_GERSHAYIM = r"(?<=[א-ת])[\"״](?=[א-ת])"  # of a Hebrew abbreviation: ארה"ב
# At a line's end, in small letters: parti-↵cipants. As one word nothing of it stays alone.
_HYPHENATED = r"(?<=[a-zß-öø-ÿа-яα-ω])[-‐\u00ad]\r?\n[ \t]{0,40}(?=[a-zß-öø-ÿа-яα-ω])"
_ENTITY = r"&(?:[A-Za-z]{2,31}\d{0,2}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});"

# Every quantifier is either over one class or bounded, so a scan is linear in the text.
_WORD = re.compile(
    "|".join(
        (
            r"(?P<tag></?[A-Za-z][\w:-]{0,40}(?:[ \t][^<>\n]{0,120})?/?>)",
            rf"(?P<entity>{_ENTITY})",
            r"(?P<acronym>(?:[^\W\d_]\.){2,12}(?![^\W_]))",
            # letters and digits with what joins them inside one word: state-of-the-art, don't,
            # 1,000.5, 10:30, km/h, AT&T, user@host, word(s), C++
            rf"(?P<letters>{_LETTER}+"
            rf"(?:(?!{_ENTITY})(?:['’.\-‐‑&@/+=~·:]|(?<=\d),(?=\d\d)|{_GERSHAYIM}|{_HYPHENATED})_*{_LETTER}+)*"
            rf"(?:\({_LETTER}{{1,2}}\)|\+\+|[#](?!\w))?)",
            rf"(?P<unspaced>[{UNSPACED}]+)",
            r"(?P<flag>[\U0001f1e6-\U0001f1ff]{2})",
            rf"(?P<emoji>[\U0001f000-\U0001faff\u2600-\u27bf]"
            rf"[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?(?:\u200d{_EMOJI}){{0,6}})",
            # each bracket closes one
            r"(?P<mark>[()\[\]{}（）［］「」『』【】《》〈〉]|(?P<sign>[^\w\s])(?P=sign)*)",
        )
    )
)

_IS_UNSPACED = re.compile(f"[{UNSPACED}]")
_FIRST_ARROW, _LAST_ARROW = "\u2190", "\u21ff"
_ASCII_END = "\u007f"


@dataclass(frozen=True, slots=True)
class Word:
    """A half-open range of character offsets; words ascend and never overlap."""

    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """Return the words and marks of `text`; every character but white space is in exactly one.

    A mark (a run of one punctuation character, or an entity like `&amp;`) is a word of its own; a
    letter's combining marks and joiners belong to the letter, an emoji sequence is one word.
    """
    words: list[Word] = []
    append = words.append
    segmenter: Segmenter | None = None
    for match in _WORD.finditer(text):
        start, end = match.span()
        kind = match.lastgroup
        if kind in ("letters", "acronym"):
            before = text[start - 1]
            if words and words[-1].end == start and _extends(before) and not is_unspaced(before):
                start = words.pop().start
            append(Word(start, end))
        elif kind == "unspaced":
            segmenter = segmenter or Segmenter(text)
            words.extend(Word(s, e) for s, e in segmenter.cut(start, end))
        elif kind == "mark" and words and words[-1].end == start and _extends(text[start]):
            append(Word(words.pop().start, end))
        else:
            append(Word(start, end))
    return words


def is_mark(text: str, word: Word) -> bool:
    """Whether the word is punctuation: it carries no letter, digit or pictograph of its own."""
    first = text[word.start]
    if first <= _ASCII_END:
        return not first.isalnum() and first != "_" and not _is_tag(text, word)
    if _FIRST_ARROW <= first <= _LAST_ARROW:  # as -> and => are marks
        return True
    return unicodedata.category(first)[0] in "PZC" and not first.isalnum()


def is_unspaced(char: str) -> bool:
    """Whether the character is of a script written without spaces between words."""
    return char > "\u0e00" and _IS_UNSPACED.match(char) is not None


def _is_tag(text: str, word: Word) -> bool:
    return text[word.start] == "<" and word.end - word.start > 2 and text[word.end - 1] == ">"


def _extends(char: str) -> bool:
    """Whether a character that is no letter belongs to the letter before it."""
    if char <= "\u02ff":
        return False
    return char in "\u200c\u200d" or unicodedata.category(char)[0] == "M"
