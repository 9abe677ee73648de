"""Chooses cases so that every two values of different dimensions meet in one of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

Case = dict[str, str]


def pairwise_cases(dimensions: Mapping[str, Sequence[str]]) -> list[Case]:
    """Return cases, the same ones every time, that hold every pair of values at least once.

    Greedy: the case that holds the most pairs still missing comes next. Every case of the full
    product is looked at for each choice, which is fine for some thousands of them.
    """
    names = list(dimensions)
    every = [dict(zip(names, values, strict=True)) for values in product(*dimensions.values())]
    held = [frozenset(pairs(case)) for case in every]
    missing = set().union(*held)
    chosen: list[Case] = []
    while missing:
        best = max(range(len(every)), key=lambda place: len(held[place] & missing))
        chosen.append(every[best])
        missing -= held[best]
    return chosen


def pairs(case: Case) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the pairs of values that a case holds, each with the names of its dimensions."""
    return list(combinations(sorted(case.items()), 2))
