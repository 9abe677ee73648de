"""What the pipeline needs from a request body, whatever API it belongs to."""

from dataclasses import dataclass
from typing import Protocol

from policies.types import Role
from proxy.json_spans import Edit


@dataclass(frozen=True, slots=True)
class BodyText:
    """One text of a body: who says it, its JSON path, and the byte offsets of its literal."""

    role: Role
    path: tuple[str | int, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BodyReading:
    """What a body says. `model` is "" where it names none.

    `ask_usage` is the edit that makes a stream report usage; None when the answer has it anyway,
    the client refused it, or the body is not one that could ask. `reserved_tokens` is what the
    request sets aside for the answer, 0 where it does not say.
    """

    model: str
    stream: bool
    texts: tuple[BodyText, ...]
    ask_usage: Edit | None = None
    reserved_tokens: int = 0


class Dialect(Protocol):
    """Reads one API's request bodies."""

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says; raises json_spans.Unreadable when it must go on unread."""
        ...
