"""Descriptions in tools and in the JSON schemas of their parameters, and nothing else of them."""

from collections.abc import Iterator, Mapping
from typing import NoReturn

from policies.types import Role
from proxy.dialects.base import BodyText
from proxy.dialects.nodes import Path, objects, text_of
from proxy.json_spans import Array, Node, Object, Shape


class EveryMember(Mapping[str, Shape]):
    """The shape of an object all of whose members are wanted, whatever they are called."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Shape:
        return self._shape

    def __iter__(self) -> NoReturn:
        raise TypeError("the members' names are the body's to say")

    def __len__(self) -> NoReturn:
        raise TypeError("the members' names are the body's to say")


# Where a JSON schema (draft 2020-12 and the older ones that APIs take) holds further schemas. What
# is not listed is data: `enum`, `const`, `default`, `examples`.
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("prefixItems", "anyOf", "oneOf", "allOf")
_SINGLE = (
    *("items", "additionalProperties", "unevaluatedProperties", "additionalItems", "contains"),
    *("unevaluatedItems", "propertyNames", "not", "if", "then", "else"),
)

SCHEMA: dict[str, Shape] = {"description": None}
SCHEMA |= dict.fromkeys(_SINGLE, SCHEMA)
SCHEMA |= {name: (SCHEMA,) for name in _LISTED}
SCHEMA |= {name: EveryMember(SCHEMA) for name in _NAMED}


def description(holder: Object, path: Path) -> Iterator[BodyText]:
    """Yield what an object's own `description` says."""
    yield from text_of(holder.members.get("description"), Role.TOOL_SCHEMA, (*path, "description"))


def schema_descriptions(schema: Node | None, path: Path) -> Iterator[BodyText]:
    """Yield the descriptions of a schema that was located with SCHEMA, those inside it too."""
    if not isinstance(schema, Object):
        return
    yield from description(schema, path)
    for name, node in schema.members.items():
        inner = (*path, name)
        if name in _NAMED and isinstance(node, Object):
            for key, member in node.members.items():
                yield from schema_descriptions(member, (*inner, key))
        elif name in _LISTED and isinstance(node, Array):
            for index, item in objects(node):
                yield from schema_descriptions(item, (*inner, index))
        elif name in _SINGLE:
            yield from schema_descriptions(node, inner)
