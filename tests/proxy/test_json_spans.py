import json
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.json_spans import (
    Array,
    Edit,
    Leaf,
    Node,
    Object,
    Shape,
    Unreadable,
    format_path,
    insertion,
    locate,
    splice,
    string_literal,
)
from tests.proxy import json_bodies

_NESTED: Shape = {"a": {"b": ({"c": None},)}}


def leaf(node: Node) -> Leaf:
    assert isinstance(node, Leaf)
    return node


def located(body: bytes, shape: Shape) -> Object:
    node = locate(body, shape)
    assert isinstance(node, Object)
    return node


def note_of(body: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        locate(body, {"a": None})
    return caught.value.note


def test_a_nested_value_is_found_at_its_bytes() -> None:
    body = '{ "x" : [1, {"a": 2}],\n"a" : {"é": 1, "b": [ {"c" : "dé"} , 7 ]} }'.encode()
    inner = located(body, _NESTED).members["a"]
    assert isinstance(inner, Object)
    items = inner.members["b"]
    assert isinstance(items, Array)
    first, second = items.items
    assert isinstance(first, Object)
    found = leaf(first.members["c"])
    assert found.value == "dé"
    assert body[found.start : found.end] == '"dé"'.encode()
    assert leaf(second).value == 7


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"x"', "x"),
        ('"\\u00e9"', "é"),
        ('"é\\n\\u00e9"', "é\né"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud83d"', "\ud83d"),
        ("true", True),
        ("null", None),
        ("12", 12),
        ("1e5", 100000.0),
        ('["é", 1]', ["é", 1]),
        ("9" * 5000, float("inf")),
    ],
)
def test_a_leaf_has_the_value_its_text_means(literal: str, value: object) -> None:
    body = f'{{"a":{literal}}}'.encode()
    found = leaf(located(body, {"a": None}).members["a"])
    assert found.value == value
    assert body[found.start : found.end] == literal.encode()


def test_a_value_of_another_type_than_the_shape_is_taken_whole() -> None:
    body = b'{"a": [1, 2]}'
    assert leaf(located(body, {"a": {"b": None}}).members["a"]).value == [1, 2]


def test_a_name_written_with_escapes_is_the_same_name() -> None:
    found = located(rb'{"\u0061" : 1}', {"a": None}).members["a"]
    assert leaf(found).value == 1


@pytest.mark.parametrize("body", [b"{}", b" { } ", b"[]", b"[ ]", b"7", b'"x"', b"null"])
def test_any_root_is_read(body: bytes) -> None:
    node = locate(body, {"a": None})
    assert body[node.start : node.end] == body.strip()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[",
        b'{"a"',
        b'{"a":',
        b'{"a":1',
        b'{"a":1,',
        b'{"a":1,}',
        b'{"a" 1}',
        b'{"\\u0061" 1}',
        b'{"a":1]',
        b"{a:1}",
        b"{1:1}",
        b'{"b":[1,]}',
        b'{"a":1} x',
        b'{"a":1}{"a":1}',
        b'{"a":NaN}',
        b'{"b":-Infinity}',
        b'{"b":01}',
        b'{"b":"\x01"}',
        b'{"b":"\\x"}',
        b'{"b":tru}',
        b"{'a':1}",
        b'{"a":1}\x00',
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
    ],
)
def test_malformed_json_is_named_as_such(body: bytes) -> None:
    assert note_of(body).startswith("the body is not valid JSON")


def test_an_array_that_ends_like_an_object_is_malformed() -> None:
    with pytest.raises(Unreadable, match="not valid JSON"):
        locate(b'{"a":[1}}', {"a": (None,)})


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc3',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"' + b"x" * (1 << 20) + b'\xff"}',
    ],
)
def test_a_body_that_is_not_utf8_is_named_as_such(body: bytes) -> None:
    assert note_of(body) == "the body is not valid UTF-8"


def test_characters_on_the_edge_of_a_checked_piece_are_valid() -> None:
    start = b'{"a":"'
    body = start + b"x" * ((1 << 20) - len(start) - 1) + "é😀".encode() + b'"}'
    assert str(leaf(located(body, {"a": None}).members["a"]).value).endswith("xé😀")


def test_nesting_past_the_interpreters_limit_is_refused() -> None:
    depth = sys.getrecursionlimit() * 200
    assert "nested too deep" in note_of(b'{"b":' + b"[" * depth + b"]" * depth + b"}")


def test_a_wanted_name_given_twice_is_refused_and_an_unwanted_one_is_not() -> None:
    assert "names 'a' twice" in note_of(rb'{"a":1,"\u0061":2}')
    assert leaf(located(b'{"b":1,"b":2,"a":3}', {"a": None}).members["a"]).value == 3


def test_notes_hold_nothing_of_the_body() -> None:
    assert "secret" not in note_of(b'{"a": secret}')
    assert "secret" not in note_of(b'{"secret":1,"a":1,"a":"secret"}')


def test_splice_changes_only_what_it_is_told_to() -> None:
    edits = [Edit(8, 9, b"Z"), Edit(0, 1, b""), Edit(4, 4, b"++")]
    assert splice(b"0123456789", edits) == b"123++4567Z9"


def test_splice_without_edits_returns_the_same_object() -> None:
    body = b"0123456789" * 10
    assert splice(body, []) is body


def test_overlapping_edits_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="overlap"):
        splice(b"0123456789", [Edit(0, 5, b""), Edit(4, 6, b"")])


@pytest.mark.parametrize(
    ("text", "like", "literal"),
    [
        ("plain", '"plain"', '"plain"'),
        ("é😀", '"\\u00e9 x"', '"\\u00e9\\ud83d\\ude00"'),
        ("é😀", '"é x"', '"é😀"'),
        ("\ud800é", '"é\\ud800"', '"\\ud800é"'),
        ("\ud800é", '"\\u00e9"', '"\\ud800\\u00e9"'),
        ('"\\\n\x00', '"x"', '"\\"\\\\\\n\\u0000"'),
    ],
)
def test_a_new_literal_is_escaped_like_the_old_one(text: str, like: str, literal: str) -> None:
    assert string_literal(text, like.encode()) == literal.encode()


@given(json_bodies.texts, st.data())
@settings(deadline=None, max_examples=200)
def test_every_literal_means_its_text(text: str, data: st.DataObject) -> None:
    like = data.draw(json_bodies.literals(data.draw(json_bodies.texts))).encode()
    assert json.loads(string_literal(text, like)) == json.loads(json.dumps(text))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"o":{}}', b'{"o":{"n":1}}'),
        (b'{"o":{ } }', b'{"o":{"n":1 } }'),
        (b'{"o":{"x":[2] }}', b'{"o":{"x":[2],"n":1 }}'),
        (b'{"o":{"x":{"y":"}"}\n}}', b'{"o":{"x":{"y":"}"},"n":1\n}}'),
    ],
)
def test_a_member_is_added_at_the_end_of_an_object(body: bytes, expected: bytes) -> None:
    target = located(body, {"o": {"n": None}}).members["o"]
    assert isinstance(target, Object)
    assert splice(body, [insertion(target, b'"n":1')]) == expected


@given(json_bodies.values(depth=3), json_bodies.spaces, json_bodies.spaces)
@settings(deadline=None, max_examples=200)
def test_every_json_value_is_read_to_its_end(value: str, before: str, after: str) -> None:
    body = (before + value + after).encode()
    node = locate(body, None)
    assert body[node.start : node.end] == value.encode()


@given(st.binary(max_size=40) | st.text('{}[]":,\\ \n01e.-antrufls', max_size=40).map(str.encode))
@settings(deadline=None, max_examples=400)
def test_any_bytes_are_read_or_refused_as_a_strict_parser_would(body: bytes) -> None:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(body.removeprefix(b"\xef\xbb\xbf").decode(), parse_constant=refuse)
        valid = True
    except ValueError:
        valid = False
    try:
        locate(body, {"a": ({"b": None},)})
        readable = True
    except Unreadable as why:
        readable = "twice" in why.note
    assert readable is valid


def test_paths_read_as_people_write_them() -> None:
    assert format_path(("messages", 0, "content", 2, "text")) == "messages[0].content[2].text"
    assert format_path(("prompt",)) == "prompt"
    assert format_path((3, "a")) == "[3].a"


def test_spans_of_siblings_come_in_order_and_apart() -> None:
    node = located(b'{"a": [1 , "x",{} , [ ] ]}', {"a": (None,)}).members["a"]
    assert isinstance(node, Array)
    spans = [(item.start, item.end) for item in node.items]
    assert len(spans) == 4
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_an_array_without_end_is_not_held() -> None:
    with pytest.raises(Unreadable, match="more than 100,000 items"):
        locate(b"[" + b"0," * 100_000 + b"0]", (None,))
    assert isinstance(locate(b"[" + b"0," * 99_999 + b"0]", (None,)), Array)
    assert isinstance(locate(b"[" + b"0," * 200_000 + b"0]", None), Leaf)
