"""An HTTP client that adds nothing and hides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.integration.conftest import Proxy


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str | None:
        found = self.values(name)
        return found[0] if found else None


def request_bytes(
    method: str, target: str, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None
) -> bytes:
    """Build a request on a connection that closes after it."""
    lines = [f"{method} {target} HTTP/1.1", "Host: proxy.test", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def parse_answer(data: bytes, method: str = "GET") -> Answer:
    """Take an answer apart; `complete` says whether its framing was kept to the end."""
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    answer = Answer(int(first.split(" ")[1]), pairs, rest, complete=True)
    if answer.value("transfer-encoding") == "chunked" and method != "HEAD":
        answer.body, answer.complete = _dechunked(rest)
    elif (length := answer.value("content-length")) is not None and method != "HEAD":
        answer.complete = len(rest) == int(length)
    return answer


def _dechunked(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        size, mark, data = data.partition(b"\r\n")
        if not mark:
            return body, False
        length = int(size, 16)
        if length == 0:
            return body, data == b"\r\n"
        body += data[:length]
        data = data[length + 2 :]


async def ask(
    proxy: Proxy,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
) -> Answer:
    """Send one request and return its answer, to the last byte."""
    return parse_answer(await proxy.raw(request_bytes(method, target, headers, body)), method)


async def chat(proxy: Proxy, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """Post a chat completion."""
    return await ask(
        proxy,
        "POST",
        "/v1/chat/completions",
        [("Content-Type", "application/json"), *headers],
        body,
    )
