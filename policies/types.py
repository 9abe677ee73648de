"""The values that policies decide with. A leaf: standard library and pydantic only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.functional_validators import BeforeValidator


class Mode(StrEnum):
    """Whether a policy compresses, only measures, or does nothing."""

    OFF = "off"
    SHADOW = "shadow"
    ON = "on"


class Role(StrEnum):
    """Who a text part speaks for; `developer` counts as system and `function` as tool.

    `tool` is what a tool gave back, `tool_schema` what the request says about a tool.
    """

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    TOOL_SCHEMA = "tool_schema"


# Those that `roles` may name; tool schemas have a switch of their own.
SpeakingRole = Literal[Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL]


# A threshold's name; compressor/types.py has the same.
_THRESHOLD_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def _number_or_name(written: object) -> object:
    """Return a threshold as a number or a name; config.yaml's numbers come as text."""
    if written is None or (isinstance(written, str) and _THRESHOLD_NAME.fullmatch(written)):
        return written
    try:
        number = float(str(written))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError(
            f"'{str(written)[:60]}' is neither a keep probability, from 0 to 1, nor a name that "
            "`tersely calibrate` gives, like balanced"
        )
    return number


# A keep probability, or the name that one has in the classifier's calibration.
Threshold = Annotated[float | str, BeforeValidator(_number_or_name)]


class Protections(BaseModel):
    """What stays byte for byte, whatever the budget says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: bool = Field(True, description="Fenced and inline code.")
    json_: bool = Field(True, alias="json", description="JSON objects and arrays.")
    table: bool = Field(True, description="Markdown tables.")
    url: bool = Field(True, description="URLs and e-mail addresses.")
    path: bool = Field(True, description="File-system paths.")
    identifier: bool = Field(
        True, description="Identifiers: UUIDs, hashes, versions, snake_case, CamelCase, flags."
    )
    number: bool = Field(True, description="Numbers with their units, dates and amounts.")
    negation: bool = Field(True, description="Negations of words that are kept.")
    quote: bool = Field(True, description="Quoted strings.")
    instruction: bool = Field(True, description="Instruction sentences.")
    question: bool = Field(True, description="Question sentences.")
    forced: bool = Field(True, description="The policy's force_tokens.")


class Policy(BaseModel):
    """Who gets compressed and how hard. Complete: presets are already merged in."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(
        description="The policy's name, as routes and x-tersely-policy use it: its key in "
        "config.yaml.",
        json_schema_extra={"written_as": "key"},
    )
    preset: str | None = Field(
        None,
        description="Preset to start from; keys written beside it replace the preset's. A policy "
        "with a preset's own name starts from that preset.",
    )
    mode: Mode = Field(
        Mode.ON,
        description="`on` compresses, `shadow` compresses and records but sends the original, "
        "`off` leaves everything alone.",
    )
    rate: float | None = Field(
        None, gt=0, le=1, description="Tokens kept / tokens before; 0.33 keeps a third."
    )
    threshold: Threshold | None = Field(
        None,
        description="Keep words whose keep probability is above this, 0 to 1; the text decides "
        "how much. Or a calibrated name: the bundled classifier has gentle, balanced, aggressive.",
    )
    target_tokens: int | None = Field(
        None, ge=1, description="A cap per part, in the target model's tokens, never exceeded."
    )
    min_tokens: int = Field(
        200, ge=0, description="A part with fewer tokens than this is left alone."
    )
    min_request_tokens: int = Field(
        0,
        ge=0,
        description="Compress only when the request's text has at least this many tokens. 0 is "
        "off. Moves cached prefixes: a conversation that grows past the limit changes its earlier "
        "messages once, and the provider's prompt cache misses that turn.",
    )
    fit_context: bool = Field(
        False,
        description="Compress only when, and as much as, the model's context window demands: "
        "the policy's rate, threshold or target_tokens is then replaced by the rate that makes the "
        "request fit. Moves cached prefixes: what is removed changes as the conversation grows, so "
        "the provider's prompt cache misses on every turn over the limit.",
    )
    roles: frozenset[SpeakingRole] = Field(
        frozenset({Role.USER, Role.TOOL}),
        description="Whose text is compressed; the other roles are left alone.",
    )
    tool_descriptions: int | None = Field(
        None,
        ge=1,
        description="Compress the descriptions of tools and of their parameters that have at least "
        "this many tokens, like 60. Left out, tools are not looked at. Names, types, enums and "
        "everything else of a tool stay as they are in any case.",
    )
    protect: Protections = Field(
        default_factory=Protections, description="What stays byte for byte."
    )
    force_tokens: tuple[str, ...] = Field(
        (), description="Words or phrases that are always kept where they occur."
    )
    json_prose: bool = Field(
        False,
        description="Also shorten long prose in JSON string values, as tool results and search "
        "answers have it; keys, ids, numbers, short strings and the structure stay, and the JSON "
        "stays valid. Rate then holds for that prose and the text around the JSON.",
    )
    force_digits: bool = Field(
        False,
        description="Keep every word with a digit in it, whatever the budget says. Without it, "
        "numbers stay with the clauses that stay.",
    )
    drop_consecutive: bool = Field(
        False,
        description="Drop a force token that would stand right behind the same one, because what "
        "stood between them is gone.",
    )
    question_aware: bool = Field(
        False,
        description="Give more of the budget to what bears on the question in the request's last "
        "user message. Moves cached prefixes: the compressed text of a document then changes with "
        "the question, so the provider's prompt cache misses from the first compressed text on "
        "whenever the question changes.",
    )
    deadline_ms: int = Field(
        2000,
        ge=1,
        description="A part not compressed after this many milliseconds goes as the original, "
        "and its compression finishes in the background.",
    )

    @property
    def amount(self) -> str:
        """How hard the policy compresses, in words, like `rate 0.5`."""
        if self.mode is Mode.OFF:
            return "nothing"
        if self.fit_context:
            return "as the context window demands"
        if self.rate is not None:
            return f"rate {self.rate:g}"
        if self.threshold is not None:
            return f"threshold {self.threshold}"
        return f"target_tokens {self.target_tokens}"

    @field_validator("force_tokens")
    @classmethod
    def _some_text(cls, tokens: tuple[str, ...]) -> tuple[str, ...]:
        if not all(token.strip() for token in tokens):
            raise ValueError("an empty force token would keep nothing; leave it out")
        return tokens

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        chosen = [k for k in ("rate", "threshold", "target_tokens") if getattr(self, k) is not None]
        if self.mode is not Mode.OFF and len(chosen) != 1:
            found = " and ".join(chosen) or "none"
            raise ValueError(
                f"a policy needs exactly one of rate, threshold and target_tokens; it has {found}"
            )
        return self


class Match(BaseModel):
    """What a route looks at. Every given member has to match; an empty match takes everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(
        None,
        description="Glob on the request's model name, in any case, like `gpt-*`. Without a slash "
        "it also takes a name behind a provider's prefix, like `openai/gpt-4o`. The name is the "
        "one in the body, in a websocket's address, or of Azure's deployment; a request whose "
        "model is not known matches only `*`.",
    )
    path: str | None = Field(None, description="Glob on the request's path, like `/v1/chat/*`.")
    headers: Mapping[str, str] = Field(
        default_factory=dict,
        description="Header name to glob on its value; names in any case. A header that the "
        "request does not have matches nothing, not even `*`.",
    )
    tenant: str | None = Field(
        None,
        description="Glob on the tenant: `t-` and the first 12 hex digits of the SHA-256 of the "
        "Authorization (or x-api-key, api-key) header's value; `anonymous` without one.",
    )

    @field_validator("model", "path", "tenant")
    @classmethod
    def _usable_glob(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            _check_glob(pattern)
        return pattern

    @field_validator("path")
    @classmethod
    def _whole_path(cls, pattern: str | None) -> str | None:
        if pattern is not None and not pattern.startswith(("/", "*", "?", "[")):
            raise ValueError(f"'{pattern}' matches no path: a path starts with /, like /v1/chat/*")
        return pattern

    @field_validator("headers")
    @classmethod
    def _usable_headers(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        for name, pattern in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"'{name}' is not a header's name, like x-team")
            _check_glob(pattern)
        return headers


# a token as HTTP has it (RFC 9110, section 5.6.2)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _check_glob(pattern: str) -> None:
    """Raise ValueError for a glob that can only be a slip."""
    if not pattern:
        raise ValueError("an empty glob matches nothing; `*` matches everything")
    # a `]` right after `[` or `[!` belongs to the set
    if "[" in re.sub(r"\[!?+.[^\]]*\]", "", pattern, flags=re.DOTALL):
        raise ValueError(f"'{pattern}' has a [ that is never closed; a plain [ is written [[]")


class FallbackCause(StrEnum):
    """What may send a request on to the route's next upstream."""

    CONNECT = "connect"  # no connection could be opened, so nothing was sent
    DISCONNECT = "disconnect"  # it closed before the head of an answer
    TIMEOUT = "timeout"  # it was silent for its read_timeout_seconds
    REQUEST_TIMEOUT = "408"
    TOO_MANY_REQUESTS = "429"
    INTERNAL_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    OVERLOADED = "529"  # Anthropic's


class UpstreamShare(BaseModel):
    """One upstream of a route that has several."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of an upstream.")
    weight: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Its share among the neighbours that have a weight too: they divide the "
        "requests, a conversation staying with one of them, and stand in for each other. Without "
        "a weight an upstream is a step of its own in the order.",
    )


Tier = tuple[tuple[str, int], ...]


class Route(BaseModel):
    """First match wins: which policy and which upstream a request gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Match = Field(default_factory=Match, description="What the route looks at.")
    policy: str = Field(description="Name of a policy or preset.")
    upstreams: tuple[UpstreamShare, ...] = Field(
        alias="upstream",
        min_length=1,
        description="Name of an upstream, or a list to be tried in order: names, and "
        "`{name: NAME, weight: NUMBER}` for those that share the requests.",
    )
    fallback_on: frozenset[FallbackCause] = Field(
        frozenset({FallbackCause.CONNECT}),
        description="What sends a request on to the next upstream of the list: `connect` (nothing "
        "was sent yet), `disconnect`, `timeout`, or a status of the answer. With anything but "
        "`connect` the upstream that failed may have done, and bill, the work.",
    )

    @field_validator("upstreams", mode="before")
    @classmethod
    def _names_are_shares(cls, written: object) -> object:
        if isinstance(written, str):
            return ({"name": written},)
        if isinstance(written, list | tuple):
            return tuple({"name": item} if isinstance(item, str) else item for item in written)
        return written

    @field_validator("upstreams")
    @classmethod
    def _each_once(cls, shares: tuple[UpstreamShare, ...]) -> tuple[UpstreamShare, ...]:
        names = [share.name for share in shares]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} twice; a list names an upstream once")
        return shares

    @property
    def upstream(self) -> str:
        """The first upstream's name; the only one's, where there is one."""
        return self.upstreams[0].name

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """Names and weights in the order of trying; neighbours with a weight stand together."""
        tiers: list[Tier] = []
        open_tier = False
        for share in self.upstreams:
            entry = (share.name, share.weight or 1)
            if share.weight is not None and open_tier:
                tiers[-1] = (*tiers[-1], entry)
            else:
                tiers.append((entry,))
            open_tier = share.weight is not None
        return tuple(tiers)


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What routing may look at. Header names are lower case; `model` is "" where none is known."""

    model: str
    path: str
    tenant: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextPart:
    """One text of a request: who says it, where it stands, what it says, how long it is.

    `path` is the JSON path of the string, like ("messages", 0, "content"); `tokens` is counted in
    the target model's tokens.
    """

    role: Role
    path: tuple[str | int, ...]
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a part is compressed, how hard, and why, in words for the log.

    `rate`, `threshold` and `target_tokens`: exactly one is set when `compress` is true; a threshold
    may be a name.
    """

    compress: bool
    reason: str
    rate: float | None = None
    threshold: float | str | None = None
    target_tokens: int | None = None
