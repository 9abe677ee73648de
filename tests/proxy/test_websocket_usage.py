import json
from typing import Any

import pytest

from proxy.savings import Usage
from proxy.websocket_usage import EventUsage


def event(kind: str, usage: Any, **response: Any) -> str:
    return json.dumps({"type": kind, "response": response | {"usage": usage}})


REALTIME = {"input_tokens": 10, "output_tokens": 3, "input_token_details": {"cached_tokens": 4}}
RESPONSES = {"input_tokens": 7, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 1}}


def test_the_responses_of_a_socket_add_up() -> None:
    used = EventUsage()
    assert used.look(event("response.done", REALTIME)) == 13
    assert used.look(event("response.completed", RESPONSES)) == 9
    assert used.usage == Usage(prompt_tokens=17, completion_tokens=5, cached_tokens=5)


@pytest.mark.parametrize(
    "message",
    [
        b'{"type":"response.done"}',
        "",
        '"response.done"',
        '{"type":"response.done"',
        '{"type":"response.done"}',
        '{"type":"response.done","response":null}',
        '{"type":"response.done","response":{"usage":null}}',
        '{"type":"response.done","response":{"usage":[1]}}',
        '{"type":"response.done","response":{"usage":{"input_tokens":"1"}}}',
        event("other", REALTIME, said="response.done"),
    ],
)
def test_what_counts_nothing(message: str | bytes) -> None:
    used = EventUsage()
    assert used.look(message) == 0
    assert used.usage == Usage()


def test_of_a_long_event_the_end_is_searched() -> None:
    used = EventUsage()
    long = event("response.done", REALTIME, output="x" * 2_000_000)
    assert used.look(long) == 13
