"""What tests of several dialects ask of a reading."""

from collections.abc import Iterable
from typing import Any

from policies.types import Role
from proxy.dialects.base import BodyText

Found = tuple[Role, tuple[str | int, ...], str]


def found(texts: Iterable[BodyText]) -> list[Found]:
    return [(text.role, text.path, text.text) for text in texts]


def said(texts: Iterable[BodyText]) -> list[tuple[Role, str]]:
    return [(text.role, text.text) for text in texts]


# Values that stand where an API has something else. No dialect may fail on one, or find a text.
WRONG: list[Any] = [None, 7, True, {"text": "x"}, [], [None], [[]], [{}], [7], ["x"], [["x"]]]
