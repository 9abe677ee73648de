import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from compressor.evaluation.ask import AskFailed, AskRefused, Prompt, Reply
from proxy.commands.chat_endpoint import ChatEndpoint
from proxy.errors import UpstreamCut, UpstreamTimeout
from proxy.upstream import UpstreamRequest, UpstreamResponse

PROMPT = Prompt("small-model", "Why?", 7)
ANSWER = {
    "choices": [{"message": {"role": "assistant", "content": "Because."}}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 2},
}


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    cut: bool = False
    closed: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.body[:5]
        yield self.body[5:]
        if self.cut:
            raise UpstreamCut("cut off")

    def close(self) -> None:
        self.closed = True


@dataclass
class Upstream:
    response: Response | Exception
    sent: list[UpstreamRequest] = field(default_factory=list)

    async def start(self) -> None:
        pass

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.sent.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        return self.response

    async def close(self) -> None:
        pass


def says(value: object, status: int = 200, **more: str) -> Response:
    headers = [(k.replace("_", "-").encode(), v.encode()) for k, v in more.items()]
    return Response(status, json.dumps(value).encode(), headers)


async def test_a_question_and_its_reply() -> None:
    upstream = Upstream(says(ANSWER))
    reply = await ChatEndpoint(upstream, SecretStr("sk-1"))(PROMPT)
    assert reply == Reply("Because.", 11, 2)
    [request] = upstream.sent
    assert (request.method, request.target) == ("POST", "/chat/completions")
    assert ("authorization", "Bearer sk-1") in request.headers
    assert isinstance(request.body, bytes)
    assert json.loads(request.body) == {
        "model": "small-model",
        "messages": [{"role": "user", "content": "Why?"}],
        "max_tokens": 7,
        "temperature": 0,
    }
    assert isinstance(upstream.response, Response)
    assert upstream.response.closed


async def test_reasoning_models_are_asked_as_they_want_it() -> None:
    upstream = Upstream(says(ANSWER))
    await ChatEndpoint(upstream, reasoning=True)(PROMPT)
    [request] = upstream.sent
    assert isinstance(request.body, bytes)
    body = json.loads(request.body)
    assert body["max_completion_tokens"] == 7
    assert not {"temperature", "max_tokens"} & set(body)
    assert "authorization" not in dict(request.headers)


async def test_a_reply_without_text_or_usage() -> None:
    answer = {"choices": [{"message": {"content": None, "refusal": "no"}}]}
    assert await ChatEndpoint(Upstream(says(answer)))(PROMPT) == Reply("", None, None)


async def test_a_reply_in_parts_and_one_that_was_cut() -> None:
    parts = [{"type": "text", "text": "Be"}, {"type": "text", "text": "cause"}]
    answer = {"choices": [{"message": {"content": parts}, "finish_reason": "length"}]}
    assert await ChatEndpoint(Upstream(says(answer)))(PROMPT) == Reply("Because", cut=True)


@pytest.mark.parametrize(
    "usage", [[1], "12", {"prompt_tokens": "12", "completion_tokens": None}, {"prompt_tokens": 1.5}]
)
async def test_usage_that_is_no_count_is_left_out(usage: object) -> None:
    upstream = Upstream(says({**ANSWER, "usage": usage}))
    assert await ChatEndpoint(upstream)(PROMPT) == Reply("Because.", None, None)


@pytest.mark.parametrize(
    ("response", "retry", "after", "said"),
    [
        (says({}, 429, retry_after="nan"), True, None, "429"),
        (says({}, 429, retry_after="inf"), True, None, "429"),
        (says({"choices": [{"message": {"content": 7}}]}), True, None, "no chat completion"),
        (says({"error": {"message": "slow down"}}, 429, retry_after="3"), True, 3.0, "slow down"),
        (says({}, 429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), True, None, "429"),
        (says({"error": {"message": "oops"}}, 500), True, None, "500: oops"),
        (Response(502, b"<html>bad gateway"), True, None, "bad gateway"),
        (says({"error": {"message": "too long"}}, 400), False, None, "400: too long"),
        (says({"choices": []}), True, None, "no chat completion"),
        (says({"choices": [{"message": {"content": [{"text": "a"}]}}]}), True, None, "no chat"),
        (Response(200, b"<html>"), True, None, "no chat completion"),
        (Response(200, b"{}", cut=True), True, None, "cut off"),
        (UpstreamTimeout("(read_timeout_seconds)"), True, None, "longer than --timeout allows"),
    ],
)
async def test_failures(
    response: Response | Exception, retry: bool, after: float | None, said: str
) -> None:
    with pytest.raises(AskFailed, match=said) as caught:
        await ChatEndpoint(Upstream(response))(PROMPT)
    assert (caught.value.retry, caught.value.after) == (retry, after)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_every_question_would_meet_is_a_refusal(status: int) -> None:
    response = says({"error": {"message": "no such model"}}, status)
    with pytest.raises(AskRefused, match=f"{status}: no such model"):
        await ChatEndpoint(Upstream(response))(PROMPT)
