from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.match import Router, covers, first_match, glob, model_glob
from policies.types import Match, RequestFacts, Route

FACTS = RequestFacts(
    model="gpt-4o-mini",
    path="/v1/chat/completions",
    tenant="t-abc",
    headers={"x-team": "research", "accept": "*/*"},
)


def route(policy: str = "p", **match: object) -> Route:
    return Route(match=Match.model_validate(match), policy=policy, upstream="u")


def takes(**match: object) -> bool:
    return first_match([route(**match)], FACTS) is not None


def test_an_empty_match_takes_everything() -> None:
    assert takes()


@pytest.mark.parametrize(
    "match",
    [
        {"model": "gpt-4o-mini"},
        {"model": "GPT-4*"},
        {"model": "*mini"},
        {"model": "gpt-4[abo]-????"},
        {"path": "/v1/chat/*"},
        {"path": "/v1/*"},
        {"tenant": "t-*"},
        {"headers": {"X-Team": "res*"}},
        {"headers": {"x-team": "*", "accept": "[*]/[*]"}},
        {"model": "gpt-*", "path": "*/completions", "tenant": "*", "headers": {"x-team": "*"}},
    ],
)
def test_what_matches(match: dict[str, object]) -> None:
    assert takes(**match)


@pytest.mark.parametrize(
    "match",
    [
        {"model": "gpt-4o"},
        {"model": "gpt-4?"},
        {"path": "/v1/Chat/*"},
        {"path": "/v1/chat"},
        {"tenant": "T-abc"},
        {"headers": {"x-team": "Research"}},
        {"headers": {"x-other": "*"}},
        {"headers": {"x-team": "research", "x-other": "*"}},
        {"model": "gpt-*", "path": "/v1/embeddings"},
        {"model": "gpt-*", "tenant": "anonymous"},
    ],
)
def test_every_given_member_has_to_match(match: dict[str, object]) -> None:
    assert not takes(**match)


@pytest.mark.parametrize(
    ("pattern", "model", "expected"),
    [
        ("gpt-4o*", "openai/gpt-4o", True),
        ("gpt-4o*", "openrouter/OpenAI/GPT-4o", True),
        ("GPT-4O", "openai/gpt-4o", True),
        ("openai/*", "openai/gpt-4o", True),
        ("openai/gpt-4o", "azure/openai/gpt-4o", False),
        ("openai/*", "gpt-4o", False),
        ("gpt-4o", "gpt-4o/x", False),
        ("*", "", True),
        ("gpt-*", "", False),
    ],
)
def test_a_model_may_stand_behind_a_providers_prefix(
    pattern: str, model: str, expected: bool
) -> None:
    assert model_glob(pattern)(model) is expected


def test_the_first_match_wins() -> None:
    routes = [route("a", model="claude-*"), route("b", model="gpt-*"), route("c")]
    found = first_match(routes, FACTS)
    assert found is routes[1]


def test_no_match_is_none() -> None:
    assert first_match([route(model="claude-*")], FACTS) is None
    assert first_match([], FACTS) is None


ALPHABET = st.text("ab*?[!]/.\n", max_size=8)


@given(pattern=ALPHABET, text=ALPHABET)
def test_globs_are_the_shells(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is fnmatchcase(text, pattern)


SLUG = st.text("abA/*", min_size=1, max_size=4)
MATCHES = st.builds(
    Match,
    model=st.none() | SLUG,
    path=st.none() | SLUG.map(lambda text: "/" + text),
    tenant=st.none() | SLUG,
    headers=st.dictionaries(st.sampled_from(["x-a", "X-B"]), SLUG, max_size=2),
)
VALUES = st.text("abA/", max_size=4)
ANY_FACTS = st.builds(
    RequestFacts,
    model=VALUES,
    path=VALUES.map(lambda text: "/" + text),
    tenant=VALUES,
    headers=st.dictionaries(st.sampled_from(["x-a", "x-b"]), VALUES, max_size=2),
)


@given(earlier=MATCHES, later=MATCHES, facts=ANY_FACTS)
def test_a_covered_route_takes_nothing_that_the_earlier_one_does_not(
    earlier: Match, later: Match, facts: RequestFacts
) -> None:
    if covers(earlier, later) and Router(
        [Route(match=later, policy="p", upstream="u")]
    ).first_match(facts):
        assert first_match([Route(match=earlier, policy="p", upstream="u")], facts)


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ({}, {"model": "gpt-*"}, True),
        ({"model": "gpt-*"}, {"model": "gpt-4*", "path": "/v1/*"}, True),
        ({"model": "gpt-*"}, {"model": "openai/gpt-4o"}, True),
        ({"headers": {"X-A": "*"}}, {"headers": {"x-a": "1"}}, True),
        ({"model": "gpt-4*"}, {"model": "gpt-*"}, False),
        ({"model": "gpt-?"}, {"model": "gpt-*"}, False),
        ({"model": "gpt-*"}, {}, False),
        ({"headers": {"x-a": "*"}}, {}, False),
        ({"path": "/v1/chat/*"}, {"path": "/v1/*"}, False),
    ],
)
def test_covers(earlier: dict[str, object], later: dict[str, object], expected: bool) -> None:
    found = covers(Match.model_validate(earlier), Match.model_validate(later))
    assert found is expected


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ([{}], False),
        ([{"model": "gpt-4*"}, {}], True),
        ([{}, {"model": "gpt-4*"}], False),
        ([{"model": "*"}, {"model": "gpt-4*"}], False),
        ([{"model": "gpt-4*", "path": "/v1/other"}, {}], False),
        ([{"model": "gpt-4*", "path": "/v1/chat/*", "headers": {"x-team": "*"}}, {}], True),
        ([{"path": "/v1/other"}], False),
    ],
)
def test_whether_the_model_decides(matches: list[dict[str, object]], expected: bool) -> None:
    assert Router([route(**match) for match in matches]).depends_on_model(FACTS) is expected
