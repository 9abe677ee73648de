import pytest

from policies.types import Mode, Policy
from proxy.control import read_control
from proxy.errors import RequestRefused

POLICIES = {
    "soft": Policy(name="soft", threshold=0.4, deadline_ms=700),
    "hard": Policy(name="hard", rate=0.2),
    "none": Policy(name="none", mode=Mode.OFF),
}


def refusal_of(headers: dict[str, str]) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        read_control(headers, POLICIES)
    return caught.value


def test_without_control_headers_the_routes_policy_holds() -> None:
    control = read_control({"content-type": "application/json"}, POLICIES)
    assert not control.bypass
    assert control.applied(POLICIES["soft"]) is POLICIES["soft"]


@pytest.mark.parametrize(
    ("value", "bypass"),
    [("true", True), ("1", True), (" TRUE ", True), ("false", False), ("0", False), ("", False)],
)
def test_bypass_is_true_or_false(value: str, bypass: bool) -> None:
    assert read_control({"x-tersely-bypass": value}, POLICIES).bypass is bypass


def test_any_other_bypass_is_refused() -> None:
    refusal = refusal_of({"x-tersely-bypass": "yes please"})
    assert refusal.status == 400
    assert "'yes please' is neither true nor false" in refusal.message


def test_a_named_policy_replaces_the_routes() -> None:
    control = read_control({"x-tersely-policy": "hard"}, POLICIES)
    assert control.applied(POLICIES["soft"]) is POLICIES["hard"]


def test_an_unknown_policy_is_refused_with_the_known_ones() -> None:
    refusal = refusal_of({"x-tersely-policy": "harder"})
    assert (refusal.status, refusal.param) == (400, "x-tersely-policy")
    assert "'harder'" in refusal.message
    assert "hard, none, soft" in refusal.message


def test_a_rate_replaces_the_policys_amount_and_nothing_else() -> None:
    applied = read_control({"x-tersely-rate": "0.25"}, POLICIES).applied(POLICIES["soft"])
    assert (applied.rate, applied.threshold, applied.target_tokens) == (0.25, None, None)
    assert (applied.name, applied.deadline_ms) == ("soft", 700)


def test_a_rate_does_not_turn_a_policy_on() -> None:
    applied = read_control({"x-tersely-rate": "0.25"}, POLICIES).applied(POLICIES["none"])
    assert applied.mode is Mode.OFF


@pytest.mark.parametrize("value", ["0", "-0.5", "1.01", "nan", "inf", "half", "", "0,5"])
def test_a_rate_out_of_range_is_refused(value: str) -> None:
    refusal = refusal_of({"x-tersely-rate": value})
    assert (refusal.status, refusal.param) == (400, "x-tersely-rate")
    assert f"'{value}'" in refusal.message


def test_a_bad_header_beside_a_bypass_is_refused_all_the_same() -> None:
    assert refusal_of({"x-tersely-bypass": "1", "x-tersely-rate": "9"}).status == 400
