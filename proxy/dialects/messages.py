"""POST /v1/messages, https://docs.claude.com/en/api/messages."""

from collections.abc import Iterator, Mapping

from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText
from proxy.dialects.nodes import (
    PART,
    content_texts,
    objects,
    root_object,
    string,
    tokens_reserved,
    value,
)
from proxy.dialects.tool_schemas import SCHEMA, description, schema_descriptions
from proxy.json_spans import Array, Object, Shape
from proxy.savings import Usage
from proxy.usage import count

# Of `thinking` and `redacted_thinking` blocks nothing is located but their type: their signatures
# are over every byte.
_SHAPE: Shape = {
    "model": None,
    "stream": None,
    "max_tokens": None,
    "system": (PART,),
    "messages": ({"role": None, "content": ({**PART, "content": (PART,)},)},),
}
_TOOLS: Shape = {"tools": ({"type": None, "description": None, "input_schema": SCHEMA},)}
_ROLES = {"system": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
_KINDS = frozenset({"text"})


class MessagesDialect:
    """Reads `system`, the text blocks of messages, and those of tool results.

    Other blocks have no text; nor has an assistant message that stands last, since the answer goes
    on from it word for word.
    """

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says; its stream reports usage without being asked."""
        root = root_object(body, _SHAPE)
        return BodyReading(
            model=string(root, "model"),
            stream=value(root, "stream") is True,
            texts=tuple(_texts(root)),
            reserved_tokens=tokens_reserved(root, "max_tokens"),
        )

    def read_tools(self, body: bytes) -> tuple[BodyText, ...]:
        """Return the descriptions of the client's own tools."""
        return tuple(_descriptions(root_object(body, _TOOLS)))

    def counts(self, answer: Mapping[str, object]) -> object:
        """Return the `usage` of an answer, of a `message_start` or of a `message_delta`."""
        held = answer.get("message")
        return (held if isinstance(held, Mapping) else answer).get("usage")

    def usage(self, counts: Mapping[str, object]) -> Usage:
        """Return input and output tokens. `input_tokens` leaves out what the cache read or wrote.

        https://docs.claude.com/en/docs/build-with-claude/prompt-caching, "Tracking cache
        performance".
        """
        fresh = count(counts.get("input_tokens"))
        read = count(counts.get("cache_read_input_tokens"))
        written = count(counts.get("cache_creation_input_tokens"))
        return Usage(
            prompt_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
            completion_tokens=count(counts.get("output_tokens")),
            cached_tokens=read,
        )

    def error_event(self, body: bytes) -> bytes:
        """Return an `error` event, whose data is an error's body."""
        return b"event: error\ndata: " + body + b"\n\n"


def _texts(root: Object) -> Iterator[BodyText]:
    yield from content_texts(root.members.get("system"), Role.SYSTEM, ("system",), _KINDS)
    messages = root.members.get("messages")
    last = len(messages.items) - 1 if isinstance(messages, Array) else -1
    for index, message in objects(messages):
        role = _ROLES.get(string(message, "role"))
        if role is None or (role is Role.ASSISTANT and index == last):
            continue
        content, path = message.members.get("content"), ("messages", index, "content")
        yield from content_texts(content, role, path, _KINDS)
        for number, block in objects(content):
            if string(block, "type") == "tool_result":
                result = block.members.get("content")
                place = (*path, number, "content")
                yield from content_texts(result, Role.TOOL, place, _KINDS)


def _descriptions(root: Object) -> Iterator[BodyText]:
    for index, tool in objects(root.members.get("tools")):
        # Anthropic's own tools have a type with a date and take no description.
        if string(tool, "type") in {"", "custom"}:
            path = ("tools", index)
            yield from description(tool, path)
            schema = tool.members.get("input_schema")
            yield from schema_descriptions(schema, (*path, "input_schema"))
