from typing import Any

import pytest

from proxy.websocket_handshake import ClientHandshake, read_handshake, without_keys

KEY = "openai-insecure-api-key.sk-1"


def handshake(
    headers: dict[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    query: bytes = b"",
    **scope: Any,
) -> ClientHandshake:
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return read_handshake(
        {"headers": pairs, "subprotocols": subprotocols, "query_string": query} | scope
    )


def test_the_headers_of_the_handshake_stay_here() -> None:
    asked = handshake({"sec-websocket-key": "k", "sec-websocket-version": "13", "x-a": "1"})
    assert asked.headers == [(b"x-a", b"1")]


def test_a_key_among_the_subprotocols_is_the_clients_key() -> None:
    asked = handshake(subprotocols=("realtime", KEY, "beta"))
    assert asked.fields == {"authorization": "Bearer sk-1"}
    assert asked.subprotocols == ("realtime", KEY, "beta")
    assert asked.checked == [(b"sec-websocket-protocol", b"realtime, beta")]


@pytest.mark.parametrize("header", ["authorization", "api-key", "x-api-key"])
def test_a_header_comes_before_it(header: str) -> None:
    asked = handshake({header: "sk-2"}, subprotocols=("realtime", KEY))
    assert asked.fields == {header: "sk-2"}
    assert asked.checked[-1] == (b"sec-websocket-protocol", f"realtime, {KEY}".encode())


def test_two_keys_are_none() -> None:
    asked = handshake(subprotocols=(KEY, KEY + "2"))
    assert asked.fields == {}
    assert asked.checked[-1][1] == f"{KEY}, {KEY}2".encode()


@pytest.mark.parametrize(
    ("query", "deployment", "models", "model"),
    [
        (b"model=gpt-realtime", None, ("gpt-realtime",), "gpt-realtime"),
        (b"deployment=my%20one&api-version=1", None, ("my one",), "my one"),
        (b"model=a&deployment=b", None, ("a", "b"), ""),
        (b"intent=transcription", None, (), ""),
        (b"", "d", ("d",), "d"),
    ],
)
def test_the_model_is_in_the_address(
    query: bytes, deployment: str | None, models: tuple[str, ...], model: str
) -> None:
    asked = handshake(query=query, **{"tersely.deployment": deployment})
    assert (asked.models, asked.model) == (models, model)


def test_without_keys() -> None:
    assert without_keys(("a", KEY, "b")) == ("a", "b")
