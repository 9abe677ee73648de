"""Chat bodies as clients may write them: any spacing, escapes, number forms, order and extras."""

import json
import re
from typing import Any

from hypothesis import strategies as st

SURROGATE = re.compile("[\ud800-\udfff]")
WANTED = frozenset(
    {"model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "messages"}
    | {"role", "content", "type", "text", "include_usage"}
)

spaces = st.sampled_from(["", "", "", " ", "\n", "\t ", "\r\n  "])
texts = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    [
        "",
        "plain",
        "a\\b",
        'say "hi"',
        "é",
        "日本語",
        "😀",
        "\ud800",
        "\udc00x",
        "\x00\x1f\x7f",
        "</x>",
    ]
)
numbers = st.sampled_from(
    ["0", "-0", "1e5", "1E+05", "0.10", "-1.50e-300", "1e400", "123456789012345678901234567890"]
)


@st.composite
def literals(draw: st.DrawFn, text: str) -> str:
    """A JSON string that means `text`, in one of the ways to write it."""
    if draw(st.booleans()):
        literal = json.dumps(text)
    else:
        literal = json.dumps(text, ensure_ascii=False)
        literal = SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04X}", literal)
    return literal.replace("/", "\\/") if draw(st.booleans()) else literal


@st.composite
def arrays(draw: st.DrawFn, items: list[str]) -> str:
    """A JSON array of values that are already written, with any spacing."""
    spaced = [draw(spaces) + item + draw(spaces) for item in items]
    return f"[{','.join(spaced) or draw(spaces)}]"


@st.composite
def objects(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    """A JSON object of members whose values are already written, with any spacing."""
    spaced = [
        f"{draw(spaces)}{draw(literals(name))}{draw(spaces)}:{draw(spaces)}{value}{draw(spaces)}"
        for name, value in members
    ]
    return f"{{{','.join(spaced) or draw(spaces)}}}"


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    """Any JSON value, as text; its objects may repeat names that are not wanted."""
    kind = draw(st.integers(0, 4 if depth else 2))
    if kind == 0:
        return draw(st.sampled_from(["true", "false", "null"]))
    if kind == 1:
        return draw(numbers)
    if kind == 2:
        return draw(literals(draw(texts)))
    if kind == 3:
        return draw(arrays(draw(st.lists(values(depth - 1), max_size=2))))
    # A wanted name comes once, since the value may stand where a message or a part is expected.
    names = st.sampled_from(["", "a", "é"])
    members = draw(st.lists(st.tuples(names, values(depth - 1)), max_size=3))
    wanted = st.sampled_from(["text", "content", "role", "type", "include_usage"])
    members += draw(st.lists(st.tuples(wanted, values(depth - 1)), max_size=1))
    return draw(objects(members))


@st.composite
def _with_extras(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    """An object with these members among others, in any order."""
    names = texts.filter(lambda name: name not in WANTED)
    extras = draw(st.lists(st.tuples(names, values()), max_size=2))
    doubled = draw(st.booleans())
    if doubled:
        extras += extras[:1]
    return draw(objects(draw(st.permutations(members + extras))))


@st.composite
def _parts(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        value = draw(literals(draw(texts))) if draw(st.booleans()) else draw(values())
        return draw(_with_extras([("type", '"text"'), ("text", value)]))
    kind = json.dumps(draw(st.sampled_from(["image_url", "refusal", "input_audio"])))
    return draw(_with_extras([("type", kind)]) | values())


@st.composite
def _messages(draw: st.DrawFn) -> str:
    role = draw(st.sampled_from(["system", "developer", "user", "assistant", "tool", "poet"]))
    how = draw(st.integers(0, 3))
    if how < 2:
        content = draw(literals(draw(texts)))
    elif how == 2:
        content = draw(arrays(draw(st.lists(_parts(), max_size=3))))
    else:
        content = draw(values())
    return draw(_with_extras([("role", draw(literals(role))), ("content", content)]))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A readable chat body, as bytes."""
    messages = draw(st.lists(_messages() | values(), max_size=3))
    members = [("model", draw(literals("gpt-4o"))), ("messages", draw(arrays(messages)))]
    if draw(st.booleans()):
        members.append(("stream", "true"))
    if draw(st.booleans()):
        inner = [("include_usage", draw(st.sampled_from(["null", "true", "false"])))]
        options = draw(_with_extras(inner) | _with_extras([]) | values())
        members.append(("stream_options", options))
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    return mark + (draw(spaces) + draw(_with_extras(members)) + draw(spaces)).encode()


def at(root: Any, path: tuple[str | int, ...]) -> Any:
    """Return the value at a JSON path."""
    for step in path:
        root = root[step]
    return root


def with_value(root: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Set the value at a JSON path, in place."""
    at(root, path[:-1])[path[-1]] = value


def loads(body: bytes) -> Any:
    """Parse a body that may start with a byte order mark."""
    return json.loads(body.removeprefix(b"\xef\xbb\xbf"))
