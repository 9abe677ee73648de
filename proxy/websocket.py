"""What the two ends of a websocket have in common: messages, and how it ends.

https://www.rfc-editor.org/rfc/rfc6455
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from proxy.errors import UpstreamProtocolError

# Text and binary messages; how they were cut into frames is of one hop only.
Message = str | bytes

_MAX_REASON_BYTES = 123


class CloseCode(IntEnum):
    """The codes of RFC 6455 section 7.4.1 that the proxy says, or has to tell apart."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    NONE_GIVEN = 1005  # never on the wire
    LOST = 1006  # never on the wire
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011


@dataclass(frozen=True, slots=True)
class Closed:
    """How one end closed: the code and reason of its close frame, or LOST without one."""

    code: int
    reason: str = ""

    @property
    def lost(self) -> bool:
        """Whether the connection ended without the closing handshake."""
        return self.code == CloseCode.LOST

    def passed_on(self) -> "Closed":
        """Return what the other end is told: a code that may be sent, a reason that fits."""
        if self.code == CloseCode.NONE_GIVEN:
            return Closed(CloseCode.NORMAL)
        if self.lost:
            return Closed(CloseCode.GOING_AWAY)
        return Closed(self.code, fitting(self.reason))


def fitting(reason: str) -> str:
    """Return as much of a reason as a close frame holds."""
    return reason.encode("utf-8", "replace")[:_MAX_REASON_BYTES].decode("utf-8", "ignore")


class End(Protocol):
    """One end of an open websocket. One task receives, one sends."""

    async def receive(self) -> Message | Closed:
        """Return the next message, or how it was closed.

        Raises UpstreamError where that end broke the protocol or fell silent.
        """
        ...

    async def send(self, message: Message) -> None:
        """Send a message; waits while that end is slow to take it. Raises EndGone."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close in order, as far as that end still takes part in it."""
        ...


class MessageTooBig(UpstreamProtocolError):
    """The upstream sent a message over the limit."""


class EndGone(Exception):
    """Nothing can be sent any more; `receive` says how it ended."""


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What an upstream's websocket is opened with.

    `ping_seconds` is how long it may be silent before it is asked for a sign of life; 0 asks never.
    """

    subprotocols: Sequence[str]
    max_message_bytes: int
    ping_seconds: float


@dataclass(frozen=True, slots=True)
class Handshake:
    """An upstream's answer to the opening handshake: the socket, or the refusal's body."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    socket: End | None = None
    subprotocol: str | None = None
    body: bytes = b""

    def close(self) -> None:
        """Nothing is left open where there is no socket."""
