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

# Items that are a tool's call, and those that are the output of one.
_CALLS = frozenset({"function_call", "custom_tool_call"})
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_ITEMS = _CALLS | _OUTPUTS | {"message", "reasoning"}
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
        check_types({"tools": asked.arguments.get("tools")})
        self._translation = translation
        self._stream_type = stream_type
        self._model = model
        self._given = asked.arguments
        self._rest = {k: v for k, v in asked.arguments.items() if k not in ("input", "stream")}
        self._id = f"resp_{uuid.uuid4().hex}"
        self._number = 0
        self._custom: set[object] = set()  # ids of calls of custom tools
        self.chat = replace(
            asked,
            arguments=self._chat_arguments(asked.stream),
            left_out=(*asked.left_out, *_formats(asked.arguments.get("tools"))),
        )

    def _chat_arguments(self, stream: bool) -> dict[str, object]:
        try:
            asked = self._translation.transform_responses_api_request_to_chat_completion_request(
                model=self._model,
                input=self._given["input"],
                responses_api_request=self._rest,
                custom_llm_provider=self._model.partition("/")[0],
                stream=stream,
                service_tier=self._given.get("service_tier"),
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
        if "response" in body:
            body["response"] = self._own(body["response"])
        if body["type"].startswith("response.output_text."):
            body.setdefault("logprobs", [])
        item = body.get("item", {})
        if item.get("type") == "custom_tool_call":
            self._custom.add(item.get("id"))
        of_custom = body.get("item_id") in self._custom
        for event in _custom_input(body) if of_custom else (body,):
            kind = event["type"]
            numbered = {**event, "sequence_number": self._number}
            self._number += 1
            yield f"event: {kind}\n".encode() + b"data: " + json_bytes(numbered) + b"\n\n"

    def _own(self, response: Mapping[str, Any]) -> dict[str, Any]:
        # Its own id is another in every form of the same answer, and its model the config's name.
        model = str(response.get("model") or self._model)
        known = {"id": self._id, "model": model.removeprefix(self._model.partition("/")[0] + "/")}
        return {**_DEFAULTS, **response, **known, "store": False}


def _custom_input(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a custom tool's call has for an event of the function that stands for it.

    A function's arguments come as pieces of JSON, so the text in them is there at their end.
    """
    if event["type"] == "response.function_call_arguments.done":
        place = {name: event[name] for name in ("item_id", "output_index")}
        text = _content(event.get("arguments", ""))
        kind = "response.custom_tool_call_input"
        yield {"type": f"{kind}.delta", **place, "delta": text}
        yield {"type": f"{kind}.done", **place, "input": text}


def _content(arguments: str) -> str:
    try:
        return str(json.loads(arguments)["content"])
    except _UNREADABLE:
        return arguments


def _formats(tools: object) -> Iterator[str]:
    """Yield what of custom tools is only asked for in words: that their input keeps to a grammar.

    They become functions with one text, and the grammar a part of the description.
    """
    for tool in items(tools):
        form = tool.get("format")
        if isinstance(form, dict) and form.get("type") not in (None, "text"):
            yield "tools.format"
            return


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
        if kind in _CALLS:
            called.add(item.get("call_id"))
        elif kind in _OUTPUTS and item.get("call_id") not in called:
            raise _refused(f"a {kind} needs its call before it", "input")
        for part in (*items(item.get("content")), *items(item.get("output"))):
            if kind != "reasoning" and part.get("type") not in _CONTENT:
                raise _refused(
                    f"content of type {part.get('type')!r} is not passed to this provider", "input"
                )


def _refused(message: str, param: str) -> RequestRefused:
    return RequestRefused(400, message, param=param, code="unsupported_value")
