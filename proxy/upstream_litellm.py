"""Providers that do not speak OpenAI, through the litellm SDK: one call for one request."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from proxy.body import decode_body
from proxy.config_upstream import Auth, UpstreamConfig
from proxy.errors import (
    RequestRefused,
    UpstreamCut,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
)
from proxy.headers import client_key
from proxy.json_spans import Unreadable
from proxy.litellm_answer import AnswerForm, CompletionForm, passed_headers
from proxy.litellm_errors import CallTrace, ErrorAnswer, failure
from proxy.litellm_library import Library, library
from proxy.litellm_request import (
    MODELS,
    OPERATIONS,
    READING,
    RESPONSES,
    Asked,
    Operation,
    check_types,
    read_request,
)
from proxy.litellm_responses import ResponsesCall
from proxy.model_names import ModelNames
from proxy.upstream import UpstreamRequest, UpstreamResponse
from proxy.websocket import Handshake, SocketOptions

# Reading this many bytes takes about as long as the way to a thread and back.
_INLINE_BYTES = 64 * 1024
_MOST_BYTES = 512 * 1024 * 1024  # the body has been held to server.max_parse_bytes already
# Of a name that becomes part of an address at some providers.
_MODEL = re.compile(r"(?!.*(?:\.\.|//))[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}")
# litellm takes these for orders to look a key up.
_LOOKUPS = ("os.environ/", "oidc/")
# Providers that a machine can be known to without a key, by its role in their cloud.
_KNOW_MACHINES = frozenset({"bedrock", "sagemaker", "vertex_ai"})
# litellm leaves them out without a word where a provider has none. In a response they are made into
# functions, and back.
_HAVE_CUSTOM_TOOLS = frozenset({"openai", "azure"})
_JSON = ((b"content-type", b"application/json"),)
_EVENTS = ((b"content-type", b"text/event-stream; charset=utf-8"),)
_NO_KEY = "none"  # so that litellm does not look for one elsewhere


class LitellmUpstream:
    """One provider, or several with the same key, as an Upstream."""

    def __init__(self, name: str, config: UpstreamConfig) -> None:
        self.name = name
        self.config = config
        self._names = ModelNames(config.models)
        self._library: Library | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Import the library."""
        self._library = await asyncio.to_thread(library)
        self._library.take()

    @property
    def _loaded(self) -> Library:
        if self._library is None:
            raise RuntimeError(f"upstream '{self.name}' was not started")
        return self._library

    @property
    def _litellm(self) -> Any:  # noqa: ANN401
        return self._loaded.litellm

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Make the call that a request to OpenAI's API stands for; see Upstream.send.

        A provider's refusal is an answer like any other. Raises RequestRefused for what the
        provider cannot be asked.
        """
        path = request.target.partition("?")[0]
        if request.method in READING and path == MODELS:
            return _Whole(200, _JSON, self._models())
        operation = OPERATIONS.get(path)
        if operation is None or request.method != "POST":
            known = ", ".join(f"/v1{name}" for name in OPERATIONS)
            raise RequestRefused(
                404,
                f"{request.method} /v1{path} is not served by upstream '{self.name}', which goes "
                f"through litellm; it has {known}",
                code="unknown_url",
            )
        asked = await self._read(operation, request)
        key = self._key(request)
        arguments = self._arguments(operation, request.model, asked, key)
        form: AnswerForm = CompletionForm(asked.include_usage)
        if operation.path == RESPONSES:
            form = call = ResponsesCall(*self._loaded.responses(), asked, str(arguments["model"]))
            asked = call.chat
            arguments = self._arguments(operation, request.model, asked, key)
        lacking = self._lacking(operation, arguments, asked)
        trace = CallTrace(streamed=asked.stream, unsupported=lacking)
        try:
            answer, events, first = await self._call(
                operation, arguments, form if asked.stream else None, trace
            )
        except self.errors() as error:
            found = failure(self.name, error, key, trace)
            if isinstance(found, ErrorAnswer):
                return _Whole(found.status, found.headers, found.body)
            raise found from error
        headers = [*_headers_of(answer), *_dropped([*asked.left_out, *lacking])]
        if asked.stream:
            broken = partial(self.broken, key=key, trace=trace)
            return _Stream(self, answer, events, first, (*_EVENTS, *headers), form, broken)
        return _Whole(200, (*_JSON, *headers), form.body(answer))

    async def open(self, request: UpstreamRequest, options: SocketOptions) -> Handshake:
        """Refuse: the library has no websockets to pass on."""
        path = request.target.partition("?")[0]
        raise RequestRefused(
            404,
            f"Websockets, here /v1{path}, are not served by upstream '{self.name}', which goes "
            "through litellm. A route with a match on this path can name another upstream.",
            code="unknown_url",
        )

    async def _call(
        self,
        operation: Operation,
        arguments: Mapping[str, object],
        streamed: AnswerForm | None,
        trace: CallTrace,
    ) -> tuple[Any, Any, Any]:
        """Return the answer and, of one to be `streamed`, what it is read from and the first of it.

        Some providers are asked only for the first chunk, and until then could still refuse.
        """
        # The library's own limits are those of its HTTP clients; some providers have other ones.
        limit = self.config.connect_timeout_seconds + self.config.read_timeout_seconds
        self._loaded.traces.set(trace)
        try:
            async with asyncio.timeout(limit):
                answer = await getattr(self._litellm, operation.function)(**arguments)
                if streamed is None:
                    return answer, None, None
                events = streamed.read(answer)
                return answer, events, await self._first(answer, events)
        except TimeoutError as error:
            raise UpstreamTimeout(
                f"upstream '{self.name}' did not answer within {limit:g} seconds "
                "(read_timeout_seconds)"
            ) from error

    async def _first(self, stream: Any, events: Any) -> Any:  # noqa: ANN401
        there = False
        try:
            first = await anext(aiter(events), None)
            there = True
        finally:
            if not there:
                self.end(stream)
        return first

    def errors(self) -> tuple[type[Exception], ...]:
        """Return what the library raises for everything that goes wrong on the way."""
        return (
            self._litellm.exceptions.openai.OpenAIError,  # the base of all of litellm's
            self._litellm.httpx.HTTPError,
        )

    async def _read(self, operation: Operation, request: UpstreamRequest) -> Asked:
        body = request.body if isinstance(request.body, bytes) else b""
        if request.body is not None and not isinstance(request.body, bytes):
            raise RequestRefused(
                413,
                f"the body is over server.max_parse_bytes, and upstream '{self.name}' has to be "
                "given it in another form",
                code="request_too_large",
            )
        coding = dict(request.headers).get("content-encoding", "")
        if coding or len(body) > _INLINE_BYTES:
            return await asyncio.to_thread(_read, operation, body, coding)
        return _read(operation, body, coding)

    def _key(self, request: UpstreamRequest) -> str | None:
        key = client_key(dict(request.headers))
        if key is not None and key.startswith(_LOOKUPS):
            raise RequestRefused(401, "that is not an API key", code="invalid_api_key")
        return key

    def _arguments(
        self, operation: Operation, model: str, asked: Asked, key: str | None
    ) -> dict[str, object]:
        if not model:
            raise RequestRefused(
                400,
                "you must provide a model parameter",
                param="model",
                code="missing_required_parameter",
            )
        name = self._names.find(model)
        if name is None or _MODEL.fullmatch(name) is None:
            raise RequestRefused(
                404,
                f"The model `{model[:100]}` does not exist: the proxy's config lists none of that "
                f"name for upstream '{self.name}'.",
                param="model",
                code="model_not_found",
            )
        config, provider = self.config, name.partition("/")[0]
        if operation.path != RESPONSES and provider not in _HAVE_CUSTOM_TOOLS:
            check_types({"tools": asked.arguments.get("tools")}, tools=frozenset({"function"}))
        # Only where the config says so: clients without a key would else spend on the machine's.
        as_machine = config.auth is Auth.NONE and provider in _KNOW_MACHINES
        fixed: dict[str, object] = {
            **config.params,
            "model": name,
            "api_key": key or (None if as_machine else _NO_KEY),
            "timeout": self._litellm.httpx.Timeout(
                config.read_timeout_seconds, connect=config.connect_timeout_seconds
            ),
            "max_retries": 0,
            "num_retries": 0,
            "drop_params": config.drop_params,
        }
        if config.base_url is not None:
            fixed["api_base"] = config.base_url
        if operation.function == "acompletion":
            fixed["_skip_mcp_handler"] = True  # it would go to servers that a tool names
        return asked.arguments | fixed

    def _lacking(
        self, operation: Operation, arguments: Mapping[str, object], asked: Asked
    ) -> tuple[str, ...]:
        """Return which of OpenAI's parameters the provider does not have, of those in a request."""
        if operation.function != "acompletion":
            return ()
        provider, _, name = str(arguments["model"]).partition("/")
        known = self._litellm.get_supported_openai_params(model=name, custom_llm_provider=provider)
        openai_names = set(self._litellm.OPENAI_CHAT_COMPLETION_PARAMS)
        asked_for = (asked.arguments.keys() & openai_names) - {"stream", "stream_options"}
        return tuple(sorted(asked_for - set(known or openai_names)))

    def _models(self) -> bytes:
        listed = [
            {"id": name, "object": "model", "created": 0, "owned_by": self.name}
            for name in self._names.listed
        ]
        return orjson.dumps({"object": "list", "data": listed})

    def broken(self, error: Exception, key: str | None, trace: CallTrace) -> UpstreamError:
        """Return what a failure in the middle of a stream is called."""
        found = failure(self.name, error, key, trace)
        if isinstance(found, UpstreamTimeout):
            return UpstreamTimeout(
                f"upstream '{self.name}' fell silent in the middle of its answer"
            )
        if isinstance(found, ErrorAnswer):
            return UpstreamCut(f"upstream '{self.name}' broke off: {found.message}")
        if isinstance(found, UpstreamProtocolError):
            return UpstreamCut(f"{found}, in its middle")
        return UpstreamCut(
            f"upstream '{self.name}' closed the connection in the middle of its answer"
        )

    def end(self, stream: Any) -> None:  # noqa: ANN401  (one of many stream types of the library)
        """Close a stream, and with it the provider's connection, without being waited for."""
        task = asyncio.get_running_loop().create_task(_closed(stream))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Wait until every stream is closed, then give up the connections."""
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._library is not None:
            await self._library.give_back()
            self._library = None


class _Whole:
    """An answer that is all there."""

    def __init__(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        length = (b"content-length", b"%d" % len(body))
        self.headers: Sequence[tuple[bytes, bytes]] = (*headers, length)
        self._body = body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    def close(self) -> None:
        pass


class _Stream:
    """A streamed answer, as server-sent events."""

    status = 200

    def __init__(
        self,
        upstream: LitellmUpstream,
        stream: Any,  # noqa: ANN401  (one of many stream types of the library)
        events: Any,  # noqa: ANN401
        first: Any,  # noqa: ANN401
        headers: Sequence[tuple[bytes, bytes]],
        form: AnswerForm,
        broken: Callable[[Exception], UpstreamError],
    ) -> None:
        self.headers = headers
        self._upstream = upstream
        self._stream = stream
        self._read_from = events
        self._first = first
        self._form = form
        self._broken = broken
        self._ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            if self._first is not None:
                for event in self._form.events(self._first):
                    yield event
                async for chunk in self._read_from:
                    for event in self._form.events(chunk):
                        yield event
        except self._upstream.errors() as error:
            raise self._broken(error) from error
        self._ended = True
        yield self._form.end

    def close(self) -> None:
        if not self._ended:
            self._upstream.end(self._stream)


async def _closed(stream: Any) -> None:  # noqa: ANN401
    # That of text completions has no end of its own, only the chat's inside.
    close = getattr(stream, "aclose", None) or getattr(stream.completion_stream, "aclose", None)
    if close is not None:
        await close()


def _dropped(names: Sequence[str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the header that names what the provider was not sent."""
    if names:
        yield b"x-litellm-dropped-params", ", ".join(names).encode("ascii", "replace")


def _headers_of(answer: Any) -> Iterator[tuple[bytes, bytes]]:  # noqa: ANN401
    hidden = getattr(answer, "_hidden_params", None)
    given = hidden.get("additional_headers") if isinstance(hidden, dict) else None
    if isinstance(given, Mapping):
        yield from passed_headers(given)


def _read(operation: Operation, body: bytes, coding: str) -> Asked:
    try:
        return read_request(operation, decode_body(body, coding, _MOST_BYTES).data)
    except Unreadable as why:
        raise RequestRefused(400, why.note, code="invalid_body") from None
