"""Serves an ASGI application on a free port of this machine, from a thread of its own."""

import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from proxy.config import ServerConfig
from proxy.server import uvicorn_config

_START_SECONDS = 30


class LocalServer:
    """A context in which `app` is served at `base_url`."""

    def __init__(self, app: ASGIApp) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = _Announcing(uvicorn_config(app, ServerConfig(shutdown_seconds=1)))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )

    @property
    def root(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def base_url(self) -> str:
        """The address as an OpenAI client takes it."""
        return f"{self.root}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._server.up.wait(_START_SECONDS):
            raise TimeoutError("a local server did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()
