"""How uvicorn has to be set up to serve this application."""

import logging

import uvicorn
from starlette.types import ASGIApp

from proxy.config import ServerConfig
from proxy.http_protocol import guarded
from proxy.websocket_protocol import websocket_protocol

# Most load balancers reuse a connection for up to a minute; the server must not close it first.
_KEEP_ALIVE_SECONDS = 75


class _CutIsMeant(logging.Filter):
    """Drops uvicorn's complaint about an unfinished answer: that is how a cut is passed on."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing response" not in record.getMessage()


_CUT_IS_MEANT = _CutIsMeant()


def uvicorn_config(app: ASGIApp, server: ServerConfig) -> uvicorn.Config:
    """Return uvicorn's settings: fast, no headers of its own, requests not logged twice."""
    config = uvicorn.Config(
        app,
        host=server.host,
        port=server.port,
        loop="auto",
        http=guarded(
            max_head_bytes=server.max_head_bytes,
            head_seconds=server.head_timeout_seconds,
            body_seconds=server.body_timeout_seconds,
        ),
        ws=websocket_protocol(),
        ws_max_size=server.max_websocket_message_bytes,
        ws_ping_interval=server.websocket_ping_seconds or None,
        ws_ping_timeout=server.websocket_ping_seconds or None,
        # Much work for audio, which does not become smaller.
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(server.shutdown_seconds)),
    )
    logging.getLogger("uvicorn.error").addFilter(_CUT_IS_MEANT)
    return config
