"""One config's services, and the requests that they are still serving after the next has come."""

import asyncio
import contextlib
from collections.abc import Iterator

from proxy.services import Services


class Generation:
    """Counts its requests, so that what it holds can be closed behind the last one.

    For one event loop.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def serving(self) -> Iterator[Services]:
        """Count one request."""
        self._running += 1
        self._idle.clear()
        try:
            yield self.services
        finally:
            self._running -= 1
            if self._running == 0:
                self._idle.set()

    async def ended(self) -> None:
        """Wait until no request is running. To be called once no new one can begin."""
        await self._idle.wait()
