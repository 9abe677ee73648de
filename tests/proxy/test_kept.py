import gzip
import json
from typing import Any

import pytest

from proxy.kept import Kept, kept_for

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"


async def kept(path: str, body: Any = None, method: str = "POST", coding: str = "") -> Kept:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return await kept_for(method, path, data, coding, 1_000_000)


def said(**part: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/models", Kept.NOTHING),
        ("POST", "/v1/embeddings", Kept.NOTHING),
        ("POST", "/v1/files", Kept.AT_HOME),
        ("GET", "/v1/files/file-1", Kept.AT_HOME),
        ("POST", "/v1/batches", Kept.AT_HOME),
        ("POST", "/v1/vector_stores/vs_1/search", Kept.AT_HOME),
        ("GET", "/v1/chat/completions", Kept.AT_HOME),
        ("GET", "/v1/chat/completions/chatcmpl-1/messages", Kept.AT_HOME),
        ("GET", "/v1/responses/resp_1", Kept.SOMEWHERE),
        ("POST", "/v1/responses/resp_1/cancel", Kept.SOMEWHERE),
        ("DELETE", "/v1/responses/resp_1", Kept.SOMEWHERE),
        ("GET", "/v1/containers/cntr_1/files", Kept.SOMEWHERE),
        ("POST", "/v1/conversations", Kept.AT_HOME),
        ("POST", "/v1/responses/compact", Kept.NOTHING),
    ],
)
async def test_paths(method: str, path: str, expected: Kept) -> None:
    assert await kept(path, method=method) is expected


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (CHAT, said(type="text", text='a "file_id" in a text'), Kept.NOTHING),
        (CHAT, said(type="file", file={"file_id": "file-1"}), Kept.AT_HOME),
        (CHAT, {"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]}, Kept.AT_HOME),
        (CHAT, {"messages": [], "audio": {"voice": "x"}, "modalities": ["audio"]}, Kept.NOTHING),
        (CHAT, {"messages": [], "store": True}, Kept.AT_HOME),
        (CHAT, {"messages": [], "store": False}, Kept.NOTHING),
        (MESSAGES, said(type="document", source={"type": "file", "file_id": "f"}), Kept.AT_HOME),
        (MESSAGES, said(type="container_upload", file_id="f"), Kept.AT_HOME),
        (MESSAGES, said(type="tool_use", input={"file_id": "theirs"}), Kept.NOTHING),
        (MESSAGES, {"container": "c_1", "messages": []}, Kept.AT_HOME),
        (MESSAGES, {"container": {"id": "c_1"}, "messages": []}, Kept.AT_HOME),
        (MESSAGES, {"container": {"skills": []}, "messages": []}, Kept.NOTHING),
        (RESPONSES, {"input": "x", "store": True}, Kept.NOTHING),
        (RESPONSES, {"input": "x", "previous_response_id": None}, Kept.NOTHING),
        (RESPONSES, {"input": "x", "previous_response_id": "resp_1"}, Kept.SOMEWHERE),
        (RESPONSES, {"input": "x", "conversation": {"id": "conv_1"}}, Kept.SOMEWHERE),
        (RESPONSES, {"input": [{"type": "item_reference", "id": "rs_1"}]}, Kept.SOMEWHERE),
        (RESPONSES, {"input": [{"type": "input_file", "file_id": "file-1"}]}, Kept.AT_HOME),
        (RESPONSES, {"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, Kept.AT_HOME),
        (RESPONSES, {"tools": [{"container": "cntr_1"}]}, Kept.AT_HOME),
        (RESPONSES, {"tools": [{"container": {"file_ids": ["file-1"]}}]}, Kept.AT_HOME),
        (RESPONSES, {"tools": [{"container": {"type": "auto"}}]}, Kept.NOTHING),
        (RESPONSES, {"tools": [{"parameters": {"properties": {"file_id": {}}}}]}, Kept.NOTHING),
        ("/v1/images/edits", {"images": [{"file_id": "file-1"}]}, Kept.AT_HOME),
        (CHAT, b'{"store":true', Kept.AT_HOME),
        (CHAT, b"[" * 100_000 + b'"file_id"', Kept.AT_HOME),
    ],
    ids=str,
)
async def test_bodies(path: str, body: Any, expected: Kept) -> None:
    assert await kept(path, body) is expected


async def test_deep_content_is_read() -> None:
    deep = b'{"messages":' + b"[" * 1000 + b'{"file_id":"f"}' + b"]" * 1000 + b"}"
    assert await kept(CHAT, deep) is Kept.AT_HOME


async def test_a_body_is_read_out_of_its_encoding() -> None:
    body = gzip.compress(b'{"model":"m","previous_response_id":"resp_1"}')
    assert await kept(RESPONSES, body, coding="gzip") is Kept.SOMEWHERE
    assert await kept(RESPONSES, body, coding="unknown") is Kept.AT_HOME
