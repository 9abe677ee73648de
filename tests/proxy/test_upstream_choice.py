from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.types import Route, Tier
from proxy.upstream_choice import in_order, stickiness

NAMES = st.text(min_size=1, max_size=8)
TIERS = st.lists(
    st.dictionaries(NAMES, st.integers(1, 1000), min_size=1, max_size=4).map(
        lambda tier: tuple(tier.items())
    ),
    min_size=1,
    max_size=4,
)


def keys(count: int) -> list[bytes]:
    return [stickiness("tenant", str(number)) for number in range(count)]


@given(TIERS, st.binary(min_size=16, max_size=16))
def test_every_upstream_comes_once_tier_by_tier(tiers: list[Tier], key: bytes) -> None:
    order = list(in_order(tiers, key))
    for tier in tiers:
        names, order = order[: len(tier)], order[len(tier) :]
        assert sorted(names) == sorted(name for name, _ in tier)
    assert order == []
    assert list(in_order(tiers, key)) == list(in_order(tiers, key))


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (1, 9), (1, 2, 7)])
def test_shares_follow_the_weights(weights: tuple[int, ...]) -> None:
    tier = tuple((f"u{number}", weight) for number, weight in enumerate(weights))
    firsts = Counter(next(in_order([tier], key)) for key in keys(20_000))
    for name, weight in tier:
        # 20,000 draws: five standard deviations are less than 0.018 of the whole
        assert abs(firsts[name] / 20_000 - weight / sum(weights)) < 0.018


def test_an_upstream_that_goes_moves_only_its_own() -> None:
    three = (("a", 1), ("b", 2), ("c", 1))
    two = (("a", 1), ("c", 1))
    for key in keys(500):
        order = list(in_order([three], key))
        assert list(in_order([two], key)) == [name for name in order if name != "b"]


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_keys_are_the_same_for_the_same_words_only(one: list[str], other: list[str]) -> None:
    assert (stickiness(*one) == stickiness(*other)) == (one == other)


def test_lone_surrogates_have_a_key() -> None:
    assert stickiness("\ud800") != stickiness("?")


@pytest.mark.parametrize(
    ("written", "tiers"),
    [
        ("a", [[("a", 1)]]),
        (["a", "b"], [[("a", 1)], [("b", 1)]]),
        (
            [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}, "c"],
            [[("a", 3), ("b", 1)], [("c", 1)]],
        ),
        (
            ["c", {"name": "a", "weight": "3"}, {"name": "b", "weight": 1}, {"name": "d"}],
            [[("c", 1)], [("a", 3), ("b", 1)], [("d", 1)]],
        ),
        (
            [{"name": "a", "weight": 2}, "b", {"name": "c", "weight": 2}],
            [[("a", 2)], [("b", 1)], [("c", 2)]],
        ),
    ],
)
def test_what_a_route_means(written: object, tiers: list[list[tuple[str, int]]]) -> None:
    route = Route.model_validate({"policy": "off", "upstream": written})
    assert [list(tier) for tier in route.tiers] == tiers
    assert route.upstream == tiers[0][0][0]
