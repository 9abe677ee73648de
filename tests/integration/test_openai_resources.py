"""The rest of OpenAI's API by its client: what is not compressed arrives byte for byte."""

import base64
import json
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from openai import AsyncOpenAI

from proxy.savings import Treatment
from tests.integration.conftest import Proxy
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.sdk_clients import (
    LONG,
    SAVED,
    Ready,
    data_events,
    one_record,
    openai_client,
    ready,
    records,
)

BINARY = bytes(range(256)) * 8
AUDIO = ("a.wav", b"RIFF" + BINARY, "audio/wav")
PICTURE = ("p.png", b"\x89PNG\r\n" + BINARY, "image/png")
BATCH = {"id": "b", "object": "batch", "endpoint": "/v1/responses", "status": "validating"}
FILE = {"id": "f", "object": "file", "filename": "a.txt", "status": "processed"}
MODEL = {"id": "m", "object": "model", "created": 1, "owned_by": "o"}


def text_completion(text: str, finish: str | None = "stop") -> dict[str, Any]:
    choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
    return {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}


async def test_completions(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({"POST /v1/completions": text_completion("Hi.")})
    async with openai_client(proxy) as (client, sent):
        answer = await client.completions.create(model="m", prompt=LONG)
        assert answer.choices[0].text == "Hi."
        events = [text_completion("Hi", None), text_completion(".")]
        upstream.handler = ready({"POST /v1/completions": data_events(events)})
        stream = await client.completions.create(model="m", prompt=[LONG], stream=True)
        assert [part.choices[0].text async for part in stream] == ["Hi", "."]
    sent.arrived(upstream, shortened=True)
    assert [record.tokens_saved for record in await records(proxy, 2)] == [SAVED, SAVED]


async def test_embeddings_come_in_base64_unless_asked_otherwise(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    vector = base64.b64encode(struct.pack("<3f", 0.5, -0.25, 8.0)).decode()
    listed: dict[str, Any] = {"object": "list", "model": "e", "usage": {"prompt_tokens": 40}}
    item = {"object": "embedding", "index": 0}
    upstream.handler = ready(
        {"POST /v1/embeddings": listed | {"data": [item | {"embedding": vector}]}}
    )
    async with openai_client(proxy) as (client, sent):
        answer = await client.embeddings.create(model="e", input=[LONG])
    assert answer.data[0].embedding == [0.5, -0.25, 8.0]
    (request,) = sent.arrived(upstream, shortened=False)
    assert request.json == {"input": [LONG], "model": "e", "encoding_format": "base64"}
    await one_record(proxy, Treatment.PASSED)


Case = tuple[str, Ready, Callable[[AsyncOpenAI], Awaitable[Any]], Any]


async def _listed(page: Any) -> list[str]:
    return [item.id async for item in page]


async def _speech(client: AsyncOpenAI) -> list[bytes]:
    make = client.audio.speech.with_streaming_response.create
    async with make(model="tts", voice="alloy", input=LONG) as response:
        return [b"".join([piece async for piece in response.iter_bytes(100)])]


CASES: dict[str, Case] = {
    "models": (
        "GET /v1/models",
        {"object": "list", "data": [MODEL]},
        lambda client: _listed(client.models.list()),
        ["m"],
    ),
    "a model": (
        "GET /v1/models/ft:m:a%2Fb",
        MODEL,
        lambda client: client.models.retrieve("ft:m:a/b"),
        {"id": "m"},
    ),
    "deleting a model": (
        "DELETE /v1/models/m",
        {"id": "m", "deleted": True, "object": "model"},
        lambda client: client.models.delete("m"),
        {"deleted": True},
    ),
    "uploading a file": (
        "POST /v1/files",
        FILE,
        lambda client: client.files.create(file=("a.txt", LONG.encode()), purpose="user_data"),
        {"id": "f"},
    ),
    "files": (
        "GET /v1/files?purpose=batch",
        {"object": "list", "data": [FILE], "has_more": False},
        lambda client: _listed(client.files.list(purpose="batch")),
        ["f"],
    ),
    "a file's content": (
        "GET /v1/files/f/content",
        (BINARY, "application/octet-stream"),
        lambda client: client.files.content("f"),
        {"content": BINARY},
    ),
    "transcription": (
        "POST /v1/audio/transcriptions",
        {"text": "Hello."},
        lambda client: client.audio.transcriptions.create(
            file=AUDIO, model="whisper-1", prompt=LONG
        ),
        {"text": "Hello."},
    ),
    "translation": (
        "POST /v1/audio/translations",
        (b"Hello.", "text/plain"),
        lambda client: client.audio.translations.create(
            file=AUDIO, model="whisper-1", response_format="text"
        ),
        "Hello.",
    ),
    "speech": ("POST /v1/audio/speech", (BINARY, "audio/mpeg"), _speech, [BINARY]),
    "an image": (
        "POST /v1/images/generations",
        {"created": 1, "data": [{"b64_json": "iVBO"}]},
        lambda client: client.images.generate(model="gpt-image-1", prompt=LONG),
        {"created": 1},
    ),
    "editing images": (
        "POST /v1/images/edits",
        {"created": 2, "data": [{"b64_json": "iVBO"}]},
        lambda client: client.images.edit(
            image=[PICTURE, PICTURE], mask=PICTURE, model="gpt-image-1", prompt=LONG
        ),
        {"created": 2},
    ),
    "a batch": (
        "POST /v1/batches",
        BATCH,
        lambda client: client.batches.create(
            completion_window="24h", endpoint="/v1/responses", input_file_id="f"
        ),
        {"status": "validating"},
    ),
    "cancelling a batch": (
        "POST /v1/batches/b/cancel",
        BATCH | {"status": "cancelling"},
        lambda client: client.batches.cancel("b"),
        {"status": "cancelling"},
    ),
    "moderation": (
        "POST /v1/moderations",
        {"id": "modr", "model": "omni", "results": []},
        lambda client: client.moderations.create(input=LONG),
        {"id": "modr"},
    ),
    "a part of an upload": (
        "POST /v1/uploads/u/parts",
        {"id": "part", "object": "upload.part", "upload_id": "u", "created_at": 1},
        lambda client: client.uploads.parts.create("u", data=BINARY),
        {"id": "part"},
    ),
    "searching a vector store": (
        "POST /v1/vector_stores/v/search",
        {"object": "list", "data": [], "has_more": False, "search_query": [LONG]},
        lambda client: client.vector_stores.search("v", query=LONG),
        {"data": []},
    ),
    "a conversation": (
        "POST /v1/conversations",
        {"id": "conv", "object": "conversation", "created_at": 1, "metadata": {}},
        lambda client: client.conversations.create(items=[{"role": "user", "content": LONG}]),
        {"id": "conv"},
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_is_passed_on(proxy: Proxy, upstream: FakeUpstream, case: str) -> None:
    line, answer, ask, expected = CASES[case]
    upstream.handler = ready({line: answer})
    async with openai_client(proxy) as (client, sent):
        got = await ask(client)
    if isinstance(expected, dict):
        assert {name: getattr(got, name) for name in expected} == expected
    else:
        assert got == expected
    (request,) = sent.arrived(upstream, shortened=False)
    assert f"{request.method} {request.target}" == line
    record = await one_record(proxy, Treatment.PASSED)
    assert (record.status, record.method) == (200, request.method)
    assert record.path == request.target.partition("?")[0].replace("%2F", "/")


async def test_files_go_out_as_the_client_cut_them(proxy: Proxy, upstream: FakeUpstream) -> None:
    upstream.handler = ready({"POST /v1/audio/transcriptions": {"text": "Hello."}})
    async with openai_client(proxy) as (client, _):
        await client.audio.transcriptions.create(file=AUDIO, model="whisper-1", language="en")
    (request,) = upstream.received
    kind = request.value("content-type") or ""
    assert kind.startswith("multipart/form-data; boundary=")
    boundary = kind.partition("boundary=")[2].encode()
    parts = request.body.split(b"--" + boundary)
    assert len(parts) == 5  # nothing, three fields, the end
    [audio] = [part for part in parts if b"filename=" in part]
    assert audio.partition(b"\r\n\r\n")[2] == AUDIO[1] + b"\r\n"


async def test_a_batch_of_requests_is_a_file_like_any_other(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": LONG}]}
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    upstream.handler = ready({"POST /v1/files": FILE})
    async with openai_client(proxy) as (client, sent):
        await client.files.create(
            file=("b.jsonl", json.dumps(line).encode() + b"\n"), purpose="batch"
        )
    (request,) = sent.arrived(upstream, shortened=False)
    assert LONG.encode() in request.body
    await one_record(proxy, Treatment.PASSED)
