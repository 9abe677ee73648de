"""The ways of shortening that are compared, behind one protocol."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

from compressor.engine import Compressor
from compressor.evaluation.baselines import Ranking, keep_best
from compressor.types import ALL_KINDS, Kind, Settings, Span, TokenCounter

_APART = ("evaluation", "training", "models", "vocabulary")  # they change no text, or say so


@cache
def source_revision() -> str:
    """Return a short hash of the compressor's source.

    Part of what results are stored under, so that a run after a change is a run of the change.
    """
    digest = hashlib.sha256()
    folders = [resources.files("compressor")]
    while folders:
        for entry in sorted(folders.pop().iterdir(), key=lambda e: e.name):
            if entry.is_dir() and entry.name not in _APART:
                folders.append(entry)
            elif entry.name.endswith(".py"):
                digest.update(entry.read_bytes())
    return digest.hexdigest()[:12]


def corpus_revision(texts: Sequence[str]) -> str:
    """Return a short hash of a corpus that a method was trained on."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "replace")).digest())
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Shortened:
    """A shorter text, and the slices of the source that it came from."""

    text: str
    kept: tuple[Span, ...]


class Method(Protocol):
    """One way of shortening texts."""

    @property
    def name(self) -> str:
        """What tables and options call it."""
        ...

    @property
    def revision(self) -> str:
        """Changes with anything that can change a result; results are stored under it."""
        ...

    @property
    def question_aware(self) -> bool:
        """Whether the result depends on the question; without, a document is shortened once."""
        ...

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        """Return `text` cut to `rate` of its tokens; the same call gives the same text."""
        ...


@dataclass(frozen=True, slots=True)
class Original:
    """The text as it is, at every rate: what answers are compared with."""

    name: str = "original"
    revision: str = "1"
    question_aware: bool = False

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        """Return the text."""
        return Shortened(text, (Span(0, len(text)),) if text else ())


@dataclass(frozen=True, slots=True)
class Tersely:
    """This project's compressor, with the protections given, without or with the question."""

    name: str
    compressor: Compressor
    encoding: str
    protect: frozenset[Kind] = ALL_KINDS
    question_aware: bool = False

    @property
    def revision(self) -> str:
        """The classifier's, the algorithm's, the relevance's and the source's."""
        settings = self._settings("any" if self.question_aware else None, 1.0)
        return f"{self.compressor.revision_for(settings)}/{source_revision()}"

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        """Compress the text; where there is no question, blind."""
        settings = self._settings(question if self.question_aware else None, rate)
        result = self.compressor.compress(text, settings)
        return Shortened(result.text, result.kept)

    def _settings(self, question: str | None, rate: float) -> Settings:
        asked = question if question and question.strip() else None
        return Settings(rate=rate, encoding=self.encoding, protect=self.protect, question=asked)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A baseline: words by a ranking, the best kept."""

    name: str
    ranking: Ranking
    counter: TokenCounter
    revision: str
    question_aware: bool = False

    def shorten(self, text: str, question: str | None, rate: float) -> Shortened:
        """Keep the best words."""
        return Shortened(*keep_best(text, self.ranking, rate, self.counter))
