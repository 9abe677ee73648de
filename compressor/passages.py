"""A text as sentences and passages, each with the terms that a question can match."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from compressor.terms import FUNCTION_WORDS, TERM, terms
from compressor.words import Word

_SENTENCE_END = re.compile(r"[.!?。！？…]+[\"'”’)\]」』]*$")
_WRAPPED = 45  # characters; a shorter line was broken on purpose
_BULLETS = "-*•+#|>"


class Passages:
    """The sentences and passages of one text.

    `sentence_of_word`, `of_sentence` (its passage) and `own` (whether the sentence is one of those
    given) are arrays over words, sentences and sentences; `sentence_terms` and `passage_terms` are
    counts, without those of own sentences. A blank line ends a passage, a line break a sentence
    unless the line was merely wrapped there.
    """

    def __init__(
        self, text: str, words: Sequence[Word], own: AbstractSet[str] = frozenset()
    ) -> None:
        """Cut `text`; `own` are sentences with single spaces."""
        starts, passage = _cuts(text, words)
        ends = [*starts[1:], len(words)] if words else []
        self._sentences = [
            text[words[a].start : words[b - 1].end] for a, b in zip(starts, ends, strict=True)
        ]
        sizes = [end - start for start, end in zip(starts, ends, strict=True)]
        self.sentence_of_word = np.repeat(np.arange(len(starts)), sizes)
        self.of_sentence = np.array(passage, np.intp)
        self.own = np.array([" ".join(s.split()) in own for s in self._sentences], np.bool_)
        self.sentence_terms = [
            Counter[str]() if mine else Counter(terms(sentence))
            for sentence, mine in zip(self._sentences, self.own.tolist(), strict=True)
        ]
        self.passage_terms = [Counter[str]() for _ in range(passage[-1] + 1 if passage else 0)]
        for at, counts in zip(passage, self.sentence_terms, strict=True):
            self.passage_terms[at].update(counts)

    def has(self, term: str) -> bool:
        """Whether any passage has the term."""
        return any(term in counts for counts in self.passage_terms)

    def names(self, sentences: Iterable[int]) -> set[str]:
        """Return the terms of capitalised words and numbers in the given sentences."""
        found: set[str] = set()
        for index in sentences:
            for word in TERM.findall(self._sentences[index]):
                if word[0].isupper() or word[0].isdigit():
                    found.update(t for t in terms(word) if len(t) > 2 and t not in FUNCTION_WORDS)
        return found


def _cuts(text: str, words: Sequence[Word]) -> tuple[list[int], list[int]]:
    """Return the first word of each sentence, and each sentence's passage."""
    if not words:
        return [], []
    starts, passage, line = [0], [0], words[0].start
    for index in range(1, len(words)):
        word, following = words[index - 1], words[index]
        breaks = text.count("\n", word.end, following.start)
        if breaks:
            cut = breaks > 1 or not _is_wrapped(text, line, word, following)
            line = following.start
        else:
            cut = _ends_sentence(text, word, following)
        if cut:
            starts.append(index)
            passage.append(passage[-1] + (breaks > 1))
    return starts, passage


def _is_wrapped(text: str, line: int, word: Word, following: Word) -> bool:
    """Whether the line break between two words is one that only keeps lines short."""
    first = text[following.start]
    return (
        word.end - line >= _WRAPPED
        and not first.isupper()
        and first not in _BULLETS
        and not _SENTENCE_END.search(text[max(0, word.end - 4) : word.end])
    )


def _ends_sentence(text: str, word: Word, following: Word) -> bool:
    tail = text[max(0, word.end - 4) : word.end]
    if not _SENTENCE_END.search(tail):
        return False
    first = text[following.start]
    # A full stop before a small letter is an abbreviation; scripts without case end all the same.
    return not first.islower() or tail[-1] in "。！？"
