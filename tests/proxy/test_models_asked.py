import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.json_spans import Unreadable
from proxy.models_asked import has_to_name_one, in_body, in_query

FORM = {"content-type": "multipart/form-data; boundary=b"}
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\nx\r\n'


def field(name: str, value: str) -> bytes:
    head = f"--b\r\nContent-Disposition: form-data; {name}\r\n\r\n"
    return (head + value + "\r\n").encode()


def in_json(text: str) -> list[str]:
    return in_body(text.encode(), {}, 1_000_000)


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_a_model_is_told_as_it_is_written(model: str, rest: dict[str, object]) -> None:
    rest = {k: v for k, v in rest.items() if k.casefold() not in {"model", "models"}}
    assert in_json(json.dumps({**rest, "model": model})) == [model]


def test_nested_names_do_not_count() -> None:
    assert in_json('{"a":{"model":"x"},"model":"m","b":[{"model":"y"}]}') == ["m"]


def test_further_choices_count() -> None:
    assert in_json('{"model":"m","models":["a","b"]}') == ["m", "a", "b"]
    assert in_json('{"models":["a"]}') == ["a"]


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ('"tools":[{"type":"image_generation","model":"dear"}]', ["dear"]),
        ('"tools":[{"type":"advisor_20260301","Model":"dear"},{"type":"x"}]', ["dear"]),
        ('"Tools":[{"model":"a","model":"b"}],"tools":[{"model":"c"}]', ["a", "b", "c"]),
        ('"tools":[{"type":"namespace","tools":[{"model":"dear"}]}]', ["dear"]),
        ('"tools":[{"type":"image_generation","model":null}]', []),
        ('"tools":[{"type":"a:image","parameters":{"model":"dear"}}]', ["dear"]),
        ('"tools":[{"parameters":{"properties":{"model":{"type":"string"}}}}]', []),
        ('"tools":[{"parameters":{"model":{"type":"string"}}}]', []),
        ('"tools":null,"plugins":[{"id":"x","model":"dear"}]', ["dear"]),
        ('"fallbacks":["a",{"model":"b"}]', ["a", "b"]),
        ('"fallbacks":null', []),
        ('"session":{"model":"dear"}', ["dear"]),
        ('"session":{"audio":{"input":{"transcription":{"model":"dear"}}}}', ["dear"]),
        ('"session":{"tools":[{"model":"dear"}]}', ["dear"]),
        ('"metadata":{"model":"theirs"},"input":[{"model":"theirs"}]', []),
    ],
)
def test_models_of_what_the_request_brings_count(members: str, found: list[str]) -> None:
    asked = in_json('{"model":"m",' + members + "}")
    assert (asked[0], sorted(asked[1:])) == ("m", found)


def test_the_model_of_a_tool_alone_is_not_the_request_s() -> None:
    with pytest.raises(Unreadable):
        in_json('{"tools":[{"model":"m"}],"fallbacks":["m"]}')


def test_deeply_nested_tools_are_read() -> None:
    deep = '{"tools":[' * 200 + '{"model":"dear"}' + "]}" * 200
    assert in_json('{"model":"m","tools":[' + deep + "]}") == ["m", "dear"]


def test_other_spellings_count() -> None:
    assert in_json('{"Model":"m"}') == ["m"]


def test_a_content_encoding_is_undone() -> None:
    body = gzip.compress(b'{"model":"m"}')
    assert in_body(body, {"content-encoding": "gzip"}, 1000) == ["m"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"model":1}',
        '{"model":null}',
        '{"model":{"model":"m"}}',
        '{"model":"a","model":"b"}',
        '{"model":"a","model":"a"}',
        '{"model":"a","MODEL":"b"}',
        '{"model":"a","mod\\u0065l":"b"}',
        '{"model":"a","models":"b"}',
        '{"model":"a","models":{"b":1}}',
        '{"model":"a","models":[1]}',
        '{"model":"a","tools":[{"model":1}]}',
        '{"model":"a","tools":[{"model":["b"]}]}',
        '{"model":"a","fallbacks":"b"}',
        '{"model":"a","fallbacks":[1]}',
        '{"model":"a"',
        '{"model":"a"}{"model":"b"}',
        '{"input":"x"}',
        "[" * 100_000,
    ],
)
def test_what_cannot_be_told_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        in_json(text)


@pytest.mark.parametrize(
    "data", [b'\xff\xfe{\0"\0m\0o\0d\0e\0l\0"\0:\0"\0a\0"\0}\0', b'{"model":"\xff"}']
)
def test_other_encodings_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        in_body(data, {}, 1000)


def test_a_form_names_it_in_a_field() -> None:
    body = FILE + field('name="model"', "whisper-1") + b"--b--\r\n"
    assert in_body(body, FORM, 1000) == ["whisper-1"]


@pytest.mark.parametrize(
    "body",
    [
        FILE + b"--b--\r\n",
        FILE + field("name=model; x=y", "m") + b"--b--\r\n",
        FILE + field("x=y; name=model", "m") + b"--b--\r\n",
        FILE + field('name="model"', "cheap") + field("name*=utf-8''model", "dear") + b"--b--\r\n",
        FILE + field('name="model"', "cheap") + field("name = model", "dear") + b"--b--\r\n",
        FILE + field('name="model"', "cheap") + field('\r\n name="model"', "dear") + b"--b--\r\n",
        FILE + field('name="model"', "cheap").replace(b"\r", b"") + b"--b--\r\n",
        FILE + field('name="model"', "cheap") + field("x" * 2000 + "; name=model", "dear"),
    ],
)
def test_a_form_that_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        in_body(body, FORM, 1000)


def test_two_fields_are_two_models() -> None:
    body = field('name="model"', "a") + field('name="model"', "b") + b"--b--\r\n"
    assert in_body(body, FORM, 1000) == ["a", "b"]


def test_a_query_names_models() -> None:
    assert in_query(b"a=1&model=x&Model=y&model=z%2F1") == ["x", "y", "z/1"]
    assert in_query(b"limit=5") == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/embeddings", True),
        ("POST", "/v1/batches", True),
        ("PUT", "/v1/anything", True),
        ("POST", "/v1/files", False),
        ("POST", "/v1/uploads/u_1/parts", False),
        ("GET", "/v1/models", False),
        ("DELETE", "/v1/responses/r", False),
        ("POST", "/v1/filesystem", True),
    ],
)
def test_which_requests_have_to_name_one(method: str, path: str, expected: bool) -> None:
    assert has_to_name_one(method, path) is expected
