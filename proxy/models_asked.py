"""Every model that a request asks for, told strictly: for keys that allow only some.

Routing may guess; this may not. Where two readers could take a body for different models, it is
Unreadable.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl

from proxy.body import decode_body
from proxy.json_spans import Unreadable

# Uploads name no model and spend nothing until another request uses them.
_WITHOUT_MODEL = re.compile(r"/v1/(?:files|uploads)(?:/.*)?")
# Methods that ask for no work of a model's.
READS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})

# A form field as RFC 7578 section 4.2 has it. Bounded, so that no body takes long to search.
_FORM_MODEL = re.compile(
    rb'^content-disposition: *form-data; *name="?model"? *\r\n'
    rb"(?:[^\r\n]{1,512}\r\n){0,8}\r\n([^\r\n]{0,512})\r\n--",
    re.IGNORECASE | re.MULTILINE,
)
# All that a lenient reader might take for one.
_DISPOSITION = re.compile(rb"^content-disposition[ \t]*:", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n(?![ \t])|\r(?![\n \t])")
_NAMES_MODEL = re.compile(rb"(?<![a-z])name\*?[^;]*model", re.IGNORECASE)
_MAX_HEADER_BYTES = 1024

# Members that hold things with models of their own: OpenAI's and Anthropic's tools (those of a
# namespace too) and OpenRouter's plugins.
_WITH_MODELS = frozenset({"tools", "plugins"})
_OF_SESSION = frozenset({"audio", "input", "transcription", "input_audio_transcription"})


def in_query(query: bytes, *, deployments: bool = False) -> list[str]:
    """Return the models that a query string names; with `deployments` in Azure's way too."""
    names = {"model", "deployment"} if deployments else {"model"}
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
    return [value for name, value in pairs if name.casefold() in names]


def has_to_name_one(method: str, path: str) -> bool:
    """Return whether a request with a body has to say which model it wants."""
    return method not in READS and _WITHOUT_MODEL.fullmatch(path) is None


def in_body(body: bytes, fields: Mapping[str, str], max_bytes: int) -> list[str]:
    """Return the models that a JSON or form body names; at least one. Raises Unreadable."""
    data = decode_body(body, fields.get("content-encoding", ""), max_bytes).data
    if fields.get("content-type", "").lower().startswith("multipart/form-data"):
        models = _in_form(data)
    else:
        models = _in_json(data)
    if not models:
        raise Unreadable("the body names none")
    return models


def _in_form(data: bytes) -> list[str]:
    found = _FORM_MODEL.findall(data)
    if len(found) != sum(map(_names_model, _part_headers(data))):
        raise Unreadable("the form's field for it is not written in the usual way")
    return [value.decode("utf-8", "replace").strip() for value in found]


def _part_headers(data: bytes) -> Iterator[bytes]:
    for start in _DISPOSITION.finditer(data):
        header = data[start.end() : start.end() + _MAX_HEADER_BYTES]
        end = _HEADER_END.search(header)
        if end is None:
            raise Unreadable("the form has a header that is too long")
        yield header[: end.start()]


def _names_model(header: bytes) -> bool:
    return _NAMES_MODEL.search(header) is not None


def _in_json(data: bytes) -> list[str]:
    try:
        root = json.loads(data.decode(), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise Unreadable("the body is no JSON that can be read") from None
    if not isinstance(root, _Pairs):
        raise Unreadable("the body is no JSON object")
    # Some servers, those written in Go for one, take member names in any case.
    members = [(name.casefold(), value) for name, value in root]
    models = [_text(value) for name, value in members if name == "model"]
    if len(models) > 1:
        raise Unreadable("the body names it more than once")
    for name, value in members:
        if name == "models":  # OpenRouter's further choices
            models += map(_text, _items(name, value))
    # What only stands further in is no answer to which model the request is for.
    return [*models, *_further_in(members)] if models else []


def _further_in(members: Iterable[tuple[str, object]]) -> Iterator[str]:
    for name, value in members:
        if name == "fallbacks" and value is not None:  # those of LiteLLM's proxy
            for one in _items(name, value):
                yield from _named(one) if isinstance(one, _Pairs) else [_text(one)]
        elif name in _WITH_MODELS:
            yield from _of_tools(value)
        elif name == "session":
            yield from _of_session(value)


def _of_tools(tools: object) -> Iterator[str]:
    """Yield the models that tools ask for, like that of image generation, and nested tools too."""
    waiting = [tools]
    while waiting:
        tool = waiting.pop()
        if isinstance(tool, _Pairs):
            yield from _named(tool)
            for name, value in tool:
                if name.casefold() in _WITH_MODELS:
                    waiting.append(value)
                # In a function's JSON schema `model` is no text.
                elif name.casefold() == "parameters" and isinstance(value, _Pairs):
                    yield from (text for text in _values(value, "model") if isinstance(text, str))
        elif isinstance(tool, list):
            waiting += tool


def _of_session(session: object) -> Iterator[str]:
    """Yield the models of a realtime session: its own, that of transcriptions, those of tools."""
    waiting = [session]
    while waiting:
        part = waiting.pop()
        if isinstance(part, _Pairs):
            yield from _named(part)
            for name, value in part:
                if name.casefold() in _WITH_MODELS:
                    yield from _of_tools(value)
                elif name.casefold() in _OF_SESSION:
                    waiting.append(value)


def _named(holder: "_Pairs") -> Iterator[str]:
    yield from (_text(value) for value in _values(holder, "model") if value is not None)


def _values(holder: "_Pairs", name: str) -> Iterator[object]:
    return (value for member, value in holder if member.casefold() == name)


def _items(name: str, value: object) -> list[object]:
    if not isinstance(value, list) or isinstance(value, _Pairs):
        raise Unreadable(f"the body's `{name}` is no list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unreadable("the body names it by something other than text")
    return value


class _Pairs(list[tuple[str, object]]):
    """A JSON object with every member that it has, those of the same name too."""
