"""POST /v1/chat/completions, https://platform.openai.com/docs/api-reference/chat/create."""

from collections.abc import Iterator

from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText
from proxy.dialects.nodes import (
    ASKING,
    PART,
    ask_usage,
    content_texts,
    objects,
    overrule_usage,
    root_object,
    string,
    tokens_reserved,
    value,
)
from proxy.dialects.tool_schemas import SCHEMA, description, schema_descriptions
from proxy.json_spans import Array, Object, Shape
from proxy.usage import ChatUsage

# Also the list of what is ever looked at: everything else goes through as it stands.
_SHAPE: Shape = {
    "model": None,
    **ASKING,
    "max_tokens": None,
    "max_completion_tokens": None,
    "continue_final_message": None,
    "messages": ({"role": None, "prefix": None, "content": (PART,)},),
}
_FUNCTION: Shape = {"description": None, "parameters": SCHEMA}
_TOOLS: Shape = {
    "tools": ({"function": _FUNCTION, "custom": {"description": None}},),
    "functions": (_FUNCTION,),
}
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
_KINDS = frozenset({"text"})


class ChatDialect(ChatUsage):
    """Reads the texts of messages: string contents, and parts of type "text" in list contents."""

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says; a message or part of an unexpected type has no text."""
        root = root_object(body, _SHAPE)
        return BodyReading(
            model=string(root, "model"),
            stream=value(root, "stream") is True,
            texts=tuple(_texts(root)),
            ask_usage=ask_usage(root),
            overrule_usage=overrule_usage(root),
            reserved_tokens=tokens_reserved(root, "max_completion_tokens", "max_tokens"),
        )

    def read_tools(self, body: bytes) -> tuple[BodyText, ...]:
        """Return the descriptions in `tools` and in the older `functions`."""
        return tuple(_descriptions(root_object(body, _TOOLS)))

    def error_event(self, body: bytes) -> bytes:
        """Return the event that OpenAI's clients raise an error for."""
        return b"data: " + body + b"\n\n"


def _texts(root: Object) -> Iterator[BodyText]:
    messages = root.members.get("messages")
    # The answer goes on from this one, word for word (vLLM and others).
    continued = len(messages.items) - 1 if isinstance(messages, Array) else -1
    if value(root, "continue_final_message") is not True:
        continued = -1
    for index, message in objects(messages):
        role = _ROLES.get(string(message, "role"))
        # `prefix` marks a message that the answer begins with (DeepSeek, Mistral).
        if role is None or index == continued or value(message, "prefix") is True:
            continue
        path = ("messages", index, "content")
        yield from content_texts(message.members.get("content"), role, path, _KINDS)


def _descriptions(root: Object) -> Iterator[BodyText]:
    for index, tool in objects(root.members.get("tools")):
        for kind in ("function", "custom"):
            if isinstance(held := tool.members.get(kind), Object):
                yield from _of_function(held, ("tools", index, kind))
    for index, function in objects(root.members.get("functions")):
        yield from _of_function(function, ("functions", index))


def _of_function(function: Object, path: tuple[str | int, ...]) -> Iterator[BodyText]:
    yield from description(function, path)
    yield from schema_descriptions(function.members.get("parameters"), (*path, "parameters"))
