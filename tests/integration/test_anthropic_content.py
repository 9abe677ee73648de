"""Anthropic's client with more than text: pictures, documents and answers by a schema."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.providers import anthropic_message, anthropic_stream
from tests.integration.sdk_clients import HALF, KEPT, LONG, SAVED, anthropic_client, ready, records
from tests.integration.test_anthropic_client import ASKED, HELLO, POST


class City(BaseModel):
    """A city."""

    name: str = Field(description=KEPT)


PARIS = '{"name": "Paris"}'
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo" * 20}
BLOCKS: dict[str, dict[str, Any]] = {
    "a picture's bytes": {"type": "image", "source": PNG},
    "a picture's address": {
        "type": "image",
        "source": {"type": "url", "url": f"https://example.test/a.png?about={KEPT}"},
    },
    "a picture's file": {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
    "a document": {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": KEPT},
        "title": KEPT,
        "citations": {"enabled": True},
    },
}


@pytest.mark.parametrize("case", BLOCKS)
async def test_only_the_text_beside_it_gets_shorter(
    proxy: Proxy, upstream: FakeUpstream, case: str
) -> None:
    upstream.handler = ready({POST: HELLO})
    text = {"type": "text", "text": LONG}
    block = BLOCKS[case]
    asked: Any = ASKED | {"messages": [{"role": "user", "content": [block, text, block]}]}
    async with anthropic_client(proxy) as (client, sent):
        await client.messages.create(**asked)
    (request,) = sent.arrived(upstream, shortened=True)
    [message] = request.json["messages"]
    assert message["content"] == [block, text | {"text": HALF}, block]
    assert [record.tokens_saved for record in await records(proxy)] == [SAVED]


async def test_an_answer_by_a_schema(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: anthropic_message({"type": "text", "text": PARIS})})
    async with anthropic_client(proxy) as (client, sent):
        message = await client.messages.parse(**ASKED, output_format=City)
    assert message.parsed_output == City(name="Paris")
    (request,) = sent.arrived(upstream, shortened=True)
    schema = request.json["output_config"]["format"]
    assert schema["type"] == "json_schema"
    assert KEPT in json.dumps(schema)
    assert [record.tokens_saved for record in await records(proxy)] == [SAVED]


async def test_a_stream_by_a_schema(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({POST: list(anthropic_stream(PARIS[:8], PARIS[8:]))})
    async with (
        anthropic_client(proxy) as (client, sent),
        client.messages.stream(**ASKED, output_format=City) as stream,
    ):
        final = await stream.get_final_message()
    assert final.parsed_output == City(name="Paris")
    sent.arrived(upstream, shortened=True)
    assert [record.tokens_saved for record in await records(proxy)] == [SAVED]


async def test_a_schema_the_answer_breaks_is_the_clients_to_find(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    upstream.handler = ready({POST: anthropic_message({"type": "text", "text": '{"name": 7}'})})
    async with anthropic_client(proxy) as (client, _):
        with pytest.raises(ValueError, match="name"):
            await client.messages.parse(**ASKED, output_format=City)
    assert [record.status for record in await records(proxy)] == [200]
