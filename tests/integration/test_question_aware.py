"""Question-aware policies through a real server, with the bundled classifier."""

import json

import pytest

from proxy.config import CacheConfig
from proxy.savings import Treatment
from tests.compressor.multi_document import multi_document
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.raw_client import chat

SET = multi_document(3)


async def sent(proxy: Proxy, upstream: FakeUpstream, *contents: object) -> list[str]:
    """Return the contents that reach the upstream for these user messages."""
    messages = [{"role": "user", "content": content} for content in contents]
    body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
    assert (await chat(proxy, body)).status == 200
    received = json.loads(upstream.received[-1].body)
    return [message["content"] for message in received["messages"]]


async def test_the_passage_that_answers_reaches_the_model(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(policy="asked", cache=CacheConfig())
    for question, answer in SET.questions:
        shortened, asked = await sent(proxy, upstream, SET.text, question)
        assert answer in shortened
        assert len(shortened) < 0.4 * len(SET.text)
        assert asked == question
        record = await proxy.sink.next()
        assert record.report.treatment is Treatment.COMPRESSED
        assert record.report.parts[0].reason == "rate 0.25, question-aware"
        assert record.report.tokens_after < 0.4 * record.report.tokens_before


async def test_in_one_message_with_its_document_the_question_stays_word_for_word(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(policy="asked", cache=CacheConfig())
    question, answer = SET.questions[0]
    prompt = f"Answer from the passages below.\n\n{SET.text}\n\nQuestion: {question}"
    (shortened,) = await sent(proxy, upstream, prompt)
    assert shortened.startswith("Answer from the passages below.")
    assert shortened.endswith(f"Question: {question}")
    assert answer in shortened


async def test_the_same_question_gives_the_same_bytes_and_another_question_others(
    proxy_server: ProxyServer, upstream: FakeUpstream
) -> None:
    proxy = proxy_server(policy="asked", cache=CacheConfig())
    (first, _), (second, _) = SET.questions[:2]
    once = await sent(proxy, upstream, SET.text, first)
    other = await sent(proxy, upstream, SET.text, second)
    again = await sent(proxy, upstream, SET.text, first)
    assert once == again
    assert once[0] != other[0]
    states = [(await proxy.sink.next()).report.parts[0].cache for _ in range(3)]
    assert states == ["miss", "miss", "memory"]


@pytest.mark.parametrize("last", ["", "What did they ship?"])
async def test_switched_off_the_question_changes_nothing(
    proxy_server: ProxyServer, upstream: FakeUpstream, last: str
) -> None:
    proxy = proxy_server(policy="quarter", cache=CacheConfig())
    alone = await sent(proxy, upstream, SET.text)
    with_question = await sent(proxy, upstream, SET.text, last)
    assert alone[0] == with_question[0]
    assert (await proxy.sink.next()).report.parts[0].reason == "rate 0.25"
    assert (await proxy.sink.next()).report.parts[0].cache == "memory"
