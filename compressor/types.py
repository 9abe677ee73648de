"""The values that pass between the compressor's parts and its callers. Imports no sibling."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from numbers import Integral, Real
from typing import Any, Literal, Protocol, get_args


class Kind(StrEnum):
    """Why a stretch of text is protected, in the words that logs and results use."""

    CODE = "code"
    JSON = "json"
    TABLE = "table"
    URL = "url"
    PATH = "path"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    NEGATION = "negation"
    QUOTE = "quote"
    INSTRUCTION = "instruction"
    QUESTION = "question"
    FORCED = "forced"


ALL_KINDS = frozenset(Kind)


# A threshold's name; policies/types.py has the same.
_NAME = re.compile(r"[a-z][a-z0-9_-]*")

TokenToWord = Literal["mean", "first"]
"""How a word's keep probability comes from its classifier tokens: their mean, or the first one's.
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of character offsets into the source text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ProtectedSpan:
    """A span that must come out byte for byte, and why.

    A span kept only together with the word it belongs to (a negation or a number is noise once its
    clause is gone) has `conditional` set: budget and verify keep it exactly when its clause stays.
    """

    start: int
    end: int
    kind: Kind
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard to compress one text, and what to keep whatever it costs.

    Exactly one of `rate` (tokens kept / tokens before, in (0, 1]), `threshold` (keep words whose
    keep probability is above it, in [0, 1], or a name that the classifier's calibration has) and
    `target_tokens` (a cap, > 0) is set. Tokens are the target model's, counted with `encoding`.

    `force_tokens` are words or phrases kept wherever they occur, `force_digits` keeps every word
    with a digit, both whatever `protect` names; with `drop_consecutive` a forced word that would
    stand right behind the same one is dropped. With `chunk_end_tokens` the classifier sees chunks
    of up to 510 tokens that end at one of these, each by itself, as LLMLingua-2 was trained;
    without, windows that end with a sentence or a line if they can, and see as much before as the
    classifier's checkpoint says. With a `question` words that bear on it gain log-odds, and the
    result depends on it; None is blind. `json_prose` also shortens long prose in JSON strings, and
    a rate is then that of what is not JSON otherwise. A `tool_description` keeps the sentences that
    say how the tool is to be used.

    Raises ValueError when none or several amounts are set, or something is out of range.
    """

    rate: float | None = None
    threshold: float | str | None = None
    target_tokens: int | None = None
    protect: frozenset[Kind] = ALL_KINDS
    force_tokens: tuple[str, ...] = ()
    encoding: str = "o200k_base"
    token_to_word: TokenToWord = "mean"  # noqa: S105 - not a password
    force_digits: bool = False
    drop_consecutive: bool = False
    chunk_end_tokens: tuple[str, ...] = ()
    question: str | None = None
    json_prose: bool = False
    tool_description: bool = False

    def __post_init__(self) -> None:
        self._check_types()
        chosen = [v for v in (self.rate, self.threshold, self.target_tokens) if v is not None]
        if len(chosen) != 1:
            raise ValueError("set exactly one of rate, threshold and target_tokens")
        if self.rate is not None and not 0 < self.rate <= 1:
            raise ValueError(f"rate is {self.rate}; it is a share kept, above 0 and at most 1")
        if isinstance(self.threshold, str):
            if not _NAME.fullmatch(self.threshold):
                raise ValueError(
                    f"threshold is '{self.threshold}'; it is a probability, 0 to 1, or a name of "
                    "lower-case letters like balanced"
                )
        elif self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}; it is a probability, 0 to 1")
        if self.target_tokens is not None and self.target_tokens < 1:
            raise ValueError(f"target_tokens is {self.target_tokens}; it is at least 1")
        self._check_collections()
        if self.token_to_word not in get_args(TokenToWord):
            raise ValueError(f"token_to_word is {self.token_to_word!r}; it is 'mean' or 'first'")
        if self.question is not None and not self.question.strip():
            raise ValueError("the question is blank; leave it out (None) to compress without one")

    def _check_types(self) -> None:
        """Make numbers and collections of what passes for them, and refuse what does not."""
        for name in ("rate", "threshold", "target_tokens"):
            value: Any = getattr(self, name)
            if value is None or (name == "threshold" and isinstance(value, str)):
                continue
            whole = name == "target_tokens"
            if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
                kind = "whole number" if whole else "number"
                raise ValueError(f"{name} is {value!r}, which is no {kind}")
            if not isinstance(value, int | float):  # numpy's
                object.__setattr__(self, name, _plain_number(value))
        for name in ("force_tokens", "chunk_end_tokens"):
            object.__setattr__(self, name, _texts(name, getattr(self, name)))
        protect: Any = self.protect
        if isinstance(protect, str) or not isinstance(protect, Iterable):
            raise ValueError(f"protect is {protect!r}; give a set of kinds")
        object.__setattr__(self, "protect", frozenset(protect))
        if not isinstance(self.encoding, str):
            raise ValueError(f"encoding is {self.encoding!r}, which is no text")
        if self.question is not None and not isinstance(self.question, str):
            raise ValueError(f"the question is {self.question!r}, which is no text")

    def _check_collections(self) -> None:
        unknown = set(self.protect) - ALL_KINDS
        if unknown:
            raise ValueError(
                f"protect has '{min(unknown)}', which is no kind; the kinds are "
                + ", ".join(sorted(ALL_KINDS))
            )
        if not all(self.force_tokens):
            raise ValueError("an empty force_token would keep nothing; leave it out")
        if not all(self.chunk_end_tokens):
            raise ValueError("an empty chunk_end_token would end a chunk everywhere; leave it out")

    @property
    def least_probability(self) -> float | None:
        """The threshold as a number. Raises ValueError for a name (see Compressor.resolved)."""
        if isinstance(self.threshold, str):
            raise ValueError(
                f"threshold '{self.threshold}' is a name; Compressor.resolved makes a number of it"
            )
        return self.threshold


def _plain_number(value: Any) -> float:  # noqa: ANN401 - any kind of number
    return int(value) if isinstance(value, Integral) else float(value)


def _texts(name: str, given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ValueError(
            f"{name} is one text, of which each letter would be one; give a tuple of texts"
        )
    if not isinstance(given, Iterable):
        raise ValueError(f"{name} is {given!r}; give a tuple of texts")
    texts: list[str] = []
    for text in given:
        if not isinstance(text, str):
            raise ValueError(f"{name} has {text!r}, which is no text")
        texts.append(text)
    return tuple(texts)


@dataclass(frozen=True, slots=True)
class VerifiedCount:
    """What verify counted of one kind of protected span, after the words were chosen.

    Of the source's `spans`, `called_for` have to stay given what else stays; of those, `whole` are
    in the result byte for byte, `restored` of them because verify put them back.
    """

    spans: int
    called_for: int
    whole: int
    restored: int = 0

    @property
    def lost(self) -> int:
        """Spans that were called for and are not whole in the result; 0 unless there is a bug."""
        return self.called_for - self.whole


@dataclass(frozen=True, slots=True)
class ExplainedWord:
    """One word or mark of the source, whether it was kept, and why.

    `start` and `end` are character offsets. `probability` is the classifier's, None where it was
    not asked; `score` is what the word was ranked by: its probability, or another where it is
    bound to other words (9 for what has to stay, 2 for the marks and labels of such). `why` is one
    of the words that `compressor/explain.py` lists.
    """

    start: int
    end: int
    probability: float | None
    score: float | None
    kept: bool
    why: str

    def of(self, text: str) -> str:
        """Return the word, given the source."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class CompressionResult:
    """One compressed text, with what was kept and what it cost.

    `kept` are the slices of the source that make up `text`, in order (empty in a result that comes
    from a cache); where `text` is the source itself, `unchanged` says why. `verified` is what was
    counted again after choosing, by kind, for the kinds that the source has (empty where `text` is
    the source). `words` is every word of the source where an explanation was asked for, and empty
    otherwise. `timings_ms` is by stage and no part of equality.
    """

    text: str
    tokens_before: int
    tokens_after: int
    kept: tuple[Span, ...]
    unchanged: str | None = None
    budget_unmet: bool = False
    verified: Mapping[Kind, VerifiedCount] = field(default_factory=dict)
    words: tuple[ExplainedWord, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def rate(self) -> float:
        """Tokens kept / tokens before; 1.0 for an empty text."""
        return self.tokens_after / self.tokens_before if self.tokens_before else 1.0

    @property
    def restored(self) -> Mapping[Kind, int]:
        """How many protected spans verify put back, by kind."""
        return {kind: count.restored for kind, count in self.verified.items() if count.restored}


class CacheState(StrEnum):
    """Where the answer for one part came from."""

    MEMORY = "memory"
    SHARED = "shared"
    JOINED = "joined"  # another request was already compressing the same text
    MISS = "miss"


class Failure(StrEnum):
    """Why a part goes as the original although its policy would compress it."""

    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    CLASSIFIER_UNAVAILABLE = "classifier_unavailable"
    ERROR = "error"
    EARLIER_FAILURE = "earlier_failure"  # it went out as the original before and stays so


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one part became under a deadline. On a failure `text` is the original."""

    text: str
    cache: CacheState
    result: CompressionResult | None
    failure: Failure | None
    elapsed_ms: float


class PartCompressor(Protocol):
    """Compresses one part for one tenant within a deadline; never raises, never blocks the loop."""

    async def compress(
        self, text: str, settings: Settings, *, tenant: str, deadline_ms: float
    ) -> Outcome:
        """Return the compressed part, or the original with the reason."""
        ...

    def degraded(self) -> Mapping[str, str]:
        """What does not work now and why, by component; empty when all is well."""
        ...

    async def start(self) -> None:
        """Load the classifier and connect the shared cache; a failure shows in `degraded`."""
        ...

    async def close(self) -> None:
        """Finish or drop background work and release threads and connections."""
        ...


class TokenCounter(Protocol):
    """Counts one tokenizer's tokens. Thread-safe; special-token text counts as plain text."""

    def count(self, text: str) -> int:
        """Return the number of tokens in `text`."""
        ...

    def starts(self, text: str) -> Sequence[int]:
        """Return the character offset at which each token starts, ascending.

        A token that begins inside a character (byte-level BPE) counts at that character.
        """
        ...
