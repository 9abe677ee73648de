import pytest

from proxy.config_upstream import UpstreamConfig
from proxy.errors import RequestRefused
from proxy.upstream import UpstreamRequest
from proxy.upstream_litellm import LitellmUpstream
from proxy.websocket import SocketOptions


async def test_websockets_are_refused_with_the_reason() -> None:
    config = UpstreamConfig(via="litellm", models={"*": "gemini/{model}"})
    request = UpstreamRequest("GET", "/realtime?model=x", [])
    options = SocketOptions(subprotocols=(), max_message_bytes=1, ping_seconds=0)
    with pytest.raises(RequestRefused, match="not served by upstream 'g', which goes") as refused:
        await LitellmUpstream("g", config).open(request, options)
    assert (refused.value.status, refused.value.code) == (404, "unknown_url")
