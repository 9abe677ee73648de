"""What the pipeline and the taps need of an API, whichever it is."""

from dataclasses import dataclass
from typing import Protocol

from policies.types import Role
from proxy.json_spans import Edit
from proxy.usage import AnswerReader


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
    the client refused it, or the body is not one that could ask; `overrule_usage` is the edit that
    makes it do so against the client's refusal. `reserved_tokens` is what the
    request sets aside for the answer, 0 where it does not say. `note` says why texts that are
    there are not among `texts`, where that is the whole request's doing. With `independent` each
    text is a prompt of its own, answered by itself.
    """

    model: str
    stream: bool
    texts: tuple[BodyText, ...]
    ask_usage: Edit | None = None
    overrule_usage: Edit | None = None
    reserved_tokens: int = 0
    note: str | None = None
    independent: bool = False

    def last_user_texts(self) -> list[str]:
        """Return the texts of the last message with a user's text, in order.

        In every dialect the first two steps of a text's path name its message.
        """
        spoken = [text for text in self.texts if text.role is Role.USER]
        return [text.text for text in spoken if text.path[:2] == spoken[-1].path[:2]]


class Dialect(AnswerReader, Protocol):
    """One API: reads the bodies of its requests, and the token counts of its answers."""

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says; raises json_spans.Unreadable when it must go on unread."""
        ...

    def read_tools(self, body: bytes) -> tuple[BodyText, ...]:
        """Return the descriptions of tools and of their parameters, of role TOOL_SCHEMA.

        `body` is one that `read` could read. Raises json_spans.Unreadable.
        """
        ...

    def error_event(self, body: bytes) -> bytes:
        """Return the event that tells a stream's client of an error, from an error's JSON body."""
        ...
