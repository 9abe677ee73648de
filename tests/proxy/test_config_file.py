import pytest

from proxy.config_file import NotReadable, Place, dotted, parse


def test_scalars_stay_the_text_that_was_written() -> None:
    text = "a: on\nb: off\nc: 4.10\nd: yes\ne: 0o14\nf: 1:30\ng: 2025-08-07\nh: 'x'\ni: true\n"
    assert parse(text.encode()).values == {
        "a": "on",
        "b": "off",
        "c": "4.10",
        "d": "yes",
        "e": "0o14",
        "f": "1:30",
        "g": "2025-08-07",
        "h": "x",
        "i": "true",
    }


def test_keys_without_a_value_count_as_not_written() -> None:
    document = parse(b"a:\nb: ~\nc: null\nd: ''\ne: [~, 1]\n")
    assert document.values == {"d": "", "e": [None, "1"]}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\ufeff"])
def test_an_empty_file_is_an_empty_block(text: str) -> None:
    assert parse(text.encode()).values == {}


def test_places() -> None:
    document = parse(b"a:\n  b:\n    - x\n    - c: 1\n      d: 2\n")
    assert document.place(("a", "b")) == Place(2, 3)
    assert document.place(("a", "b", 1)) == Place(4, 7)
    assert document.place(("a", "b", 1, "d")) == Place(5, 7)


def test_a_key_that_is_not_there_has_its_nearest_ancestors_place() -> None:
    document = parse(b"a:\n  b:\n    - x\n")
    assert document.place(("a", "b", 5, "c")) == Place(2, 3)
    assert document.place(("nowhere",)) == Place(1, 1)
    assert document.place(("a", "b", 0, "deeper")) == Place(3, 7)


def test_a_key_that_is_written_twice() -> None:
    document = parse(b"a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [str(problem) for problem in document.problems] == [
        "3: a: is written twice, first in line 1; keep one of them",
        "2: b.c: is written twice, first in line 2; keep one of them",
    ]


def test_aliases_and_merge_keys() -> None:
    document = parse(b"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: *x\n")
    assert not document.problems
    assert document.values["d"] == {"b": "1", "c": "3"}
    assert document.values["e"] == {"b": "1", "c": "2"}
    assert document.place(("d", "c")) == Place(2, 13)
    assert document.place(("d", "b")) == Place(1, 8)


def test_aliases_that_multiply_stay_small() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    values = parse("\n".join(lines).encode()).values
    assert values["a1"] == [["x", "x"], ["x", "x"]]
    deepest = values["a59"]
    assert isinstance(deepest, list)
    assert deepest[0] is deepest[1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x [*x]", "1: a[0]: this alias contains itself"),
        ("a: !secret x", "1: a: tags like !secret are not offered; leave it out"),
        ("\n? [a]\n: 1", "2: a key is plain text; text with { or [ in front needs quotes"),
    ],
)
def test_what_yaml_can_say_and_a_config_cannot(text: str, problem: str) -> None:
    assert [str(found) for found in parse(text.encode()).problems] == [problem]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: [1,\nb: 2", "2: is not YAML: while parsing a flow sequence"),
        (b"a:\n\t- b", "2: is not YAML: a tab stands where spaces are needed"),
        (b"a: b: c", "1: is not YAML: a `: ` stands where no key can be"),
        (b"a: 1\nb\nc: 2", "3: is not YAML: a key without `:`"),
        (b"a: 1\n---\nb: 2", "2: is not YAML: `---` starts a second document"),
        (b"a: *nowhere", "1: is not YAML: found undefined alias"),
        (b"- a\n- b", "1: the file has to hold keys"),
        (b"just words", "1: the file has to hold keys"),
        (b"a: 1\nb: \xff", "2: is not UTF-8 text"),
        (b"a: 1\nb: \x07", "2: the character U+0007 cannot stand in YAML"),
        (b"a: " + b"[" * 5000, "1: is nested too deeply"),
        (b"a: {<<: 1}", "1: is not YAML: while constructing a mapping"),
    ],
)
def test_what_cannot_be_read(data: bytes, words: str) -> None:
    with pytest.raises(NotReadable) as caught:
        parse(data)
    assert str(caught.value).startswith(words)


def test_a_syntax_error_does_not_show_the_line() -> None:
    with pytest.raises(NotReadable) as caught:
        parse(b"a:\n  api_key: sk-secret: oops\n")
    assert "secret" not in str(caught.value)


def test_dotted() -> None:
    assert dotted(("routes", 2, "match", "model")) == "routes[2].match.model"
    assert dotted(()) == ""
