"""Conditions that annotated passages have to meet: `variation<=0.05`, `heavy.gap<=p90`."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compressor.training.annotate import METRICS
from compressor.training.passage import GRADES

# The match is poor where more than a word in twenty is the teacher's own or found out of order. An
# empty answer, and one that left nothing out, fit perfectly: the labelling has flagged those.
DEFAULT = ("flags<=0", "variation<=0.05", "gap<=0.05", "match>=0.95")

_CONDITION = re.compile(
    r"(?:(?P<grade>\w+)\.)?(?P<metric>\w+)\s*(?P<sign><=|>=)\s*"
    r"(?:p(?P<percentile>\d+(?:\.\d+)?)|(?P<value>-?\d+(?:\.\d+)?))"
)


class BadCondition(ValueError):
    """A condition that cannot be read; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One bound on one metric, of one grade or (None) of all that a passage has.

    `bound` is a value, or with `percentile` set a percentile (0 to 100) of the passages that met
    the conditions before this one.
    """

    text: str
    grade: str | None
    metric: str
    most: bool
    bound: float
    percentile: bool

    def values(self, line: Mapping[str, Any]) -> list[float]:
        """Return what an annotated line has of the metric, where it has it."""
        metrics = line["metrics"]
        grades = [grade for grade in metrics if grade in GRADES]
        if self.grade is not None:
            grades = [grade for grade in grades if grade == self.grade]
        return [
            metrics[grade][self.metric]
            for grade in grades
            if metrics[grade][self.metric] is not None
        ]

    def limit(self, lines: Sequence[Mapping[str, Any]]) -> float:
        """Return the bound's value among these lines."""
        if not self.percentile:
            return self.bound
        values = [value for line in lines for value in self.values(line)]
        if not values:
            return math.inf if self.most else -math.inf
        return float(np.percentile(values, self.bound))

    def met(self, line: Mapping[str, Any], limit: float) -> bool:
        """Whether a line is within the limit; without a value it is."""
        return all(v <= limit if self.most else v >= limit for v in self.values(line))


def parse_condition(text: str) -> Condition:
    """Read `metric<=value`, `metric>=pN` or `grade.metric<=value`. Raises BadCondition."""
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise BadCondition(
            f"'{text}' is no condition; write for instance 'variation<=0.05' or 'heavy.gap<=p90'"
        )
    grade, metric = match["grade"], match["metric"]
    if metric not in METRICS:
        raise BadCondition(f"'{text}': there is no metric '{metric}'; {', '.join(METRICS)}")
    if grade is not None and grade not in GRADES:
        raise BadCondition(f"'{text}': there is no grade '{grade}'; {', '.join(GRADES)}")
    percentile = match["percentile"]
    bound = float(percentile or match["value"])
    if percentile and bound > 100:
        raise BadCondition(f"'{text}': a percentile is at most 100")
    return Condition(
        text.strip(), grade, metric, match["sign"] == "<=", bound, percentile is not None
    )


@dataclass(frozen=True, slots=True)
class Sifted:
    """The lines that met every condition, in their order, and how many each condition took."""

    kept: tuple[Mapping[str, Any], ...]
    dropped: Mapping[str, int]


def sift(
    lines: Sequence[Mapping[str, Any]],
    conditions: Sequence[Condition],
    left_out: Sequence[str] = (),
) -> Sifted:
    """Drop what comes from sources that are left out, then by one condition after the other."""
    kept = [line for line in lines if line["source"] not in left_out]
    dropped = {}
    if left_out:
        dropped[f"source {', '.join(left_out)}"] = len(lines) - len(kept)
    for condition in conditions:
        limit = condition.limit(kept)
        passed = [line for line in kept if condition.met(line, limit)]
        dropped[condition.text] = len(kept) - len(passed)
        kept = passed
    return Sifted(tuple(kept), dropped)
