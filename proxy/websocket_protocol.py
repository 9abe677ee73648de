"""uvicorn's websocket protocol, by wsproto, with what it leaves open.

It is handed a connection by proxy.http_protocol, which has looked at the whole head.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events
from wsproto.connection import ConnectionState

from proxy.websocket import CloseCode

# What was written before is sent in any case; this is for the client's own close frame.
_CLOSE_SECONDS = 2.0
_SHUTTING_DOWN = "Tersely is shutting down"


class WebsocketProtocol(WSProtocol):
    """One client's websocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        super().__init__(*args, **kwargs)
        self.close_timeout = _CLOSE_SECONDS
        self._received_at = 0.0
        self._closed = False

    def data_received(self, data: bytes) -> None:
        """Parse; and remember that the client is alive."""
        self._received_at = self.loop.time()
        if self.transport.is_closing():
            return
        try:
            super().data_received(data)
        except UnicodeError:  # a Host that is no host's name
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that no close frame came; uvicorn's own word could be that of one without a code."""
        if not self._closed:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.LOST})
        super().connection_lost(exc)

    def handle_close(self, event: events.CloseConnection) -> None:
        """Take a close frame; answer what is no valid frame with one."""
        self._closed = True
        if not self.close_sent and self.conn.state is ConnectionState.OPEN:
            # How wsproto tells of a breach of the protocol; uvicorn would only hang up.
            self.transport.write(self.conn.send(event))
        super().handle_close(event)

    def keepalive_timeout(self) -> None:
        """Give up on a client that is silent, but not on one whose long message is on its way."""
        if self._received_at > self.ping_sent_at and self.ping_timeout is not None:
            self.ping_sent_at = self.loop.time()
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        super().keepalive_timeout()

    def shutdown(self) -> None:
        """Close with "going away" (RFC 6455 section 7.4.1); the application closes the upstream."""
        if self.close_sent or not self.handshake_complete or self._closed:
            super().shutdown()
            return
        self._closed = True
        self.stop_keepalive()
        code = CloseCode.GOING_AWAY
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": code, "reason": _SHUTTING_DOWN}
        )
        self.transport.write(self.conn.send(events.CloseConnection(code, _SHUTTING_DOWN)))
        self.transport.close()


def websocket_protocol() -> type[asyncio.Protocol]:
    """Return the protocol for uvicorn to make one of for every websocket."""
    return WebsocketProtocol
