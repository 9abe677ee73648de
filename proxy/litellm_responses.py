"""OpenAI's Responses API where a provider has none: a chat completion, made back into a response.

The translation is litellm's own; what it may be given, and what it leaves open, is settled here.
Nothing is kept between requests, so what refers to an earlier response is refused.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from proxy.errors import RequestRefused
from proxy.litellm_answer import json_bytes, without_nulls
from proxy.litellm_request import Asked, check_types, items, only_chat

_ITEMS = frozenset({"message", "function_call", "function_call_output", "reasoning"})
_CONTENT = frozenset({"input_text", "output_text", "refusal", "input_image", "input_file"})
# Members that every response has, https://platform.openai.com/docs/api-reference/responses/object.
_DEFAULTS: Mapping[str, Any] = {
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "store": False,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
}
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


class ResponsesCall:
    """One response: `chat` is what is asked for it, `body` and `events` are what comes of that.

    `translation` and `stream_type` are litellm's (`Library.responses`). Raises RequestRefused (400)
    for input that no chat completion can have.
    """

    end = b""

    def __init__(self, translation: Any, stream_type: Any, asked: Asked, model: str) -> None:  # noqa: ANN401
        _check_input(asked.arguments["input"])
        check_types({"tools": asked.arguments.get("tools")}, tools=frozenset({"function"}))
        self._translation = translation
        self._stream_type = stream_type
        self._model = model
        self._given = asked.arguments
        self._rest = {k: v for k, v in asked.arguments.items() if k not in ("input", "stream")}
        self._id = f"resp_{uuid.uuid4().hex}"
        self._number = 0
        self.chat = replace(asked, arguments=self._chat_arguments(asked.stream))

    def _chat_arguments(self, stream: bool) -> dict[str, object]:
        try:
            asked = self._translation.transform_responses_api_request_to_chat_completion_request(
                model=self._model,
                input=self._given["input"],
                responses_api_request=self._rest,
                custom_llm_provider=self._model.partition("/")[0],
                stream=stream,
            )
            # Some of it is objects of the library's, which the checks would pass over.
            plain = json.loads(json.dumps(only_chat(asked), default=lambda it: it.model_dump()))
        except _UNREADABLE:
            raise _refused("the input cannot be read as a conversation", "input") from None
        arguments: dict[str, object] = plain
        check_types(arguments)
        return arguments

    def read(self, stream: Any) -> Any:  # noqa: ANN401
        """Return litellm's events for a chat completion's chunks."""
        return self._stream_type(
            model=self._model,
            litellm_custom_stream_wrapper=stream,
            request_input=self._given["input"],
            responses_api_request=self._rest,
            custom_llm_provider=self._model.partition("/")[0],
            litellm_metadata={},
        )

    def body(self, answer: Any) -> bytes:  # noqa: ANN401
        """Return a chat completion as a response."""
        response = self._translation.transform_chat_completion_response_to_responses_api_response(
            chat_completion_response=answer,
            request_input=self._given["input"],
            responses_api_request=self._rest,
        )
        return json_bytes(self._own(without_nulls(response.model_dump())))

    def events(self, piece: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Yield an event as the API sends it, numbered."""
        body = without_nulls(piece.model_dump(mode="json"))
        kind = body.pop("type")
        body = {"type": kind, **body, "sequence_number": self._number}
        self._number += 1
        if "response" in body:
            body["response"] = self._own(body["response"])
        if kind.startswith("response.output_text."):
            body.setdefault("logprobs", [])
        yield f"event: {kind}\n".encode() + b"data: " + json_bytes(body) + b"\n\n"

    def _own(self, response: Mapping[str, Any]) -> dict[str, Any]:
        # Its own id is another in every form of the same answer, and its model the config's name.
        model = str(response.get("model") or self._model)
        known = {"id": self._id, "model": model.removeprefix(self._model.partition("/")[0] + "/")}
        return {**_DEFAULTS, **response, **known, "store": False}


def _check_input(given: object) -> None:
    if isinstance(given, str):
        return
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise _refused("input has to be a text or a list of items", "input")
    called: set[object] = set()
    for item in items(given):
        kind = item.get("type", "message")
        if kind not in _ITEMS:
            raise _refused(f"items of type {kind!r} are not passed to this provider", "input")
        if kind == "function_call":
            called.add(item.get("call_id"))
        elif kind == "function_call_output" and item.get("call_id") not in called:
            raise _refused("a function_call_output needs its function_call before it", "input")
        for part in (*items(item.get("content")), *items(item.get("output"))):
            if kind != "reasoning" and part.get("type") not in _CONTENT:
                raise _refused(
                    f"content of type {part.get('type')!r} is not passed to this provider", "input"
                )


def _refused(message: str, param: str) -> RequestRefused:
    return RequestRefused(400, message, param=param, code="unsupported_value")
