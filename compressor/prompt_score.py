"""Adds up what speaks for each sentence being an instruction or a question to the model.

Logistic regression over named evidence, in two passes: the second also sees how the first scored
the sentences around, so that a message that says at one end what to do needs more evidence at the
other. The weights are fitted to the labelled prompts of `tests/compressor/labelled` by
`python -m tests.compressor.fit_prompt_weights`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate

from compressor.prompt_evidence import Part, evidence_of

_LEVELS = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
_NOTHING = -9.0

Rows = list[list[list[str]]]  # by part, by sentence: the names of its evidence
Scores = list[list[float]]


@dataclass(frozen=True, slots=True)
class PromptWeights:
    """What each name weighs in log-odds, by pass; the empty name is the intercept."""

    first: Mapping[str, float]
    second: Mapping[str, float]


@cache
def bundled_weights() -> PromptWeights:
    """Return the weights that come with the package."""
    text = files("compressor").joinpath("prompt_weights.json").read_text("utf-8")
    read = json.loads(text)
    return PromptWeights(read["first"], read["second"])


def scores(parts: Sequence[Part], weights: PromptWeights) -> Scores:
    """Return the log-odds of each sentence of each part."""
    rows = evidence_rows(parts)
    first = sums(rows, weights.first)
    cues = [[read.cue for read in part.read] for part in parts]
    return sums(with_surroundings(rows, cues, first), weights.second)


def evidence_rows(parts: Sequence[Part]) -> Rows:
    """Return each sentence's evidence for the first pass, every name once."""
    return [
        [list(dict.fromkeys(evidence_of(part, i, parts))) for i in range(len(part.read))]
        for part in parts
    ]


def with_surroundings(rows: Rows, cues: Sequence[Sequence[str]], first: Scores) -> Rows:
    """Return each sentence's evidence for the second pass, given the scores of the first."""
    best = [max(scored) for scored in first]
    before = list(accumulate(best[:-1], max, initial=_NOTHING))
    after = list(accumulate(best[:0:-1], max, initial=_NOTHING))[::-1]
    found = []
    for i, part in enumerate(rows):
        of_part = (
            f"part mean {_level(sum(first[i]) / len(part))}",
            f"part best {_level(best[i])}",
            f"part before {_level(best[i - 1]) if i else 'start'}",
            f"part after {_level(best[i + 1]) if i + 1 < len(best) else 'end'}",
        )
        told = (before[i], after[i])
        manners = [_manner(names, cue) for names, cue in zip(part, cues[i], strict=True)]
        found.append(
            [
                [*names, *of_part, *_of_surroundings(k, first[i], told, manners[k])]
                for k, names in enumerate(part)
            ]
        )
    return found


def _manner(names: Sequence[str], cue: str) -> str:
    """Return a sentence's cue, or that it is a title without one."""
    return "title" if cue == "none" and any(n.startswith("title ") for n in names) else cue


def _of_surroundings(
    k: int, own: Sequence[float], told: tuple[float, float], cue: str
) -> Iterator[str]:
    level = _level(own[k])
    elsewhere = _level(max(told))
    yield f"score {level}"
    yield f"told {elsewhere}"
    yield f"told {elsewhere} {cue}"
    yield f"told {elsewhere} score {level}"
    yield f"told before {_level(told[0])}"
    yield f"told after {_level(told[1])}"
    yield f"next {_level(own[k + 1]) if k + 1 < len(own) else 'end'}"
    yield f"previous {_level(own[k - 1]) if k else 'start'}"


def _level(score: float) -> str:
    return next((f"{limit:g}" for limit in _LEVELS if score <= limit), "more")


def sums(rows: Rows, weights: Mapping[str, float]) -> Scores:
    """Return what the evidence of each sentence adds up to."""
    base = weights[""]
    return [[base + sum(weights.get(n, 0.0) for n in names) for names in part] for part in rows]
