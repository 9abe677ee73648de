"""POST /v1/responses, https://platform.openai.com/docs/api-reference/responses/create."""

from collections.abc import Iterator, Mapping

import orjson

from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText
from proxy.dialects.nodes import (
    PART,
    content_texts,
    objects,
    root_object,
    string,
    text_of,
    tokens_reserved,
    value,
)
from proxy.dialects.tool_schemas import SCHEMA, description, schema_descriptions
from proxy.json_spans import Object, Shape
from proxy.savings import Usage
from proxy.usage import responses_usage

_SHAPE: Shape = {
    "model": None,
    "stream": None,
    "max_output_tokens": None,
    "input": ({"type": None, "id": None, "role": None, "content": (PART,), "output": (PART,)},),
}
_TOOL: dict[str, Shape] = {"type": None, "description": None, "parameters": SCHEMA}
_TOOL["tools"] = (_TOOL,)  # a namespace's
_TOOLS: Shape = {"tools": (_TOOL,)}
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_KINDS = frozenset({"input_text", "output_text"})


class ResponsesDialect:
    """Reads `input`: a string, the contents of messages, and the outputs of the client's tools.

    Items of every other type, `instructions` and `prompt` have no text. Nor has an item with an
    `id`: the API keeps that one, and may read it from there.
    """

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says; its stream reports usage without being asked."""
        root = root_object(body, _SHAPE)
        return BodyReading(
            model=string(root, "model"),
            stream=value(root, "stream") is True,
            texts=tuple(_texts(root)),
            reserved_tokens=tokens_reserved(root, "max_output_tokens"),
        )

    def read_tools(self, body: bytes) -> tuple[BodyText, ...]:
        """Return the descriptions of functions and custom tools, those of a namespace too."""
        return tuple(_descriptions(root_object(body, _TOOLS), ()))

    def counts(self, answer: Mapping[str, object]) -> object:
        """Return the `usage` of an answer, or of the response that an event holds."""
        held = answer.get("response")
        return (held if isinstance(held, Mapping) else answer).get("usage")

    def usage(self, counts: Mapping[str, object]) -> Usage:
        """Return input and output tokens; the input's include the cached ones."""
        return responses_usage(counts, counts.get("input_tokens_details"))

    def error_event(self, body: bytes) -> bytes:
        """Return an `error` event as documented, with the `error` member that clients look for."""
        error = orjson.loads(body)["error"]
        data = orjson.dumps({**error, "type": "error", "error": error})
        return b"event: error\ndata: " + data + b"\n\n"


def _texts(root: Object) -> Iterator[BodyText]:
    given = root.members.get("input")
    yield from text_of(given, Role.USER, ("input",))
    for index, item in objects(given):
        if value(item, "id") is not None:
            continue
        kind, path = string(item, "type"), ("input", index)
        if kind in _OUTPUTS:
            output = item.members.get("output")
            yield from content_texts(output, Role.TOOL, (*path, "output"), _KINDS)
        elif kind == "message" or "type" not in item.members:
            role = _ROLES.get(string(item, "role"))
            if role is not None:
                content = item.members.get("content")
                yield from content_texts(content, role, (*path, "content"), _KINDS)


def _descriptions(holder: Object, path: tuple[str | int, ...]) -> Iterator[BodyText]:
    for index, tool in objects(holder.members.get("tools")):
        kind, place = string(tool, "type"), (*path, "tools", index)
        if kind in {"function", "custom", "namespace"}:
            yield from description(tool, place)
        if kind == "function":
            parameters = tool.members.get("parameters")
            yield from schema_descriptions(parameters, (*place, "parameters"))
        elif kind == "namespace":
            yield from _descriptions(tool, place)
