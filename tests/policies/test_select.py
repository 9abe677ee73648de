from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.select import select
from policies.types import Decision, Mode, Policy, Role, SpeakingRole, TextPart


def policy(**own: object) -> Policy:
    if not {"rate", "threshold", "target_tokens"} & own.keys():
        own["rate"] = 0.5
    return Policy.model_validate({"name": "p", **own})


def part(tokens: int, role: Role = Role.USER, place: int = 0) -> TextPart:
    return TextPart(role, ("messages", place, "content"), "text", tokens)


def decide(tokens: int, role: Role = Role.USER, **own: object) -> Decision:
    return select(policy(**own), [part(tokens, role)])[0]


def test_each_amount_is_passed_on() -> None:
    assert decide(900) == Decision(True, "rate 0.5", rate=0.5)
    assert decide(900, threshold=0.4) == Decision(True, "threshold 0.4", threshold=0.4)
    named = Decision(True, "threshold balanced", threshold="balanced")
    assert decide(900, threshold="balanced") == named
    assert decide(900, target_tokens=100) == Decision(True, "target_tokens 100", target_tokens=100)


def test_tool_descriptions_have_a_switch_of_their_own() -> None:
    schema = Role.TOOL_SCHEMA
    assert decide(900, schema).reason == "the policy has no tool_descriptions"
    assert decide(59, schema, tool_descriptions=60).reason == (
        "59 tokens, below tool_descriptions 60"
    )
    assert decide(60, schema, tool_descriptions=60, roles=[]) == Decision(
        True, "rate 0.5", rate=0.5
    )
    with pytest.raises(ValueError, match="roles"):
        policy(roles=["tool_schema"])


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (decide(900, mode="off"), "policy is off"),
        (decide(900, role=Role.SYSTEM), "role system is not in the policy's roles"),
        (decide(120), "120 tokens, below min_tokens 200"),
        (decide(0, min_tokens=0), "has no tokens"),
        (decide(900, target_tokens=900), "900 tokens, within target_tokens 900"),
        (decide(900, rate=1), "rate 1 keeps everything"),
        (
            decide(900, min_request_tokens=1000),
            "request has 900 tokens, below min_request_tokens 1000",
        ),
    ],
)
def test_why_a_part_is_left_alone(decision: Decision, reason: str) -> None:
    assert decision == Decision(False, reason)


def test_the_limits_themselves_are_compressed() -> None:
    assert decide(200).compress
    assert decide(1000, min_request_tokens=1000).compress
    assert decide(1, min_tokens=0).compress


def test_min_request_tokens_counts_every_role() -> None:
    parts = [part(600), part(400, Role.SYSTEM)]
    decisions = select(policy(min_request_tokens=1000), parts)
    assert [decision.compress for decision in decisions] == [True, False]


def test_shadow_decides_as_on_does() -> None:
    parts = [part(900), part(10), part(900, Role.ASSISTANT)]
    assert select(policy(mode="shadow"), parts) == select(policy(mode="on"), parts)


def test_a_policy_without_amount_leaves_alone() -> None:
    empty = policy().model_copy(update={"rate": None})
    assert select(empty, [part(900)])[0] == Decision(
        False, "policy has no rate, threshold or target_tokens"
    )


class TestFitContext:
    def fit(
        self, *tokens: int, window: int | None, reserved: int = 0, **own: object
    ) -> list[Decision]:
        parts = [part(count, place=i) for i, count in enumerate(tokens)]
        return select(
            policy(fit_context=True, **own), parts, window=window, reserved_tokens=reserved
        )

    def test_an_unknown_window_changes_nothing(self) -> None:
        assert self.fit(10_000, window=None) == [
            Decision(False, "context window is not known: fit_context cannot act")
        ]

    def test_a_request_that_fits_is_left_alone(self) -> None:
        assert self.fit(900, window=1000, reserved=100) == [
            Decision(
                False,
                "request has 900 tokens and fits the context window of 1000 "
                "less 100 for the answer",
            )
        ]

    def test_the_demand_is_one_rate_for_all_parts(self) -> None:
        decisions = self.fit(600, 400, window=1000, reserved=200)
        reason = (
            "request is 200 tokens over the context window of 1000 less 200 for the answer: "
            "rate 0.8, milder than the policy's 0.5"
        )
        assert decisions == [Decision(True, reason, rate=0.8)] * 2

    def test_it_goes_past_the_policys_rate_and_says_so(self) -> None:
        (decision,) = self.fit(1000, window=240)
        assert decision.rate == 0.2
        assert decision.reason.endswith("rate 0.2, harder than the policy's 0.5")

    def test_other_amounts_are_replaced(self) -> None:
        (decision,) = self.fit(1000, window=500, threshold=0.3)
        assert (decision.rate, decision.threshold) == (0.5, None)

    def test_parts_that_must_stay_are_made_up_for_by_the_others(self) -> None:
        decisions = self.fit(100, 1000, window=600)
        assert decisions[0] == Decision(False, "100 tokens, below min_tokens 200")
        assert decisions[1].rate == 0.5

    def test_small_rates_move_in_finer_steps(self) -> None:
        (decision,) = self.fit(1000, window=39)
        assert decision.rate == 0.03

    def test_where_nothing_helps_nothing_is_compressed(self) -> None:
        decisions = self.fit(1000, 100, window=100)
        assert [decision.compress for decision in decisions] == [False, False]
        assert decisions[0].reason == (
            "request is 1000 tokens over the context window of 100 and only 1000 may be "
            "compressed: fit_context cannot act"
        )
        assert not self.fit(50, window=10)[0].compress

    def test_a_growing_conversation_keeps_its_rate_for_a_while(self) -> None:
        rates = {self.fit(1000, tail, window=1000)[0].rate for tail in range(300, 330, 10)}
        assert len(rates) == 1

    @given(
        tokens=st.lists(st.integers(0, 5000), max_size=6),
        window=st.integers(0, 10_000),
        reserved=st.integers(0, 5000),
    )
    def test_what_it_decides_fits(self, tokens: list[int], window: int, reserved: int) -> None:
        decisions = self.fit(*tokens, window=window, reserved=reserved)
        if any(decision.compress for decision in decisions):
            after = sum(
                count * (decision.rate or 1)
                for count, decision in zip(tokens, decisions, strict=True)
            )
            assert after <= max(window - reserved, 0) + 1e-6


PARTS = st.lists(
    st.builds(
        TextPart,
        role=st.sampled_from(Role),
        path=st.tuples(st.just("messages"), st.integers(0, 99), st.just("content")),
        text=st.text(max_size=5),
        tokens=st.integers(0, 3000),
    ),
    max_size=8,
)
AMOUNTS = st.one_of(
    st.builds(lambda rate: {"rate": rate}, st.floats(0.01, 1)),
    st.builds(lambda threshold: {"threshold": threshold}, st.floats(0, 1)),
    st.builds(lambda target: {"target_tokens": target}, st.integers(1, 3000)),
)
PURE = st.builds(
    lambda amount, **own: Policy(name="p", **own, **amount),
    AMOUNTS,
    mode=st.sampled_from(Mode),
    min_tokens=st.integers(0, 2000),
    roles=st.frozensets(st.sampled_from(get_args(SpeakingRole))),
    tool_descriptions=st.none() | st.integers(1, 2000),
)
MOVING = st.builds(
    lambda pure, least, fit: pure.model_copy(
        update={"min_request_tokens": least, "fit_context": fit}
    ),
    PURE,
    st.integers(0, 5000),
    st.booleans(),
)
WINDOWS = st.none() | st.integers(0, 10_000)


@given(policy=MOVING, parts=PARTS, window=WINDOWS, reserved=st.integers(0, 2000))
def test_every_part_gets_one_complete_decision(
    policy: Policy, parts: list[TextPart], window: int | None, reserved: int
) -> None:
    decisions = select(policy, parts, window=window, reserved_tokens=reserved)
    assert len(decisions) == len(parts)
    for part_, decision in zip(parts, decisions, strict=True):
        given = [decision.rate, decision.threshold, decision.target_tokens]
        assert decision.reason
        assert sum(value is not None for value in given) == decision.compress
        if decision.compress:
            schema = part_.role is Role.TOOL_SCHEMA
            assert schema or part_.role in policy.roles
            least = policy.tool_descriptions if schema else policy.min_tokens
            assert least is not None
            assert part_.tokens >= least


@settings(max_examples=200)
@given(policy=PURE, parts=PARTS, data=st.data(), window=WINDOWS)
def test_a_part_is_decided_by_itself_wherever_it_stands(
    policy: Policy, parts: list[TextPart], data: st.DataObject, window: int | None
) -> None:
    together = select(policy, parts, window=window)
    assert together == [select(policy, [alone])[0] for alone in parts]
    order = data.draw(st.permutations(range(len(parts))))
    moved = [
        TextPart(parts[i].role, ("messages", place, "content"), parts[i].text, parts[i].tokens)
        for place, i in enumerate(order)
    ]
    assert select(policy, moved) == [together[i] for i in order]


@given(policy=MOVING, parts=PARTS, window=WINDOWS)
def test_the_order_of_parts_never_matters(
    policy: Policy, parts: list[TextPart], window: int | None
) -> None:
    backwards = select(policy, parts[::-1], window=window)
    assert backwards == select(policy, parts, window=window)[::-1]
