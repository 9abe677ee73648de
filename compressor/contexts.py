"""Several contexts under one budget: which of them stay (coarse), and what of those (fine).

LLMLingua's coarse-to-fine compression with its faults mended: a context's score is the mean over
all its words, its length counts, the budget of the contexts is a number of tokens that is kept to,
and which contexts survived is told. Source: `use_context_level_filter` in
llmlingua/prompt_compressor.py; LongLLMLingua (arXiv 2310.06839), section 4.1, for the idea.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import attrgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compressor.budget import share
from compressor.extract import extract
from compressor.protect import find_protected
from compressor.scoring import Classified, word_probabilities
from compressor.types import CompressionResult, ProtectedSpan, Settings, Span, TokenCounter
from compressor.words import Word, split_words

SEPARATOR = "\n\n"


class ContextClassifier(Protocol):
    """What is needed of a Compressor here."""

    def resolved(self, settings: Settings) -> Settings:
        """Return settings with the number that a threshold's name stands for."""
        ...

    def classify(self, texts: Sequence[str], settings: Settings) -> list[Classified]:
        """Return what the classifier makes of several texts, each seen by itself."""
        ...

    def log_odds(self, text: str, words: Sequence[Word], question: str) -> NDArray[np.float32]:
        """Return what a question adds to the log-odds of each word of a text."""
        ...

    def counter(self, encoding: str) -> TokenCounter:
        """Return the counter of a target model's tokens."""
        ...


@dataclass(frozen=True, slots=True)
class ContextFilter:
    """Which contexts may stay at all, before words are chosen. Nothing set: all.

    `rate` is the share of the contexts' tokens that stays at most, in (0, 1]; `target_tokens` the
    same as a number; `target_contexts` how many contexts stay at most. Those whose index is in
    `force` stay in any case and count towards all three.
    """

    rate: float = 1.0
    target_tokens: int | None = None
    target_contexts: int | None = None
    force: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError(
                f"the contexts' rate is {self.rate}; it is a share kept, above 0 and at most 1"
            )
        for name in ("target_tokens", "target_contexts"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; it is at least 1")

    @property
    def is_open(self) -> bool:
        """Whether every context passes."""
        return self.rate >= 1 and self.target_tokens is None and self.target_contexts is None


@dataclass(frozen=True, slots=True)
class CompressedContexts:
    """Several contexts, compressed.

    `result` is of the survivors joined by blank lines, with `tokens_before` of all contexts joined;
    its `kept` are offsets into the survivors' joined text. Contexts without words are left out of
    both. By context, in the order given: `texts` (empty for one that did not survive), `kept`
    (offsets into that context) and `scores`. `survived` are the survivors' indices, ascending.
    """

    result: CompressionResult
    texts: tuple[str, ...]
    kept: tuple[tuple[Span, ...], ...]
    survived: tuple[int, ...]
    scores: tuple[float, ...]


def compress_contexts(
    compressor: ContextClassifier,
    contexts: Sequence[str],
    settings: Settings,
    *,
    context_filter: ContextFilter | None = None,
    scores: Sequence[float] | None = None,
) -> CompressedContexts:
    """Choose contexts, then words in them, under one budget: `settings` are for all of it together.

    `scores` are one a context, higher is better; without, what the settings' question adds to the
    context's best words, and the mean keep probability over all of them. Contexts are classified
    each by itself, so that no context's probabilities depend on the others; a question is asked of
    all together. Raises ValueError for an index or a number of scores that does not fit, else what
    the classifier raises.
    """
    wanted = context_filter or ContextFilter()
    if isinstance(contexts, str):
        raise TypeError("contexts are one text, of which each letter would be one; give a list")
    if scores is not None and len(scores) != len(contexts):
        raise ValueError(f"{len(scores)} scores for {len(contexts)} contexts")
    settings = compressor.resolved(settings)
    counter = compressor.counter(settings.encoding)
    read = read_texts(compressor, contexts, settings)
    if scores is None:
        scores = [c.score for c in read]
    survived = surviving(read, scores, wanted, counter)
    before = counter.count(joined(read))
    filled = [i for i in survived if read[i].words]
    result, kept = extract_together([read[i] for i in filled], before, settings, counter)
    if result.tokens_after < before:
        result = replace(result, unchanged=None)  # though the survivors may be as they were
    spans: list[tuple[Span, ...]] = [()] * len(contexts)
    for index, own in zip(filled, kept, strict=True):
        spans[index] = own
    return CompressedContexts(
        result=result,
        texts=tuple(
            "".join(c.text[s.start : s.end] for s in own)
            for c, own in zip(read, spans, strict=True)
        ),
        kept=tuple(spans),
        survived=survived,
        scores=tuple(float(score) for score in scores),
    )


def choose_contexts(
    scores: Sequence[float],
    tokens: Sequence[int],
    *,
    budget: int | None = None,
    most: int | None = None,
    force: Collection[int] = (),
) -> tuple[int, ...]:
    """Return the indices, ascending, of the best contexts that fit in `budget` tokens together.

    The best-scored come first; one that no longer fits gives way to the next one that does. Where
    nothing fits, the best one stays all the same, for its words to be cut. Equals in order.
    """
    chosen = set(force)
    used = sum(tokens[i] for i in chosen)
    ranking = sorted((i for i in range(len(scores)) if i not in chosen), key=lambda i: -scores[i])
    for index in ranking:
        if most is not None and len(chosen) >= most:
            break
        if budget is None or used + tokens[index] <= budget:
            chosen.add(index)
            used += tokens[index]
    if not chosen and ranking:
        chosen.add(ranking[0])
    return tuple(sorted(chosen))


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text with its words and their keep probabilities, float32 of shape (words,).

    `protected` are its protected spans where they are not those that the text by itself has;
    `log_odds`, of the same shape as the probabilities, are what a question adds to them.
    """

    text: str
    words: list[Word]
    probabilities: NDArray[np.float32]
    protected: tuple[ProtectedSpan, ...] | None = None
    log_odds: NDArray[np.float32] | None = None

    @property
    def score(self) -> float:
        """The mean keep probability over the words, on top of the highest of the log-odds.

        0 without words.
        """
        if not self.words:
            return 0.0
        relevance = 0.0 if self.log_odds is None else float(self.log_odds.max())
        return relevance + float(self.probabilities.mean())


def joined(contexts: Sequence[ReadText]) -> str:
    """Return the texts that have words, with a blank line between."""
    return SEPARATOR.join(context.text for context in contexts if context.words)


def read_texts(
    compressor: ContextClassifier, texts: Sequence[str], settings: Settings
) -> list[ReadText]:
    """Return the texts with the classifier's opinion of their words, and the question's."""
    read: list[ReadText] = []
    classified = classify_texts(compressor, texts, settings)
    words = [split_words(text) for text in texts]
    asked = ask_texts(compressor, texts, words, settings)
    for text, own, seen, log_odds in zip(texts, words, classified, asked, strict=True):
        how = settings.token_to_word
        of_words = word_probabilities(own, seen.offsets, seen.probabilities, how)
        read.append(ReadText(text, own, of_words, log_odds=log_odds))
    return read


def ask_texts(
    compressor: ContextClassifier,
    texts: Sequence[str],
    words: Sequence[Sequence[Word]],
    settings: Settings,
) -> list[NDArray[np.float32] | None]:
    """Return what the question adds to the words of each text, all asked together.

    None for each where the settings have no question.
    """
    if settings.question is None or not any(words):
        return [None] * len(texts)
    starts = list(accumulate((len(text) + len(SEPARATOR) for text in texts), initial=0))
    together = [
        Word(word.start + start, word.end + start)
        for own, start in zip(words, starts, strict=False)
        for word in own
    ]
    log_odds = compressor.log_odds(SEPARATOR.join(texts), together, settings.question)
    ends = list(accumulate(map(len, words)))
    return list(np.split(log_odds, ends[:-1]))


def classify_texts(
    compressor: ContextClassifier, texts: Sequence[str], settings: Settings
) -> list[Classified]:
    """Return what the classifier makes of each text; nothing, unasked, of one without words."""
    filled = [text for text in texts if text.strip()]
    classified = iter(compressor.classify(filled, settings) if filled else [])
    nothing = Classified(np.empty((0, 2), np.int32), np.empty(0, np.float32))
    return [next(classified) if text.strip() else nothing for text in texts]


def surviving(
    read: Sequence[ReadText], scores: Sequence[float], wanted: ContextFilter, counter: TokenCounter
) -> tuple[int, ...]:
    """Return the survivors' indices: without words only by an open filter or by force.

    Raises ValueError where the filter forces a text that is not there.
    """
    outside = sorted(i for i in wanted.force if not 0 <= i < len(read))
    if outside:
        raise ValueError(f"there is no context {outside[0]}: there are {len(read)}, from 0")
    if wanted.is_open:
        return tuple(range(len(read)))
    candidates = [i for i, context in enumerate(read) if context.words or i in wanted.force]
    costs = [counter.count(read[i].text + SEPARATOR) for i in candidates]
    budget = None
    if wanted.target_tokens is not None or wanted.rate < 1:
        whole = counter.count(joined(read))
        budget = min(share(wanted.rate, whole), wanted.target_tokens or whole)
    force = {candidates.index(i) for i in wanted.force}
    chosen = [
        candidates[i]
        for i in choose_contexts(
            [scores[i] for i in candidates],
            costs,
            # the last one has no separator behind it, which mostly takes a token
            budget=None if budget is None else budget + 1,
            most=wanted.target_contexts,
            force=force,
        )
    ]
    # Tokens of joined texts do not add up exactly: let the joined text have the last word.
    while budget is not None and len(chosen) > max(1, len(force)):
        if counter.count(joined([read[i] for i in chosen])) <= budget:
            break
        chosen.remove(min((i for i in chosen if i not in wanted.force), key=lambda i: scores[i]))
    if not any(read[i].words for i in chosen):  # only blank ones that are forced
        filled = [i for i in candidates if read[i].words]
        chosen = sorted({*chosen, *sorted(filled, key=lambda i: -scores[i])[:1]})
    return tuple(chosen)


def extract_together(
    survivors: Sequence[ReadText], before: int, settings: Settings, counter: TokenCounter
) -> tuple[CompressionResult, list[tuple[Span, ...]]]:
    """Return the result of texts joined, and what is kept of each in its own offsets.

    All of them have words; `before` is the number of tokens that a rate is a share of.
    """
    if settings.rate is not None:
        target = max(1, share(settings.rate, before))
        settings = replace(settings, rate=None, target_tokens=target)
    result, kept = _extracted(survivors, settings, counter)
    return replace(result, tokens_before=before), kept


def _extracted(
    texts: Sequence[ReadText],
    settings: Settings,
    counter: TokenCounter,
    render: Callable[[Sequence[tuple[Span, ...]]], str] | None = None,
) -> tuple[CompressionResult, list[tuple[Span, ...]]]:
    """Return the result of texts joined, and what is kept of each in its own offsets.

    `render` makes what is counted, of the latter; without, that is the result.
    """
    starts = list(accumulate((len(own.text) + len(SEPARATOR) for own in texts), initial=0))[:-1]
    words: list[Word] = []
    protected: list[ProtectedSpan] = []
    for own, start in zip(texts, starts, strict=True):
        words += [Word(w.start + start, w.end + start) for w in own.words]
        # By text, so that a fence left open in one does not swallow the next.
        spans = find_protected(own.text, settings) if own.protected is None else own.protected
        protected += [replace(s, start=s.start + start, end=s.end + start) for s in spans]
    probabilities = np.concatenate([np.empty(0, np.float32), *(own.probabilities for own in texts)])
    asked = [own.log_odds for own in texts if own.log_odds is not None]

    def split(kept: Sequence[Span]) -> list[tuple[Span, ...]]:
        return [
            _inside(kept, start, start + len(own.text))
            for own, start in zip(texts, starts, strict=True)
        ]

    result = extract(
        joined(texts),
        words,
        probabilities,
        settings,
        counter,
        protected=protected,
        log_odds=np.concatenate(asked) if asked and len(asked) == len(texts) else None,
        render=None if render is None else lambda kept: render(split(kept)),
    )
    return result, split(result.kept)


def fit_together(
    texts: Sequence[ReadText],
    render: Callable[[Sequence[tuple[Span, ...]]], str],
    settings: Settings,
    counter: TokenCounter,
) -> list[tuple[Span, ...]]:
    """Return what to keep of each text so that the whole has at most `target_tokens`.

    All of the texts have words. `render` makes the whole: these texts among others, which stay.
    Tokens of joined texts do not add up, so every choice is counted in the whole. Where the cap
    cannot be met, what is protected stays.
    """
    whole: list[tuple[Span, ...]] = [(Span(0, len(text.text)),) for text in texts]
    cap = settings.target_tokens
    if cap is None or not texts or counter.count(render(whole)) <= cap:
        return whole
    return _extracted(texts, settings, counter, render)[1]


def _inside(kept: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    """Return what of slices lies between two offsets, counted from the first."""
    first = bisect_right(kept, start, key=attrgetter("end"))
    stop = bisect_left(kept, end, key=attrgetter("start"))
    return tuple(
        Span(max(span.start, start) - start, min(span.end, end) - start)
        for span in kept[first:stop]
    )
