"""What one tenant sent is nothing that another can read, or find out, from the caches."""

import json
import uuid

import pytest

from proxy.config import CacheConfig
from proxy.savings import SavingsRecord
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.raw_client import chat

TEXT = "The committee met on Tuesday and talked about the budget for a long time, as it does. "


def key(tenant: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer sk-{tenant}")]


async def ask(proxy: Proxy, tenant: str, text: str) -> tuple[str | None, SavingsRecord]:
    """Return x-tersely-cache and the record."""
    message = {"role": "user", "content": text}
    body = json.dumps({"model": "gpt-4o", "messages": [message]}).encode()
    answer = await chat(proxy, body, key(tenant))
    assert answer.status == 200
    return answer.value("x-tersely-cache"), await proxy.sink.next()


async def ready(proxy: Proxy) -> None:
    """Wait for the classifier by asking for another text until it was compressed."""
    for _ in range(100):
        _, record = await ask(proxy, "nobody", f"{uuid.uuid4()} {TEXT * 3}")
        if record.report.parts[0].failure is None:
            return
    pytest.fail("the classifier did not load")


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("redis", [False, True])
async def test_a_text_is_found_again_by_its_tenant_alone(
    proxy_server: ProxyServer, valkey_url: str, redis: bool, shared: bool
) -> None:
    where = {"url": valkey_url, "call_budget_ms": 5000} if redis else {}
    cache = CacheConfig.model_validate({"share_between_tenants": shared} | where)
    first = proxy_server(cache=cache)
    second = proxy_server(cache=cache) if redis else first
    await ready(first)
    await ready(second)
    text = f"{uuid.uuid4()} {TEXT * 4}"
    assert (await ask(first, "a", text))[0] == "miss"
    assert (await ask(second, "a", text))[0] == "hit"
    state, record = await ask(second, "b", text)
    assert state == ("hit" if shared else "miss")
    assert (record.report.parts[0].cache in ("memory", "shared")) is shared
