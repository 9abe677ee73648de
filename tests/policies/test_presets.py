import pytest

from policies.presets import PRESETS, complete
from policies.types import Mode, Policy, Role


def build(name: str, **own: object) -> Policy:
    return Policy.model_validate(complete(name, own))


def test_the_presets_and_whose_text_they_take() -> None:
    roles = {name: preset.policy.roles for name, preset in PRESETS.items()}
    user_and_tool = {Role.USER, Role.TOOL}
    assert roles == {
        "off": user_and_tool,
        "safe": user_and_tool,
        "balanced": user_and_tool,
        "aggressive": user_and_tool,
        "agent": {Role.TOOL},
        "rag": user_and_tool | {Role.SYSTEM},
        "rag-question": user_and_tool | {Role.SYSTEM},
        "chat-history": {Role.USER, Role.ASSISTANT},
    }


def test_safe_keeps_more_than_balanced_and_balanced_more_than_aggressive() -> None:
    rates = [PRESETS[name].policy.rate or 0 for name in ("safe", "balanced", "aggressive")]
    assert rates == sorted(set(rates), reverse=True)


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_moves_cached_prefixes_but_the_one_for_questions(name: str) -> None:
    policy = PRESETS[name].policy
    assert policy.question_aware == (name == "rag-question")
    assert not policy.fit_context
    assert policy.min_request_tokens == 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_used_as_it_is(name: str) -> None:
    assert build(name) == PRESETS[name].policy.model_copy(update={"preset": name})


def test_own_members_replace_the_presets() -> None:
    found = build("mine", preset="aggressive", min_tokens=7, mode="shadow")
    assert (found.name, found.preset) == ("mine", "aggressive")
    assert (found.min_tokens, found.mode, found.rate) == (7, Mode.SHADOW, 0.33)


@pytest.mark.parametrize("amount", ["rate", "threshold", "target_tokens"])
def test_an_own_amount_drops_the_presets(amount: str) -> None:
    value = 100 if amount == "target_tokens" else 0.9
    found = build("mine", preset="rag", **{amount: value})
    amounts = {name: getattr(found, name) for name in ("rate", "threshold", "target_tokens")}
    assert amounts == {"rate": None, "threshold": None, "target_tokens": None, amount: value}


def test_a_policy_under_a_presets_name_starts_from_it() -> None:
    assert build("rag", rate=0.4).roles == PRESETS["rag"].policy.roles
    assert build("rag", preset="agent").roles == {Role.TOOL}


def test_without_preset_only_the_defaults_hold() -> None:
    assert build("mine", rate=0.4) == Policy(name="mine", rate=0.4)


def test_own_protections_leave_the_others_on() -> None:
    protect = build("mine", preset="safe", protect={"number": False}).protect
    assert not protect.number
    assert protect.json_
    assert protect.quote
