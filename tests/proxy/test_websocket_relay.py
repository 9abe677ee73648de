"""The relay between two ends that do what the test says."""

import asyncio
from typing import Any

import pytest

from proxy.errors import ClientGone, UpstreamCut
from proxy.websocket import Closed, EndGone, Message
from proxy.websocket_relay import ClientSocket, RelayEnd, relay


class MadeUpEnd:
    """Says what it is given, the last thing for ever; may refuse to take anything."""

    def __init__(self, *says: Any, takes: bool = True) -> None:
        self._says: asyncio.Queue[Any] = asyncio.Queue()
        for message in says:
            self._says.put_nowait(message)
        self._takes = takes
        self.taken: list[Message] = []
        self.closed: tuple[int, str] | None = None

    async def receive(self) -> Message | Closed:
        found = await self._says.get()
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    async def send(self, message: Message) -> None:
        if not self._takes:
            raise EndGone
        self.taken.append(message)

    async def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)


async def relayed(client: MadeUpEnd, upstream: MadeUpEnd) -> tuple[RelayEnd, list[Message]]:
    seen: list[Message] = []
    async with asyncio.timeout(10):
        return await relay(client, upstream, seen.append), seen


async def test_the_client_closes() -> None:
    client, upstream = MadeUpEnd("a", b"b", Closed(4000, "why")), MadeUpEnd()
    end, seen = await relayed(client, upstream)
    assert end == RelayEnd(by_client=True, closed=Closed(4000, "why"))
    assert (upstream.taken, upstream.closed, client.closed) == (["a", b"b"], (4000, "why"), None)
    assert seen == []


async def test_the_upstream_closes() -> None:
    client, upstream = MadeUpEnd(), MadeUpEnd("a", b"b", Closed(1005))
    end, seen = await relayed(client, upstream)
    assert end == RelayEnd(by_client=False, closed=Closed(1005))
    assert (client.taken, client.closed, upstream.closed) == (["a", b"b"], (1000, ""), (1000, ""))
    assert seen == ["a", b"b"]


async def test_the_upstream_fails_and_the_client_can_still_be_told() -> None:
    client, upstream = MadeUpEnd(), MadeUpEnd(UpstreamCut("cut"))
    with pytest.raises(UpstreamCut, match="cut"):
        await relayed(client, upstream)
    assert client.closed is None


async def test_an_upstream_that_takes_nothing_says_why() -> None:
    client = MadeUpEnd("a")
    upstream = MadeUpEnd(Closed(4001, "enough"), takes=False)
    end, _ = await relayed(client, upstream)
    assert end.closed == Closed(4001, "enough")


async def test_a_client_that_takes_nothing_says_why() -> None:
    client = MadeUpEnd(Closed(1001), takes=False)
    end, _ = await relayed(client, MadeUpEnd("a"))
    assert end == RelayEnd(by_client=True, closed=Closed(1001))


async def test_ends_that_say_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.websocket_relay._LAST_WORD_SECONDS", 0)
    upstream = MadeUpEnd("a")
    end, _ = await relayed(MadeUpEnd(takes=False), upstream)
    assert end == RelayEnd(by_client=True, closed=Closed(1006))
    assert upstream.closed == (1001, "")
    with pytest.raises(UpstreamCut, match="takes no more messages"):
        await relayed(MadeUpEnd("a"), MadeUpEnd(takes=False))


async def test_a_message_before_the_answer_is_kept() -> None:
    said: asyncio.Queue[Any] = asyncio.Queue()
    client = ClientSocket(said.get, _nowhere, can_refuse=True)
    leaving = asyncio.create_task(client.gone())
    said.put_nowait({"type": "websocket.receive", "text": "early"})
    said.put_nowait({"type": "websocket.receive", "bytes": b"next", "text": None})
    await asyncio.sleep(0.01)
    assert not leaving.done()
    leaving.cancel()
    assert await client.receive() == "early"
    assert await client.receive() == b"next"


async def _nowhere(message: Any) -> None:
    raise OSError


async def test_a_client_that_has_gone() -> None:
    client = ClientSocket(asyncio.Queue().get, _nowhere, can_refuse=True)
    with pytest.raises(ClientGone):
        await client.accept(None, [])
    with pytest.raises(EndGone):
        await client.send("x")
    await client.close(1000, "")
