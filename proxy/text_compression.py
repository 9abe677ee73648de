"""POST /v1/compress: texts in, shorter texts out, for callers that send their prompts themselves.

It goes through the policies, the caches, the deadline and the queue that requests go through. No
upstream is asked, so nothing is saved on a bill by it: its record counts no savings.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from compressor.calibration import UnknownThreshold
from policies.types import Mode, Policy, Role, Threshold
from proxy.dialects.base import BodyText
from proxy.errors import RequestRefused
from proxy.treatment import Numbers, Treated

PATH = "/v1/compress"
_AMOUNTS = ("rate", "threshold", "target_tokens")
_OWN_POLICY = "request"
_MAX_TEXTS = 1000
_LONGEST_NAME = 100


def _number(written: object) -> object:
    """Refuse what pydantic would make a number of: `true` is 1 token for it."""
    if isinstance(written, bool | str):
        raise ValueError("Input should be a number")
    return written


_Number = BeforeValidator(_number)


class CompressRequest(BaseModel):
    """The body of POST /v1/compress."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    text: str | None = Field(None, description="The text to shorten.")
    texts: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        max_length=_MAX_TEXTS,
        description="Several texts, each shortened by itself; instead of `text`.",
    )
    model: str = Field("gpt-4o", description="The model whose tokens are counted.")
    policy: str | None = Field(
        None, description="A policy or preset of the proxy; `balanced` where no amount is given."
    )
    rate: Annotated[float | None, _Number] = Field(
        None, gt=0, le=1, description="Tokens kept / tokens before."
    )
    threshold: Threshold | None = Field(
        None,
        description="Keep words whose keep probability is above this: a number from 0 to 1, or a "
        "name from the classifier's calibration, like balanced.",
    )
    target_tokens: Annotated[int | None, _Number] = Field(
        None, ge=1, description="A cap for each text, in tokens."
    )
    question: str | None = Field(
        None, description="What the texts are wanted for: what bears on it gets more of the budget."
    )
    force_tokens: tuple[str, ...] = Field((), description="Words or phrases to keep always.")

    @field_validator("question")
    @classmethod
    def _asks_something(cls, question: str | None) -> str | None:
        if question is not None and not question.strip():
            raise ValueError("it is blank; leave it out to compress without one")
        return question

    @field_validator("force_tokens")
    @classmethod
    def _force_something(cls, tokens: tuple[str, ...]) -> tuple[str, ...]:
        if not all(token.strip() for token in tokens):
            raise ValueError("an empty force token would keep nothing; leave it out")
        return tokens

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.text is None) == (self.texts is None):
            raise ValueError("give either `text` or `texts`")
        amounts = [name for name in _AMOUNTS if getattr(self, name) is not None]
        if len(amounts) > 1:
            raise ValueError(f"give one amount, not {' and '.join(amounts)}")
        if self.policy is not None and amounts:
            raise ValueError(f"give either `policy` or `{amounts[0]}`")
        return self

    @property
    def all_texts(self) -> tuple[str, ...]:
        """The texts, one or several."""
        return self.texts if self.texts is not None else (self.text or "",)


def read_request(body: bytes) -> CompressRequest:
    """Return what a body asks for; raises RequestRefused (400) that names what is wrong with it."""
    try:
        return CompressRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:_LONGEST_NAME]
        message = first["msg"].removeprefix("Value error, ")
        raise refusal(f"{f'{where}: ' if where else ''}{message}", where or None) from None


def refusal(message: str, param: str | None = None) -> RequestRefused:
    """Return the 400 for a body that cannot be followed."""
    return RequestRefused(400, f"POST {PATH}: {message}", code="invalid_request", param=param)


def policy_for(
    request: CompressRequest,
    policies: Mapping[str, Policy],
    check_policy: Callable[[str], None],
    number_of: Numbers,
) -> Policy:
    """Return the policy to follow, switched on; `check_policy` raises for one that is not allowed.

    Raises RequestRefused (400) for a name that is not known, a threshold's among them, and for a
    policy that compresses nothing.
    """
    amounts = {name: getattr(request, name) for name in _AMOUNTS}
    if any(amount is not None for amount in amounts.values()):
        check_policy(_OWN_POLICY)
        _check_threshold(request.threshold or 0.0, number_of)
        return Policy(name=_OWN_POLICY, min_tokens=0, json_prose=False, **amounts).model_copy(
            update={"force_tokens": request.force_tokens}
        )
    name = "balanced" if request.policy is None else request.policy
    policy = policies.get(name)
    if policy is None:
        known = ", ".join(sorted(policies))
        named = name[:_LONGEST_NAME]
        raise refusal(f"there is no policy '{named}'; the known ones are: {known}", "policy")
    check_policy(name)
    if policy.mode is Mode.OFF:
        raise refusal(f"the policy '{name}' compresses nothing", "policy")
    forced = (*(policy.force_tokens if policy.protect.forced else ()), *request.force_tokens)
    protect = policy.protect.model_copy(update={"forced": True})
    return policy.model_copy(update={"mode": Mode.ON, "force_tokens": forced, "protect": protect})


def _check_threshold(threshold: float | str, number_of: Numbers) -> None:
    try:
        number_of(threshold)
    except UnknownThreshold as error:
        raise refusal(str(error), "threshold") from None


def body_texts(request: CompressRequest, policy: Policy) -> tuple[BodyText, ...]:
    """Return the texts as the policies look at them, spoken by somebody whom the policy takes."""
    role = Role.USER if Role.USER in policy.roles else min(policy.roles)
    several = request.texts is not None
    return tuple(
        BodyText(role, ("texts", number) if several else ("text",), text, number, number)
        for number, text in enumerate(request.all_texts)
    )


def answer_of(request: CompressRequest, treated: Treated) -> bytes:
    """Return the body of the answer."""
    report = treated.report
    changed = {text.start: new for text, new in treated.changes}
    results: list[dict[str, Any]] = [
        {
            "text": changed.get(number, text),
            "tokens_before": part.tokens_before,
            "tokens_after": part.tokens_after,
            "rate": part.tokens_after / part.tokens_before if part.tokens_before else 1.0,
            "reason": part.reason,
            "budget_unmet": part.budget_unmet,
            "protected": part.protected,
            "restored": part.restored,
            "lost": part.lost,
            "cache": part.cache,
            "failure": part.failure,
        }
        for number, (text, part) in enumerate(zip(request.all_texts, report.parts, strict=True))
    ]
    answer = {
        "object": "compression",
        "model": request.model,
        "policy": report.policy,
        "encoding": report.encoding,
        "tokens_estimated": report.tokens_estimated,
        "tokens_before": report.tokens_before,
        "tokens_after": report.tokens_after,
        "results": results,
    }
    # Lone surrogates, which a client may have escaped, are escaped again.
    return json.dumps(answer, ensure_ascii=True, separators=(",", ":")).encode("ascii")
