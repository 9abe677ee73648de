"""Which requests have to do with something that one provider keeps: files, responses, chats.

What is kept is known only where it was made. Uploads and the like are made at their tenant's
upstream and found there again. A response may have been made by another one, to which its request
had moved, so it is looked for: see kept_lookup.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto

from proxy.body import decode_body
from proxy.json_spans import Unreadable
from proxy.models_asked import READS
from proxy.usage import json_object

# Paths whose answers need nothing but the request's body, where that names nothing kept.
_STATELESS = frozenset(
    {
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/moderations",
        "/v1/models",
        "/v1/responses",
        "/v1/responses/compact",
        "/v1/responses/input_tokens",
        "/v1/rerank",
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/images/generations",
        "/v1/images/edits",
    }
)
# A response, or what came to be with one, by its id.
_OF_RESPONSES = re.compile(r"/v1/(?:responses|conversations|containers)/[^/]+(?:/.*)?")

_ANSWER = re.compile(r"/v1/(?:responses|chat/completions)/([^/]+)(?:/.*)?")

# Quotes inside a JSON string are escaped, so these are member names or whole values.
_MAY_NAME = re.compile(
    rb'"(?:previous_response_id|conversation|item_reference|file_ids?|vector_store_ids'
    rb'|container(?:_id)?|store|audio)"'
)
# Where a body holds what is said; elsewhere, as in the schemas of tools, names are the client's.
_CONTENT = ("messages", "input", "system", "image", "images", "mask")
_IDS = frozenset({"file_id", "container_id"})
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_INLINE_BYTES = 64 * 1024


class Kept(Enum):
    """What a request needs of the things that providers keep.

    NOTHING: any upstream will do. AT_HOME: what its tenant's upstream has, or is to keep.
    SOMEWHERE: what one of the upstreams has, most likely the tenant's.
    """

    NOTHING = auto()
    AT_HOME = auto()
    SOMEWHERE = auto()


def is_stateless(path: str) -> bool:
    """Whether any upstream could answer on this path, unless the body names something kept."""
    return path in _STATELESS


def of_responses(path: str) -> bool:
    """Whether answers on this path are kept by whoever gives them."""
    return path.split("/")[:3] == ["", "v1", "responses"]


def answer_named(path: str) -> str | None:
    """Return the id of the stored answer that a path is about, None where it is about none."""
    found = None if path in _STATELESS else _ANSWER.fullmatch(path)
    return None if found is None else found[1]


async def kept_for(
    method: str, path: str, body: bytes | None, content_encoding: str, max_bytes: int
) -> Kept:
    """Return what a request needs that is kept. A body that cannot be read may name anything."""
    if path not in _STATELESS:
        return Kept.SOMEWHERE if _OF_RESPONSES.fullmatch(path) else Kept.AT_HOME
    if path == "/v1/models":
        return Kept.NOTHING
    if method in READS:  # the list of stored chats
        return Kept.AT_HOME
    if body is None:
        return Kept.NOTHING
    if content_encoding or len(body) > _INLINE_BYTES:
        return await asyncio.to_thread(_in_body, path, body, content_encoding, max_bytes)
    return _in_body(path, body, "", max_bytes)


def _in_body(path: str, body: bytes, content_encoding: str, max_bytes: int) -> Kept:
    try:
        data = decode_body(body, content_encoding, max_bytes).data
    except Unreadable:
        return Kept.AT_HOME
    if _MAY_NAME.search(data) is None:
        return Kept.NOTHING
    root = json_object(data)
    if root is None:
        return Kept.AT_HOME
    found = set(_named(path, root))
    if of_responses(path) and found & {"previous_response_id", "conversation", "item_reference"}:
        return Kept.SOMEWHERE
    return Kept.AT_HOME if found else Kept.NOTHING


def _named(path: str, root: Mapping[str, object]) -> Iterator[str]:
    """Yield the names under which a body has something that is kept, or asks for it to be."""
    yield from (n for n in ("previous_response_id", "conversation") if root.get(n) is not None)
    if _has_id(root.get("container")):
        yield "container"
    if path == "/v1/chat/completions" and root.get("store") is True:
        yield "store"
    for name in _CONTENT:
        yield from _in_content(root.get(name))
    tools = root.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, Mapping):
            yield from _in_tool(tool)


def _in_tool(tool: Mapping[str, object]) -> Iterator[str]:
    container = tool.get("container")
    if _has_id(container) or (isinstance(container, Mapping) and container.get("file_ids")):
        yield "container"
    if tool.get("vector_store_ids"):
        yield "vector_store_ids"


def _in_content(content: object) -> Iterator[str]:
    # Without recursion: a body may be nested deeper than the interpreter's stack.
    waiting = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, Mapping):
            kind = item.get("type")
            if kind == "item_reference":
                yield kind
            for name, value in item.items():
                if name == "input" and kind in _CALLS:
                    continue  # the arguments of a call are the client's own
                if _is_reference(name, value):
                    yield name
                else:
                    waiting.append(value)


def _is_reference(name: str, value: object) -> bool:
    if name == "audio":  # an answer's, in a later turn
        return isinstance(value, Mapping) and _has_id(value)
    return name in _IDS and isinstance(value, str)


def _has_id(value: object) -> bool:
    """Whether a value is an id, or an object with one."""
    return isinstance(value.get("id") if isinstance(value, Mapping) else value, str)
