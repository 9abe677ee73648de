"""What each kind of upstream is sent for one and the same request."""

from typing import Any

import pytest
from pydantic import SecretStr

from proxy.config_upstream import UpstreamConfig
from proxy.model_names import ModelNames
from proxy.outgoing import Outgoing
from proxy.upstream import UpstreamRequest

OWN = "sk-own"
BEARER = {"authorization": "Bearer sk-c"}


async def sent(client: dict[str, str], body: bytes = b"{}", **options: Any) -> UpstreamRequest:
    config = UpstreamConfig(**{"base_url": "http://x/v1"} | options)
    outgoing = Outgoing(
        method="POST",
        path="/v1/chat/completions",
        target="/chat/completions",
        headers=[(name.encode(), value.encode()) for name, value in client.items()],
        fields=client,
        body=body,
        tenant="t",
        max_bytes=1000,
        model="m",
    )
    return await outgoing.request(config, ModelNames(config.models))


@pytest.mark.parametrize(
    ("client", "options", "headers"),
    [
        # the client's own, as it came
        (BEARER, {}, BEARER),
        ({"x-api-key": "k"}, {}, {"x-api-key": "k"}),
        ({}, {}, {}),
        # ... in the form that the upstream wants
        (BEARER, {"auth": "x-api-key"}, {"x-api-key": "sk-c"}),
        (BEARER, {"auth": "api-key"}, {"api-key": "sk-c"}),
        ({"api-key": "k"}, {"auth": "bearer"}, {"authorization": "Bearer k"}),
        ({"authorization": "bearer  k "}, {"auth": "api-key"}, {"api-key": "k"}),
        ({}, {"auth": "bearer"}, {}),
        # ... taken out
        (BEARER | {"x-api-key": "k", "api-key": "k"}, {"auth": "none"}, {}),
        # our own in its place
        (BEARER, {"api_key": OWN}, {"authorization": "Bearer sk-own"}),
        (BEARER | {"x-api-key": "k"}, {"api_key": OWN, "auth": "x-api-key"}, {"x-api-key": OWN}),
        ({}, {"api_key": OWN}, {"authorization": "Bearer sk-own"}),
        # Azure
        (BEARER, {"via": "azure", "api_version": "v"}, BEARER),
        (BEARER, {"via": "azure", "api_version": "v", "api_key": OWN}, {"api-key": OWN}),
    ],
)
async def test_keys(
    client: dict[str, str], options: dict[str, Any], headers: dict[str, str]
) -> None:
    if "api_key" in options:
        options = options | {"api_key": SecretStr(options["api_key"])}
    request = await sent(client, **options)
    assert list(request.headers) == list(headers.items())


async def test_a_body_without_a_new_name_is_the_same_object() -> None:
    body = b'{"model":"m"}'
    assert (await sent({}, body)).body is body
    assert (await sent({}, body, models={"other": "x"})).body is body
    assert (await sent({}, body, models={"m": "{model}"})).body is body


async def test_a_renamed_body_has_its_own_length() -> None:
    request = await sent({"content-length": "13"}, b'{"model":"m"}', models={"m": "longer"})
    assert request.body == b'{"model":"longer"}'
    assert list(request.headers) == [("content-length", "18")]
