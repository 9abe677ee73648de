"""An OpenAI request body -> the arguments that litellm is called with, and nothing else.

litellm takes many more arguments than OpenAI has: addresses, credentials, callbacks, fallbacks.
What a client writes into its body must reach none of them, so only what is listed here passes, and
the rest is refused in the words that OpenAI has for an unknown argument.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from proxy.errors import RequestRefused

# https://platform.openai.com/docs/api-reference/chat/create
_CHAT = frozenset(
    {
        "messages",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
# Settings of a model that other providers have, and that say nothing about where a request goes.
_SAMPLING = frozenset({"min_p", "repetition_penalty", "safety_settings", "thinking", "top_k"})
_TEXT = frozenset(
    {
        "prompt",
        "best_of",
        "echo",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "n",
        "presence_penalty",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "suffix",
        "temperature",
        "top_p",
        "user",
    }
)
# https://platform.openai.com/docs/api-reference/responses/create
_RESPONSES = frozenset(
    {
        "input",
        "instructions",
        "max_output_tokens",
        "parallel_tool_calls",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "stream",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)
# How the provider is to cache the beginning of a prompt; the answer is the same without.
_OF_CACHING = frozenset({"prompt_cache_options"})
# What changes nothing of the answer's text where nothing is kept: the conversation comes whole
# (context_management, truncation), tools are the client's own (max_tool_calls counts others), and a
# chat completion's log-probabilities have no place in a response (include, top_logprobs).
_OF_KEPT = _OF_CACHING | {
    "context_management",
    "include",
    "max_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "store",
    "stream_options",
    "top_logprobs",
    "truncation",
}
# A client that asks for it counts on it.
_NOT_THERE = {"moderation": "this upstream's provider is not OpenAI, and moderates nothing for it"}
_KEPT_NOWHERE = "this upstream keeps nothing; send the whole conversation in `input`"
_REFUSED = _NOT_THERE | {
    "previous_response_id": _KEPT_NOWHERE,
    "conversation": _KEPT_NOWHERE,
    "background": "this upstream keeps nothing, so there would be no answer to come back for",
    "prompt": "this upstream has no stored prompts",
}
_EMBEDDING = frozenset({"input", "dimensions", "encoding_format", "user"})
# litellm has a use of its own for these names, or does not take them.
_LEFT_OUT = frozenset({"metadata"})
_TOOLS = frozenset({"function", "custom"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call that litellm can make: the path below /v1, its function, its arguments."""

    path: str
    function: str
    required: str
    arguments: frozenset[str]
    left_out: frozenset[str] = _LEFT_OUT
    refused: Mapping[str, str] = field(default_factory=dict)  # arguments that it has, and why not


RESPONSES = "/responses"
MODELS = "/models"
READING = ("GET", "HEAD")
OPERATIONS: Mapping[str, Operation] = {
    operation.path: operation
    for operation in (
        Operation(
            "/chat/completions",
            "acompletion",
            "messages",
            _CHAT | _SAMPLING,
            _LEFT_OUT | _OF_CACHING,
            _NOT_THERE,
        ),
        Operation("/completions", "atext_completion", "prompt", _TEXT | _SAMPLING),
        Operation("/embeddings", "aembedding", "input", _EMBEDDING),
        # Made into a chat completion by litellm_responses.
        Operation(RESPONSES, "acompletion", "input", _RESPONSES, _LEFT_OUT | _OF_KEPT, _REFUSED),
    )
}


def serves(method: str, path: str) -> bool:
    """Whether litellm has a call for a request, or the list of models is asked for."""
    below = path.removeprefix("/v1")
    return below in OPERATIONS if method == "POST" else below == MODELS and method in READING


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of one call, what was left out of them, and how the answer is wanted."""

    arguments: dict[str, object]
    left_out: tuple[str, ...]
    stream: bool
    include_usage: bool


def read_request(operation: Operation, body: bytes) -> Asked:
    """Return what a body asks for; raises RequestRefused (400) for what cannot be passed on."""
    try:
        # The standard library's, which keeps integers of any size.
        asked = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RequestRefused(400, "the body is not JSON", code="invalid_json") from None
    if not isinstance(asked, dict):
        raise RequestRefused(400, "the body is not a JSON object", code="invalid_json")
    if operation.required not in asked:
        raise RequestRefused(
            400,
            f"Missing required parameter: '{operation.required}'.",
            param=operation.required,
            code="missing_required_parameter",
        )
    arguments: dict[str, object] = {}
    left_out: list[str] = []
    for name, value in asked.items():
        if name == "model" or value is None:
            continue
        if name in operation.arguments:
            arguments[name] = value
        elif name in operation.left_out:
            left_out.append(name)
        elif name in operation.refused:
            if value is not False:
                raise _refused(f"{name}: {operation.refused[name]}", name)
        else:
            raise RequestRefused(
                400,
                f"Unrecognized request argument supplied: {name[:100]}",
                param=name[:100],
                code="unknown_parameter",
            )
    check_types(arguments)
    options = arguments.get("stream_options")
    return Asked(
        arguments=arguments,
        left_out=tuple(left_out),
        stream=arguments.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def only_chat(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return those arguments that a chat completion may be asked for with."""
    allowed = OPERATIONS["/chat/completions"].arguments
    return {name: value for name, value in arguments.items() if name in allowed}


def check_types(arguments: Mapping[str, object], *, tools: frozenset[str] = _TOOLS) -> None:
    """Raise RequestRefused for tools and media that would make this machine ask elsewhere."""
    for tool in items(arguments.get("tools")):
        kind = tool.get("type")
        if kind not in tools:
            raise _refused(f"tools of type {kind!r} are not passed to this provider", "tools")
    for message in items(arguments.get("messages")):
        for part in items(message.get("content")):
            _check_part(part)


def items(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects in a list; nothing of what is no list."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (item for item in value if isinstance(item, dict))


# Types of content parts, and where in one the data stands that could be an address instead.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "text": (),
    "refusal": (),
    "thinking": (),
    "redacted_thinking": (),
    "input_audio": (),
    "image_url": ("url",),
    "file": ("file_data",),
}


def _check_part(part: Mapping[str, object]) -> None:
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in _PARTS:
        raise _refused(f"content of type {kind!r} is not passed to this provider", "messages")
    if not _PARTS[kind]:
        return
    holder = part.get(kind)
    given = holder if isinstance(holder, dict) else {"url": holder}
    if "file_id" in given or not any(
        isinstance(data := given.get(name), str) and data.startswith("data:")
        for name in _PARTS[kind]
    ):
        raise _refused(
            f"{kind} has to hold its data, as a data: URL; the proxy fetches nothing from "
            "addresses that a request names",
            "messages",
        )


def _refused(message: str, param: str) -> RequestRefused:
    return RequestRefused(400, message, param=param, code="unsupported_value")
