"""An OpenAI-compatible chat endpoint as evaluation asks it, over the proxy's own HTTP client."""

import math
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import SecretStr

from compressor.evaluation.ask import AskFailed, AskRefused, Prompt, Reply
from proxy.errors import RequestRefused, UpstreamError, UpstreamTimeout
from proxy.upstream import Upstream, UpstreamRequest

_PASSING = frozenset({408, 409, 425, 429})
_FINAL = frozenset({401, 403, 404, 405})
_CUT = "length"  # why a reply ended
_SHOWN = 300  # characters of an error's body


class ChatEndpoint:
    """Asks `POST /chat/completions`, not streamed, with one user message at temperature 0.

    With `reasoning` the request is as OpenAI's reasoning models want it: max_completion_tokens and
    no temperature.
    """

    def __init__(
        self, upstream: Upstream, key: SecretStr | None = None, *, reasoning: bool = False
    ) -> None:
        self._upstream = upstream
        self._headers = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
        ]
        if key is not None:
            self._headers.append(("authorization", f"Bearer {key.get_secret_value()}"))
        self._reasoning = reasoning

    async def __call__(self, prompt: Prompt) -> Reply:
        """Return the reply. Raises AskFailed and AskRefused."""
        body: dict[str, Any] = {
            "model": prompt.model,
            "messages": [{"role": "user", "content": prompt.text}],
        }
        if self._reasoning:
            body["max_completion_tokens"] = prompt.max_tokens
        else:
            body |= {"max_tokens": prompt.max_tokens, "temperature": 0}
        request = UpstreamRequest(
            "POST", "/chat/completions", self._headers, orjson.dumps(body), prompt.model
        )
        try:
            response = await self._upstream.send(request)
            try:
                content = b"".join([chunk async for chunk in response.chunks()])
            finally:
                response.close()
        except UpstreamTimeout as error:
            raise AskFailed("the endpoint took longer than --timeout allows", retry=True) from error
        except UpstreamError as error:
            raise AskFailed(str(error), retry=True) from error
        except RequestRefused as error:  # by litellm: a provider that it does not know
            raise AskRefused(error.message) from error
        if response.status != 200:
            raise _refusal(response.status, response.headers, content)
        return _reply(content)


def _reply(content: bytes) -> Reply:
    try:
        answer = orjson.loads(content)
        choice = answer["choices"][0]
        text = _text(choice["message"]["content"])
        usage = answer.get("usage")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _no_completion(content) from error
    return Reply(
        text,
        _tokens(usage, "prompt_tokens"),
        _tokens(usage, "completion_tokens"),
        cut=choice.get("finish_reason") == _CUT,
    )


def _no_completion(content: bytes) -> AskFailed:
    shown = content[:_SHOWN].decode("utf-8", "replace")
    return AskFailed(f"the endpoint's answer is no chat completion: {shown}", retry=True)


def _tokens(usage: object, name: str) -> int | None:
    """Return a count of the endpoint's usage; None where it has none that is a whole number."""
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) else None


def _text(content: object) -> str:
    """Return a message's text. Raises TypeError and KeyError where it is nothing of the kind."""
    if content is None:
        return ""  # a refusal, or a limit spent on reasoning
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    if not isinstance(content, str):
        raise TypeError("the content is neither text nor a list of parts")
    return content


def _refusal(
    status: int, headers: Sequence[tuple[bytes, bytes]], content: bytes
) -> AskFailed | AskRefused:
    message = f"the endpoint answered {status}: {_message(content)}"
    if status in _FINAL:
        return AskRefused(message)
    after = next((v for name, v in headers if name.lower() == b"retry-after"), b"")
    return AskFailed(message, retry=status in _PASSING or status >= 500, after=_seconds(after))


def _seconds(after: bytes) -> float | None:
    """Return how long to wait; None where it is absent, a date or no length of time."""
    try:
        seconds = float(after)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _message(content: bytes) -> str:
    try:
        return str(orjson.loads(content)["error"]["message"])[:_SHOWN]
    except (ValueError, KeyError, TypeError):
        return content[:_SHOWN].decode("utf-8", "replace")
