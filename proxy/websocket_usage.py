"""The provider's token counts in the events that pass on a websocket.

https://platform.openai.com/docs/api-reference/realtime-server-events/response/done, and
`response.completed` and `response.incomplete` of the Responses API's own websocket.
"""

from collections.abc import Mapping

from proxy.savings import Usage
from proxy.usage import find_usage, json_object, responses_usage
from proxy.websocket import Message

_FINISHED = ("response.done", "response.completed", "response.incomplete")
_MARKS = tuple(f'"{kind}"' for kind in _FINISHED)
# Of a longer event the end is searched.
_WHOLE_BYTES = 1024 * 1024
_END_BYTES = 64 * 1024


class EventUsage:
    """Adds up what the responses on one socket used."""

    def __init__(self) -> None:
        self.usage = Usage()

    def look(self, message: Message) -> int:
        """Count a message from the upstream; return the tokens of a response that it ends."""
        if not isinstance(message, str) or not any(mark in message for mark in _MARKS):
            return 0
        found = _usage_of(message.encode("utf-8", "surrogatepass"))
        self.usage = Usage(
            prompt_tokens=_sum(self.usage.prompt_tokens, found.prompt_tokens),
            completion_tokens=_sum(self.usage.completion_tokens, found.completion_tokens),
            cached_tokens=_sum(self.usage.cached_tokens, found.cached_tokens),
        )
        return (found.prompt_tokens or 0) + (found.completion_tokens or 0)


class _Events:
    """Reads the usage of these events; see usage.AnswerReader."""

    def counts(self, answer: Mapping[str, object]) -> object:
        """Return the `usage` of an event that ends a response."""
        response = answer.get("response")
        ends = answer.get("type") in _FINISHED and isinstance(response, Mapping)
        return response.get("usage") if ends and isinstance(response, Mapping) else None

    def usage(self, counts: Mapping[str, object]) -> Usage:
        """Return what it counts; the realtime API and the Responses API differ in a letter."""
        details = counts.get("input_token_details", counts.get("input_tokens_details"))
        return responses_usage(counts, details)


def _usage_of(event: bytes) -> Usage:
    reader = _Events()
    if len(event) > _WHOLE_BYTES:
        return find_usage(event[-_END_BYTES:], reader) or Usage()
    body = json_object(event)
    counts = reader.counts(body) if body is not None else None
    return reader.usage(counts) if isinstance(counts, Mapping) else Usage()


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
