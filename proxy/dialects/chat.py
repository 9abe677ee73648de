"""POST /v1/chat/completions, https://platform.openai.com/docs/api-reference/chat/create."""

from collections.abc import Iterator

from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText
from proxy.json_spans import Array, Edit, Leaf, Node, Object, Shape, Unreadable, insertion, locate

# Also the list of what is ever looked at: everything else goes through as it stands.
_SHAPE: Shape = {
    "model": None,
    "stream": None,
    "stream_options": {"include_usage": None},
    "max_tokens": None,
    "max_completion_tokens": None,
    "messages": ({"role": None, "content": ({"type": None, "text": None},)},),
}
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}


class ChatDialect:
    """Reads the texts of messages: string contents, and parts of type "text" in list contents."""

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says; a message or part of an unexpected type has no text."""
        root = locate(body, _SHAPE)
        if not isinstance(root, Object):
            raise Unreadable("the body is not a JSON object")
        model = _value(root, "model")
        stream = _value(root, "stream") is True
        return BodyReading(
            model=model if isinstance(model, str) else "",
            stream=stream,
            texts=tuple(_texts(root.members.get("messages"))),
            ask_usage=_ask_usage(root) if stream else None,
            reserved_tokens=_reserved_tokens(root),
        )


def _value(holder: Object, name: str) -> object:
    node = holder.members.get(name)
    return node.value if isinstance(node, Leaf) else None


def _texts(messages: Node | None) -> Iterator[BodyText]:
    if not isinstance(messages, Array):
        return
    for index, message in enumerate(messages.items):
        if not isinstance(message, Object):
            continue
        spoken = _value(message, "role")
        role = _ROLES.get(spoken) if isinstance(spoken, str) else None
        content = message.members.get("content")
        if role is None or content is None:
            continue
        path = ("messages", index, "content")
        if isinstance(content, Array):
            yield from _part_texts(content, role, path)
        elif isinstance(content, Leaf) and isinstance(content.value, str):
            yield BodyText(role, path, content.value, content.start, content.end)


def _part_texts(content: Array, role: Role, path: tuple[str | int, ...]) -> Iterator[BodyText]:
    for index, part in enumerate(content.items):
        if not isinstance(part, Object) or _value(part, "type") != "text":
            continue
        text = part.members.get("text")
        if isinstance(text, Leaf) and isinstance(text.value, str):
            yield BodyText(role, (*path, index, "text"), text.value, text.start, text.end)


def _ask_usage(root: Object) -> Edit | None:
    options = root.members.get("stream_options")
    if options is None:
        return insertion(root, b'"stream_options":{"include_usage":true}')
    if isinstance(options, Object):
        asked = options.members.get("include_usage")
        if asked is None:
            return insertion(options, b'"include_usage":true')
        if isinstance(asked, Leaf) and asked.value is None:
            return Edit(asked.start, asked.end, b"true")
        return None
    if isinstance(options, Leaf) and options.value is None:
        return Edit(options.start, options.end, b'{"include_usage":true}')
    return None  # of a type that the upstream will have its own words for


def _reserved_tokens(root: Object) -> int:
    for name in ("max_completion_tokens", "max_tokens"):
        value = _value(root, name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0
