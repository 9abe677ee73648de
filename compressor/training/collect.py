"""Documents to passages: cut, without duplicates and near-duplicates, with source and licence."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from compressor.training.cut import LEAST, MOST, cut_passages
from compressor.training.language import guess_language
from compressor.training.overlap import Runs
from compressor.training.passage import SourcePassage
from compressor.training.texts import Text

NEAR = 0.5


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """How to cut, and what counts as said before.

    `near` is the share of a passage's 13-word runs that an earlier passage may have; 1 drops exact
    duplicates alone.
    """

    least: int = LEAST
    most: int = MOST
    near: float = NEAR


@dataclass(slots=True)
class Collection:
    """Passages, and how many there were of what: texts, passages cut, dropped by reason."""

    passages: list[SourcePassage] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def by_source(self) -> Mapping[str, int]:
        """Return the number of passages of each source."""
        return Counter(passage.source for passage in self.passages)


def collect(
    texts: Iterable[Text],
    settings: CollectSettings,
    *,
    held_out: Runs | None = None,
) -> Collection:
    """Return the passages of all texts, in their order.

    Those that share a 13-word run with `held_out` are dropped.
    """
    found = Collection()
    seen: set[str] = set()
    runs = Runs()
    for text in texts:
        found.counts["texts"] += 1
        passages = list(_passages(text, settings))
        found.counts["passages cut"] += len(passages)
        found.counts["texts too short"] += not passages
        for passage in passages:
            if passage.id in seen:
                found.counts["dropped: exact duplicate"] += 1
            elif held_out is not None and held_out.touches(passage.text):
                found.counts["dropped: shares a run with held-out text"] += 1
            elif settings.near < 1 and runs.share(passage.text) > settings.near:
                found.counts["dropped: near-duplicate"] += 1
            else:
                seen.add(passage.id)
                runs.add(passage.text)
                found.passages.append(passage)
    return found


def _passages(text: Text, settings: CollectSettings) -> Iterator[SourcePassage]:
    for passage in cut_passages(text.text, least=settings.least, most=settings.most):
        yield SourcePassage(
            id=passage_id(passage),
            source=text.source,
            doc=text.doc,
            lang=text.lang or guess_language(passage),
            licence=text.licence,
            text=passage,
        )


def passage_id(text: str) -> str:
    """Return a name that follows from the text, white space and case aside."""
    plain = " ".join(text.casefold().split())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16]
