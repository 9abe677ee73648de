"""What a model is called at an upstream, and where a request says which one it wants."""

import asyncio
import re
from collections.abc import Mapping

from policies.match import model_glob
from proxy.body import decode_body, model_named
from proxy.json_spans import Edit, Leaf, Object, Unreadable, locate, splice, string_literal

# Reading this many bytes takes about as long as the way to a thread and back.
_INLINE_BYTES = 64 * 1024
# A form field as RFC 7578 section 4.2 has it; names of models hold no line break.
_FORM_MODEL = re.compile(
    rb'content-disposition: *form-data; *name="?model"?\r\n'
    rb"(?:[^\r\n]{1,512}\r\n){0,8}\r\n([^\r\n]{1,256})\r\n",
    re.IGNORECASE,
)


class ModelNames:
    """An upstream's `models`, made ready once. First match wins."""

    def __init__(self, models: Mapping[str, str]) -> None:
        self._models = [(model_glob(pattern), name) for pattern, name in models.items()]
        self.listed = tuple(name for name in models if not set(name) & set("*?["))

    def __bool__(self) -> bool:
        return bool(self._models)

    def find(self, model: str) -> str | None:
        """Return the name that the upstream knows `model` by, or None where none is configured."""
        for matches, name in self._models:
            if matches(model):
                return name.replace("{model}", model)
        return None


def requested_model(body: bytes, content_type: str, coding: str, max_bytes: int) -> str:
    """Return the model that a JSON or form body names, "" where it cannot be told."""
    try:
        data = decode_body(body, coding, max_bytes).data
    except Unreadable:
        return ""
    if content_type.lower().startswith("multipart/form-data"):
        found = _FORM_MODEL.search(data)
        return found[1].decode("utf-8", "replace").strip() if found else ""
    return model_named(data)


async def renamed(body: bytes, coding: str, name: str, max_bytes: int) -> bytes | None:
    """Return a JSON body, out of its content-encoding, that asks for `name`; all else as it was.

    None where the body names no model or cannot be read, so that it has to go on as it is.
    """
    if coding or len(body) > _INLINE_BYTES:
        return await asyncio.to_thread(_renamed, body, coding, name, max_bytes)
    return _renamed(body, coding, name, max_bytes)


def _renamed(body: bytes, coding: str, name: str, max_bytes: int) -> bytes | None:
    try:
        data = decode_body(body, coding, max_bytes).data
        root = locate(data, {"model": None})
    except Unreadable:
        return None
    model = root.members.get("model") if isinstance(root, Object) else None
    if not isinstance(model, Leaf) or not isinstance(model.value, str):
        return None
    literal = string_literal(name, data[model.start : model.end])
    return splice(data, [Edit(model.start, model.end, literal)])
