import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model_names import ModelNames, renamed, requested_model

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\n'
    b'x\r\n--b\r\nContent-Disposition: form-data; name="model"\r\nX-A: b\r\n\r\nwhisper-1\r\n--b--'
)


def test_the_first_glob_that_matches_names_it() -> None:
    names = ModelNames({"gpt-4o": "four", "gpt-*": "vendor/{model}", "exact": "e"})
    assert names
    assert names.find("gpt-4o") == "four"
    assert names.find("GPT-5") == "vendor/GPT-5"
    assert names.find("openai/gpt-5") == "vendor/openai/gpt-5"
    assert names.find("claude") is None
    assert names.listed == ("gpt-4o", "exact")
    assert not ModelNames({})


@pytest.mark.parametrize(
    ("body", "kind", "coding", "model"),
    [
        (b'{"model":"m"}', "application/json", "", "m"),
        (gzip.compress(b'{"model":"m"}', mtime=0), "application/json", "gzip", "m"),
        (b"broken", "application/json", "gzip", ""),
        (b"[]", "", "", ""),
        (FORM, "multipart/form-data; boundary=b", "", "whisper-1"),
        (FORM[:80], "multipart/form-data; boundary=b", "", ""),
    ],
)
def test_requested_model(body: bytes, kind: str, coding: str, model: str) -> None:
    assert requested_model(body, kind, coding, 1000) == model


@given(st.text(max_size=10), st.text(max_size=10), st.text(max_size=10))
async def test_only_the_model_changes(before: str, name: str, other: str) -> None:
    body = json.dumps({"a": 1e5, "model": before, "z": [other, 10**30]}).encode()
    new = await renamed(body, "", name, 10_000)
    assert new is not None
    assert json.loads(new) == json.loads(body) | {"model": name}
    start = body.index(b'"model": ') + 9
    assert new.startswith(body[:start])
    assert new.endswith(body[body.index(b', "z"') :])


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"model":1}', b'{"model":"a","model":"b"}'])
async def test_what_names_no_model_goes_on_as_it_is(body: bytes) -> None:
    assert await renamed(body, "", "x", 1000) is None


async def test_a_large_or_compressed_body_is_renamed_too() -> None:
    body = b'{"model":"m","x":"' + b"y" * 100_000 + b'"}'
    want = body.replace(b'"m"', b'"n"')
    assert await renamed(body, "", "n", 200_000) == want
    assert await renamed(gzip.compress(body), "gzip", "n", 200_000) == want
    assert await renamed(gzip.compress(body), "gzip", "n", 1000) is None
