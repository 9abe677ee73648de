"""The upstream's end of a websocket, by aiohttp's client."""

from collections.abc import Awaitable

import aiohttp

from proxy.errors import UpstreamCut, UpstreamProtocolError, UpstreamTimeout
from proxy.websocket import (
    CloseCode,
    Closed,
    EndGone,
    Handshake,
    Message,
    MessageTooBig,
    SocketOptions,
)

# How long an upstream may take to answer a close frame; it may be silent as long as it likes.
CLOSING = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=5.0)
_MAX_REFUSAL_BYTES = 1024 * 1024


class Refused(Exception):
    """An answer to the opening handshake that opens nothing; it is still open itself."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        super().__init__(f"the handshake was answered with {answer.status}")
        self.answer = answer


def refuses(request: aiohttp.ClientRequest, answer: aiohttp.ClientResponse) -> bool:
    """Return whether an answer refuses a websocket. aiohttp itself would drop its body unread."""
    return "Upgrade" in request.headers and answer.status != 101


async def opened(
    name: str,
    connecting: Awaitable["aiohttp.ClientWebSocketResponse[bool]"],
    options: SocketOptions,
) -> Handshake:
    """Return how the handshake with the upstream `name` ended.

    Raises UpstreamProtocolError, UpstreamCut and UpstreamTimeout besides what `connecting` does.
    """
    try:
        raw = await connecting
    except Refused as refusal:
        return await _refusal(name, refusal.answer)
    except aiohttp.WSServerHandshakeError as error:
        raise UpstreamProtocolError(
            f"upstream '{name}' answered the websocket's handshake wrongly: {error.message}"
        ) from error
    return Handshake(
        status=101,
        headers=raw._response.raw_headers,
        socket=UpstreamSocket(name, raw, options.max_message_bytes),
        subprotocol=raw.protocol,
    )


async def _refusal(name: str, answer: aiohttp.ClientResponse) -> Handshake:
    body = b""
    try:
        while len(body) <= _MAX_REFUSAL_BYTES and (piece := await answer.content.readany()):
            body += piece
    except TimeoutError as error:
        raise UpstreamTimeout(f"upstream '{name}' fell silent in the middle of its answer") from (
            error
        )
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamCut(
            f"upstream '{name}' closed the connection in the middle of its answer"
        ) from error
    finally:
        answer.close()
    if len(body) > _MAX_REFUSAL_BYTES:
        raise UpstreamProtocolError(f"upstream '{name}' refused a websocket without an end")
    return Handshake(answer.status, answer.raw_headers, body=body)


class UpstreamSocket:
    """An open websocket to the upstream `name`."""

    def __init__(
        self, name: str, raw: "aiohttp.ClientWebSocketResponse[bool]", max_bytes: int
    ) -> None:
        self._name = name
        self._raw = raw
        self._max_bytes = max_bytes

    async def receive(self) -> Message | Closed:
        """Return the next message, or how the upstream closed; see End.receive."""
        message = await self._raw.receive()
        kind, data = message.type, message.data
        if kind is aiohttp.WSMsgType.TEXT or kind is aiohttp.WSMsgType.BINARY:
            return data  # type: ignore[no-any-return]
        if kind is aiohttp.WSMsgType.CLOSE:
            return Closed(int(data or CloseCode.NONE_GIVEN), str(message.extra or ""))
        if kind is aiohttp.WSMsgType.ERROR:
            raise self._failure(data)
        if kind is aiohttp.WSMsgType.CLOSING:
            return Closed(CloseCode.NONE_GIVEN)  # by `close`
        raise UpstreamCut(f"upstream '{self._name}' dropped the websocket without closing it")

    def _failure(self, error: object) -> Exception:
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(f"upstream '{self._name}' gave no sign of life on the websocket")
        if isinstance(error, aiohttp.WebSocketError) and error.code == CloseCode.TOO_BIG:
            return MessageTooBig(
                f"upstream '{self._name}' sent a message of over {self._max_bytes} bytes "
                "(server.max_websocket_message_bytes)"
            )
        return UpstreamProtocolError(f"upstream '{self._name}' broke the websocket's protocol")

    async def send(self, message: Message) -> None:
        """Send a message; see End.send."""
        try:
            if isinstance(message, str):
                await self._raw.send_str(message)
            else:
                await self._raw.send_bytes(message)
        except (aiohttp.ClientError, OSError) as error:
            raise EndGone from error

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame and wait a moment for its answer."""
        await self._raw.close(code=code, message=reason.encode())
