"""uvicorn's HTTP/1.1 protocol with its doors shut: sizes, clocks and what RFC 9112 tells to refuse.

llhttp, which uvicorn parses with, refuses most of what requests are smuggled with by itself: both
lengths at once, repeated or odd lengths, folded lines, bare line feeds, spaces before colons, bad
chunks. What it leaves to its user is here.
"""

import asyncio
import uuid
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from proxy.errors import RequestRefused, error_body

MAX_HEADERS = 256
# A body that is always a byte ahead of the clock would hold its place for ever.
_MIN_BYTES_PER_SECOND = 100
_HEADER_OVERHEAD = 4  # ": " and the line's end


class _BadHead(Exception):
    """Ends the parsing of a head; what is wrong with it is in `_refusal`."""


class _Parser(httptools.HttpRequestParser):
    """Keeps what came behind the head of a request for another protocol, which it does not read."""

    rest = b""

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # it is fed nothing else
        """Parse."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.rest = data[upgrade.args[0] :]
            raise


class GuardedProtocol(HttpToolsProtocol):
    """One client's connection. Subclassed by `guarded` with the limits."""

    max_head_bytes: int
    head_seconds: float
    body_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        super().__init__(*args, **kwargs)
        self._use_new_parser()
        self._in_head = True
        self._in_body = False
        self._declined = False
        # What llhttp took and has not shown yet: a head, or a trailer, that does not end.
        self._hidden_bytes = 0
        self._body_deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._refusal: RequestRefused | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first head its time."""
        super().connection_made(transport)
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see whether what is still under way has its time and size."""
        if self.transport.is_closing():
            return
        was_in_head = self._in_head
        if self._in_body:
            self._extend(len(data))
        self._hidden_bytes = self._hidden_bytes + len(data) if was_in_head or self._in_body else 0
        super().data_received(data)
        if self._declined:
            self._go_on_as_http()
        elif self.transport.is_closing():
            self._stop()
        elif self._hidden_bytes > self.max_head_bytes and (self._in_head or self._in_body):
            self._refuse(self._head_too_large())
        elif self._timer is not None:
            return
        elif self._in_head:
            self._time_head()
        elif self._in_body:
            self._body_deadline = self.loop.time() + self.body_seconds
            self._timer = self.loop.call_later(self.body_seconds, self._body_late)

    def on_message_begin(self) -> None:
        """Begin with a head."""
        self._in_head, self._in_body = True, False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; drop a trailer, which would join the headers that were looked at."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Look at the whole head before anything is done with it."""
        self._stop()
        self._refusal = self._faults()
        if self._refusal is not None:
            raise _BadHead
        upgrades = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if upgrades and not self._should_upgrade():
            self._declined = True
            return
        self._in_head, self._in_body = False, True
        self._hidden_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._hidden_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock: what follows is the answer, which may take its time."""
        if self._declined:
            return
        self._stop()
        self._in_body = False
        super().on_message_complete()

    def _use_new_parser(self) -> None:
        self.parser = self._parser = _Parser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a client may ask."""

    def _go_on_as_http(self) -> None:
        """Read a request that offers to go on in another protocol as what it is: HTTP/1.1.

        RFC 9110 section 7.8 lets a server do that; Java's client, for one, offers h2c by default.
        llhttp takes what follows such a head for the other protocol, also where it is the
        request's body.
        """
        self._declined = False
        rest, version = self._parser.rest, self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"upgrade":
                continue
            tokens = [token.strip() for token in value.split(b",")]
            kept = [token for token in tokens if token.lower() != b"upgrade"]
            is_connection = name == b"connection"
            lines.append(b"%b: %b\r\n" % (name, b", ".join(kept) if is_connection else value))
        self._use_new_parser()
        self.data_received(b"".join([*lines, b"\r\n", rest]))

    def _should_upgrade(self) -> bool:
        """Return whether a websocket is asked for: by GET, without a body, and next in turn."""
        busy = self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]
        names = {name for name, _ in self.headers}
        return (
            not busy
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and b"sec-websocket-key" in names
            and not names & {b"content-length", b"transfer-encoding"}
            and super()._should_upgrade()
        )

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the other protocol."""
        self._stop()
        self._in_head = self._in_body = False
        super().handle_websocket_upgrade()

    def _faults(self) -> RequestRefused | None:
        size = len(self.url) + sum(
            len(name) + len(value) + _HEADER_OVERHEAD for name, value in self.headers
        )
        if size > self.max_head_bytes or len(self.headers) > MAX_HEADERS:
            return self._head_too_large()
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            return _bad(505, f"HTTP/{version[:8]} is not spoken here; HTTP/1.1 is.")
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            # RFC 9112 section 3.2
            return _bad(400, "The request has no Host header, or more than one.")
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if codings and version == "1.0":
            return _bad(400, "HTTP/1.0 has no Transfer-Encoding.")
        if codings and b",".join(codings).strip(b" \t,").lower() != b"chunked":
            # RFC 9112 section 6.1
            return _bad(501, "Of transfer codings only chunked is understood.")
        return None

    def _head_too_large(self) -> RequestRefused:
        return RequestRefused(
            431,
            f"The request's head is over {self.max_head_bytes} bytes (server.max_head_bytes) or "
            f"{MAX_HEADERS} headers.",
            code="head_too_large",
        )

    def send_400_response(self, msg: str) -> None:
        """Refuse what could not be parsed, in OpenAI's shape. Called by uvicorn."""
        self._refuse(self._refusal or _bad(400, "The request is not valid HTTP/1.1."))

    def _refuse(self, refusal: RequestRefused) -> None:
        self._stop()
        cycle = self.cycle
        # uvicorn's hints leave out that there is none before the first request.
        busy = cycle is not None and not cycle.response_complete  # type: ignore[redundant-expr]
        # Bytes of a refusal in the middle of another answer, or before it, would be taken for it.
        if not self.transport.is_closing() and not (
            busy and (self._in_head or cycle.response_started)
        ):
            self.transport.write(_answer(refusal))
        self.transport.close()

    def _time_head(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._head_late)

    def _head_late(self) -> None:
        self._timer = None
        if self._hidden_bytes == 0 and self.scope is None:
            self.transport.close()  # connected, and said nothing
        else:
            self._refuse(_late("head", self.head_seconds, "head_timeout_seconds"))

    def _extend(self, received: int) -> None:
        now = self.loop.time()
        longer = self._body_deadline + received / _MIN_BYTES_PER_SECOND
        self._body_deadline = min(now + self.body_seconds, longer)

    def _body_late(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # the upstream is slow, not the client
            self._body_deadline = now + self.body_seconds
        rest = self._body_deadline - now
        if rest > 0:
            self._timer = self.loop.call_later(rest, self._body_late)
            return
        self._timer = None
        self._refuse(_late("body", self.body_seconds, "body_timeout_seconds"))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def guarded(
    *, max_head_bytes: int, head_seconds: float, body_seconds: float
) -> type[asyncio.Protocol]:
    """Return the protocol with these limits, for uvicorn to make one of for every connection."""
    limits = {
        "max_head_bytes": max_head_bytes,
        "head_seconds": head_seconds,
        "body_seconds": body_seconds,
    }
    return type("LimitedProtocol", (GuardedProtocol,), limits)


def _bad(status: int, message: str) -> RequestRefused:
    return RequestRefused(status, message, code="bad_http")


def _late(what: str, seconds: float, setting: str) -> RequestRefused:
    message = f"The request's {what} did not come within {seconds:g} seconds (server.{setting})."
    return RequestRefused(408, message, code="request_timeout")


def _answer(refusal: RequestRefused) -> bytes:
    request_id = f"req_{uuid.uuid4().hex}"
    body = error_body(refusal, request_id)
    head = (
        b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %b\r\n"
        b"connection: close\r\n\r\n" % (len(body), request_id.encode())
    )
    return STATUS_LINE[refusal.status] + head + body
