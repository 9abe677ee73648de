"""A key that is accepted and documented, and that nothing reads, is a promise not kept.

By attribute name, so a key that shares its name with another one could hide. Protections are read
as a whole and have tests of their own.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from policies.types import Policy, Protections
from proxy.config import Config

ROOT = Path(__file__).parent.parent.parent
# Modules that declare keys and may speak of them without obeying them.
DECLARING = ("proxy/config", "policies/types.py")
# Keys that are gone once the config is loaded, and what has read them by then.
WHILE_LOADING = {
    "AccessConfig.keys_file": "proxy/config.py",
    "CacheConfig.encryption_key_env": "proxy/config_resolve.py",
    "Policy.preset": "policies/presets.py",
    "UpstreamConfig.api_key_env": "proxy/config_resolve.py",
}


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Return the models that an annotation names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_of(inner)


def keys(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[str, str]]:
    """Return (model, attribute) of every key at or below a model."""
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        yield model.__name__, name
        for inner in models_of(field.annotation):
            yield from keys(inner, seen)


def names_read(path: Path, *, strings: bool = False) -> set[str]:
    """Return every attribute that a module reads, and with `strings` its string constants."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add(node.attr)
        elif strings and isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def test_every_key_is_read_somewhere() -> None:
    read: set[str] = set()
    for package in ("proxy", "policies", "compressor"):
        for path in (ROOT / package).rglob("*.py"):
            if not path.relative_to(ROOT).as_posix().startswith(DECLARING):
                read |= names_read(path)
    found = [*keys(Config, {Protections}), *keys(Policy, {Protections})]
    assert len(found) > 60
    unread = {f"{model}.{name}" for model, name in found if name not in read}
    assert unread <= set(WHILE_LOADING)
    for key, where in WHILE_LOADING.items():
        assert key.partition(".")[2] in names_read(ROOT / where, strings=True)
