import pytest
from pydantic import ValidationError

from policies.types import Match, Policy


@pytest.mark.parametrize("own", [{}, {"rate": 0.5, "threshold": 0.5}])
def test_a_policy_has_exactly_one_amount(own: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="exactly one of rate, threshold and target_tokens"):
        Policy.model_validate({"name": "p", **own})


def test_an_off_policy_needs_no_amount() -> None:
    assert Policy.model_validate({"name": "p", "mode": "off"}).amount == "nothing"


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"rate": 0.5}, "rate 0.5"),
        ({"threshold": 0.25}, "threshold 0.25"),
        ({"threshold": "0.25"}, "threshold 0.25"),  # as config.yaml has it
        ({"threshold": "balanced"}, "threshold balanced"),
        ({"target_tokens": 900}, "target_tokens 900"),
        ({"rate": 0.5, "fit_context": True}, "as the context window demands"),
    ],
)
def test_amount_in_words(own: dict[str, object], words: str) -> None:
    assert Policy.model_validate({"name": "p", **own}).amount == words


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (1.2, "'1.2' is neither"),
        ("-0.1", "'-0.1' is neither"),
        ("Balanced", "'Balanced' is neither a keep probability"),
        ("40%", "'40%' is neither"),
        (True, "'True' is neither"),
        ([0.5], "is neither"),
        (float("nan"), "'nan' is neither"),
    ],
)
def test_a_threshold_is_a_probability_or_a_name(threshold: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Policy.model_validate({"name": "p", "threshold": threshold})


@pytest.mark.parametrize("rate", [0, -1, 1.1, float("nan"), float("inf")])
def test_rates_out_of_range(rate: float) -> None:
    with pytest.raises(ValidationError):
        Policy(name="p", rate=rate)


def test_an_empty_force_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="empty force token"):
        Policy(name="p", rate=0.5, force_tokens=("a", " "))


@pytest.mark.parametrize("pattern", ["gpt-[", "[]", "[!]", "a[b]c[", ""])
def test_globs_that_can_only_be_slips(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"never closed|empty glob"):
        Match(model=pattern)
    with pytest.raises(ValidationError):
        Match(headers={"x-a": pattern})


@pytest.mark.parametrize("pattern", ["gpt-[45]*", "[]]", "[!]]", "[[]", "?", "a]"])
def test_globs_that_are_fine(pattern: str) -> None:
    assert Match(model=pattern).model == pattern


def test_paths_start_with_a_slash() -> None:
    with pytest.raises(ValidationError, match="a path starts with /"):
        Match(path="v1/chat/*")
    assert Match(path="*/chat/completions").path


def test_header_names_are_header_names() -> None:
    with pytest.raises(ValidationError, match="not a header's name"):
        Match(headers={"x team": "*"})
