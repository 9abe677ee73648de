"""What dialects ask of the values that json_spans found in a body."""

from collections.abc import Iterator

from policies.types import Role
from proxy.dialects.base import BodyText
from proxy.json_spans import Array, Edit, Leaf, Node, Object, Shape, Unreadable, insertion, locate

Path = tuple[str | int, ...]

# What `ask_usage` and `overrule_usage` look at.
ASKING: dict[str, Shape] = {"stream": None, "stream_options": {"include_usage": None}}


def root_object(body: bytes, shape: Shape) -> Object:
    """Return a body's wanted members; raises Unreadable where it is not a JSON object."""
    root = locate(body, shape)
    if not isinstance(root, Object):
        raise Unreadable("the body is not a JSON object")
    return root


def value(holder: Object, name: str) -> object:
    """Return the value of a member that is taken whole, None where there is none."""
    node = holder.members.get(name)
    return node.value if isinstance(node, Leaf) else None


def string(holder: Object, name: str) -> str:
    """Return a member that is a string, "" where it is none."""
    found = value(holder, name)
    return found if isinstance(found, str) else ""


def tokens_reserved(root: Object, *names: str) -> int:
    """Return the first of these members that is a positive number, else 0."""
    for name in names:
        found = value(root, name)
        if isinstance(found, int) and not isinstance(found, bool) and found > 0:
            return found
    return 0


def objects(node: Node | None) -> Iterator[tuple[int, Object]]:
    """Yield an array's items that are objects, with their positions; nothing for another value."""
    if isinstance(node, Array):
        for index, item in enumerate(node.items):
            if isinstance(item, Object):
                yield index, item


def text_of(node: Node | None, role: Role, path: Path) -> Iterator[BodyText]:
    """Yield the text of a value that is a string; nothing for another one."""
    if isinstance(node, Leaf) and isinstance(node.value, str):
        yield BodyText(role, path, node.value, node.start, node.end)


def content_texts(
    content: Node | None, role: Role, path: Path, kinds: frozenset[str]
) -> Iterator[BodyText]:
    """Yield a content's texts: of a string, or of the parts of these types in an array.

    A part that says where in its text something stands (`annotations`, `citations`, `logprobs`)
    has to keep it.
    """
    yield from text_of(content, role, path)
    for index, part in objects(content):
        bound = any(value(part, name) for name in ("annotations", "citations", "logprobs"))
        if string(part, "type") in kinds and not bound:
            yield from text_of(part.members.get("text"), role, (*path, index, "text"))


# The shape of a part, for `content_texts`.
PART: dict[str, Shape] = {
    "type": None,
    "text": None,
    "annotations": None,
    "citations": None,
    "logprobs": None,
}


def ask_usage(root: Object) -> Edit | None:
    """Return the edit that asks for a stream's usage; None where it is asked for, or declined.

    For a root that was read with ASKING in its shape.
    """
    if value(root, "stream") is not True:
        return None
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


def overrule_usage(root: Object) -> Edit | None:
    """Return the edit that asks for a stream's usage where the request declines it, else None.

    For a root that was read with ASKING in its shape.
    """
    options = root.members.get("stream_options")
    if value(root, "stream") is not True or not isinstance(options, Object):
        return None
    asked = options.members.get("include_usage")
    if isinstance(asked, Leaf) and asked.value is False:
        return Edit(asked.start, asked.end, b"true")
    return None
