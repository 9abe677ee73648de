"""Policy and parts -> what happens to every part, with the reason in words.

A part's decision never looks at where the part stands or how old it is: a rule that did would
change earlier messages as a conversation grows, and the provider's prompt cache would miss.
"""

from collections.abc import Sequence

from policies.types import Decision, Mode, Policy, Role, TextPart

# Steps of the rate that fit_context picks: coarse, so that a growing conversation keeps the same
# rate, and with it the same compressed prefix, for several turns; fine where coarse would be zero.
_COARSE_PERCENT = 5
_FINE_PERCENT = 1


def select(
    policy: Policy,
    parts: Sequence[TextPart],
    *,
    window: int | None = None,
    reserved_tokens: int = 0,
) -> list[Decision]:
    """Return one decision per part, in the parts' order.

    `window` is the model's context window in tokens, None where it is not known, and
    `reserved_tokens` what the answer may take of it; both matter to fit_context only.
    """
    total = sum(part.tokens for part in parts)
    if policy.mode is Mode.OFF:
        return _keep_all(parts, "policy is off")
    if total < policy.min_request_tokens:
        return _keep_all(
            parts,
            f"request has {total} tokens, below min_request_tokens {policy.min_request_tokens}",
        )
    obstacles = [_obstacle(policy, part) for part in parts]
    if policy.fit_context:
        return _fit(policy, parts, obstacles, window, reserved_tokens)
    return [
        _by_amount(policy, part) if obstacle is None else Decision(False, obstacle)
        for part, obstacle in zip(parts, obstacles, strict=True)
    ]


def _keep_all(parts: Sequence[TextPart], reason: str) -> list[Decision]:
    return [Decision(False, reason)] * len(parts)


def _obstacle(policy: Policy, part: TextPart) -> str | None:
    """Return why the part is left alone whatever the amount, or None."""
    if part.role is Role.TOOL_SCHEMA:
        least = policy.tool_descriptions
        if least is None:
            return "the policy has no tool_descriptions"
        if part.tokens < least:
            return f"{part.tokens} tokens, below tool_descriptions {least}"
        return None
    if part.role not in policy.roles:
        return f"role {part.role} is not in the policy's roles"
    if part.tokens == 0:
        return "has no tokens"
    if part.tokens < policy.min_tokens:
        return f"{part.tokens} tokens, below min_tokens {policy.min_tokens}"
    return None


def _by_amount(policy: Policy, part: TextPart) -> Decision:
    """Return the decision that the policy's own amount makes for a part without obstacle."""
    if policy.rate is not None:
        if policy.rate >= 1:
            return Decision(False, "rate 1 keeps everything")
        return Decision(True, f"rate {policy.rate:g}", rate=policy.rate)
    if policy.threshold is not None:
        reason = f"threshold {policy.threshold}"
        return Decision(True, reason, threshold=policy.threshold)
    target = policy.target_tokens
    if target is None:  # Policy's validator forbids it; a model_copy does not ask the validator
        return Decision(False, "policy has no rate, threshold or target_tokens")
    if part.tokens <= target:
        return Decision(False, f"{part.tokens} tokens, within target_tokens {target}")
    return Decision(True, f"target_tokens {target}", target_tokens=target)


def _fit(
    policy: Policy,
    parts: Sequence[TextPart],
    obstacles: Sequence[str | None],
    window: int | None,
    reserved_tokens: int,
) -> list[Decision]:
    """Spread what the window demands over the parts without obstacle, as one common rate."""
    if window is None:
        return _keep_all(parts, "context window is not known: fit_context cannot act")
    total = sum(part.tokens for part in parts)
    room = max(window - reserved_tokens, 0)
    over = total - room
    limit = f"context window of {window}"
    if reserved_tokens:
        limit += f" less {reserved_tokens} for the answer"
    if over <= 0:
        return _keep_all(parts, f"request has {total} tokens and fits the {limit}")
    compressible = sum(
        part.tokens for part, why in zip(parts, obstacles, strict=True) if why is None
    )
    percent = _floor_percent(compressible - over, compressible)
    if percent == 0:
        return [
            Decision(
                False,
                why
                or f"request is {over} tokens over the {limit} and only {compressible} may be "
                "compressed: fit_context cannot act",
            )
            for why in obstacles
        ]
    rate = percent / 100
    reason = f"request is {over} tokens over the {limit}: rate {rate:g}"
    if policy.rate is not None and rate != policy.rate:
        reason += f", {'harder' if rate < policy.rate else 'milder'} than the policy's "
        reason += f"{policy.rate:g}"
    chosen = Decision(True, reason, rate=rate)
    return [chosen if why is None else Decision(False, why) for why in obstacles]


def _floor_percent(kept: int, whole: int) -> int:
    """Return kept/whole in percent, rounded down to a step; 0 where less than one step is kept."""
    if kept <= 0:
        return 0
    percent = kept * 100 // whole
    step = _COARSE_PERCENT if percent >= _COARSE_PERCENT else _FINE_PERCENT
    return percent // step * step
