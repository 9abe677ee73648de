"""What tools print: which of it is left alone, and what goes first where something has to go."""

import json
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compressor.engine import Compressor
from compressor.extract import extract
from compressor.protect import find_protected
from compressor.protect.json_prose import json_prose
from compressor.tokens import load_counter
from compressor.types import CompressionResult, Kind, Settings
from compressor.words import split_words
from tests.compressor.tool_outputs import LEFT_ALONE, PROSE

COUNTER = load_counter("o200k_base")


def shorten(text: str, rate: float, *, seed: int = 0, prose: bool = False) -> CompressionResult:
    values = json_prose(text) if prose else None
    words = split_words(values.view if values else text)
    noise = np.random.default_rng(seed).uniform(0.05, 0.95, len(words)).astype(np.float32)
    how = Settings(rate=rate, json_prose=prose)
    return extract(text, words, noise, how, COUNTER, prose=values)


@pytest.mark.parametrize("name", sorted(LEFT_ALONE))
def test_listings_code_and_data_are_left_alone(name: str) -> None:
    output = LEFT_ALONE[name]
    result = shorten(f"{PROSE}\n\n{output}\n\n{PROSE}", 0.5)
    assert output in result.text


@pytest.mark.parametrize("colours", [(r"^.+$",), (r"^\S+", r"\S+$")], ids=["lines", "words"])
@pytest.mark.parametrize("name", sorted(LEFT_ALONE))
def test_what_a_terminal_shows_in_colour_is_read_as_it_shows_it(
    name: str, colours: tuple[str, ...]
) -> None:
    plain = LEFT_ALONE[name].split("\n")
    output = "\n".join(
        in_colour(line, colours) if number % 2 else line for number, line in enumerate(plain)
    )
    result = shorten(f"{PROSE}\n\n{output}\n\n{PROSE}", 0.5)
    assert output in result.text


def in_colour(line: str, patterns: tuple[str, ...]) -> str:
    for pattern in patterns:
        line = re.sub(pattern, "\x1b[1;31m\\g<0>\x1b[m", line)
    return line


@pytest.mark.parametrize("seed", range(5))
def test_what_a_terminal_acts_on_is_never_cut(seed: int) -> None:
    link = "\x1b]8;;https://example.com/a b\x1b\\the page\x1b]8;;\x1b\\"
    line = f"\x1b[33mwarning\x1b[39m this is soon to go, and \x1b[1m{link}\x1b[22m says why it is."
    result = shorten(f"{PROSE}\n{line}\n{PROSE}", 0.4, seed=seed)
    assert line in result.text
    assert result.rate < 0.8


@pytest.mark.parametrize("rate", [0.3, 0.6])
def test_log_lines_in_colour_go_as_a_whole(rate: float) -> None:
    log = [
        f"\x1b[2m2026-03-04T10:00:{second:02d}Z\x1b[0m \x1b[32m INFO\x1b[0m served /items in 3 ms"
        for second in range(30)
    ]
    trouble = "\x1b[2m2026-03-04T10:00:30Z\x1b[0m \x1b[31mERROR\x1b[0m cannot reach the database"
    named = "\x1b[2m2026-03-04T10:00:31Z\x1b[0m \x1b[32m INFO\x1b[0m wrote /var/lib/items.db"
    kept = shorten("\n".join([*log, named, trouble, *log]), rate).text.split("\n")
    assert set(kept) <= {*log, named, trouble}
    assert trouble in kept
    assert named in kept
    assert len(kept) < len(log) * 2


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "We met Ana, Bo, and Cy.\nThey spoke, laughed, and left.\nNobody, it seems, minded.",
        "Select a colour from the list and update the page.\nCreate a table if you like.",
        "He said: 12: a dozen.\nShe said: 13: a baker's dozen.",
        "The boat had an Error painted on it.\n  It lay at the pier (or under it)\n  at noon.",
        "Ana: We should wait.\nBo: No, not again.\nAna: Then go.\nBo: I will.",
        "ana: ok\nbo: fine\nana: then go\nbo: bye",
        "ana: we should wait until the spring\nbo: not again please\ncy: let us go there now, all",
        "ebb: The tide goes out.\nflood: The tide comes in.\nslack: It does neither then.",
        "Agenda:\n  - budget\n  - lighthouses\nPresent:\n  - Ana\n  - Bo\nAbsent:\n  - Cy",
        "[Intro]\nAna: We begin here.\nBo: And here we end.",
        "<context>The harbour was closed for the whole of the winter.</context>",
        "We begin here.\n\n    It was a dark night; the harbour (of old) was closed.\n\nThen on.",
        "We begin here.\n\n    whereas the party of the first part - a merchant - has paid;\n\nOn.",
        "    Git is a tool that few of the merchants have ever heard of.\n\nThat is all.",
        "panic: that was all he said.\n\nNobody knew why he had said it, or to whom.",
        "first - second - third | fourth\nand so on | and so forth",
        "Q.  Did he go there?  I mean home.\nA.  He may have.  Who can tell?\nQ.  Well.  Go on.",
        "commit to the plan\nAuthor: nobody has told us yet who that was",
        "FROM the beginning\nWe knew it.",
        "thread 'of Ariadne' was found by him.\nAnd so on.",
        "It is $5 to enter.\n\n$ is the sign of a dollar.",
        "[a remark]\n----\nAnd then on.",
        "In 2024:\t12\n7: the dwarfs\n8: the nights\n9: the lives of a cat",
        "Kosten; Zeiten; und Mühen sind hoch.\nNutzen; Freude; und Ruhe auch.",
        "things to buy:\n\tmilk and some bread from the shop\n\tand a new lamp",
        "fruit:\n\tapples\n\tpears",
    ],
)
def test_prose_is_not_taken_for_a_listing(text: str) -> None:
    assert not [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]


def test_html_with_much_text_keeps_its_tags() -> None:
    html = f'<h1>The harbour</h1><p class="x">{PROSE}</p> <p>{PROSE} <b>It was closed.</b></p>'
    tags = re.findall(r"<.*?>", html)
    result = shorten(html, 0.4)
    assert result.tokens_after < result.tokens_before
    assert re.findall(r"<.*?>", result.text) == tags


def test_the_last_line_of_html_keeps_its_tag() -> None:
    text = (
        "<p>We met by the sea, and we talked about it.<br>\nThe prices were rather high then.</p>"
    )
    kept = shorten(text, 0.6).text
    assert len(kept) < len(text)
    assert kept.startswith("<p>")
    assert kept.endswith("</p>")
    assert "<br>" in kept


def test_frames_that_repeat_inside_a_trace_go_and_its_ends_stay() -> None:
    frame = '  File "walk.py", line 12, in walk\n    walk(child, depth + 1)\n'
    trace = (
        'Traceback (most recent call last):\n  File "main.py", line 3, in <module>\n'
        + "    walk(tree, 0)\n"
        + frame * 40
        + "RecursionError: maximum recursion depth exceeded"
    )
    result = shorten(trace, 0.2).text
    assert result.startswith('Traceback (most recent call last):\n  File "main.py"')
    assert result.endswith("RecursionError: maximum recursion depth exceeded")
    assert 2 <= result.count("walk(child") < 40
    assert set(result.split("\n")) <= set(trace.split("\n"))


def test_functions_that_repeat_inside_a_go_panic_go_and_its_ends_stay() -> None:
    function = "main.walk(0xc000012345)\n\t/app/walk.go:12 +0x1d\n"
    panic = (
        "fatal error: the stack is too deep\n\ngoroutine 1 [running]:\nmain.grow()\n"
        "\t/app/grow.go:3 +0x1d\n" + function * 40 + "main.main()\n\t/app/main.go:7 +0x3a"
    )
    result = shorten(panic, 0.2).text
    assert result.startswith("fatal error: the stack is too deep\n\ngoroutine 1 [running]:\n")
    assert result.endswith("main.main()\n\t/app/main.go:7 +0x3a")
    assert 2 <= result.count("main.walk(") < 40
    assert set(result.split("\n")) <= set(panic.split("\n"))


ROWS = {
    "id": "4f1c-22",
    "score": 0.125,
    "big": 30000000000000000000000000000,
    "url": "https://example.org/a?b=c",
    "tags": ["harbour", "budget"],
    "snippet": PROSE + '\nThe chair said "not before spring" and/or later.',
    "nested": {"note": "short", "body": PROSE},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("rate", [0.7, 0.4, 0.2])
def test_only_long_prose_in_json_gets_shorter(indent: int | None, rate: float) -> None:
    text = json.dumps([ROWS, ROWS], indent=indent).replace("and/or", "and\\/or")
    result = shorten(text, rate, prose=True)
    assert result.tokens_after < result.tokens_before
    found, source = json.loads(result.text), json.loads(text)
    for row, original in zip(found, source, strict=True):
        assert 0 < len(row["snippet"]) < len(original["snippet"])
        assert 0 < len(row["nested"]["body"]) < len(original["nested"]["body"])
        for name in ("id", "score", "big", "url", "tags"):
            assert row[name] == original[name]
        assert row["nested"]["note"] == "short"
    assert "".join(text[s.start : s.end] for s in result.kept) == result.text


def test_without_the_setting_json_stays_byte_for_byte() -> None:
    text = json.dumps(ROWS)
    assert text in shorten(f"{PROSE}\n\n{text}", 0.3).text


@pytest.mark.parametrize(
    "value",
    [
        "a" * 400,  # no words
        "<html><body>" + PROSE + "</body></html>",
        json.dumps({"inner": PROSE}),  # JSON in a string
        PROSE + " C:\\temp",
        PROSE[:100],
    ],
)
def test_strings_that_are_not_plain_prose_stay(value: str) -> None:
    assert json_prose(json.dumps({"v": value})) is None


@pytest.mark.parametrize("length", [205, 250, 296, 320])
def test_prose_as_short_as_a_quote_is_shortened(length: int) -> None:
    value = (PROSE + " " + PROSE)[:length]
    result = shorten(json.dumps({"v": value, "w": value}), 0.5, prose=True)
    assert all(0 < len(cut) < 0.8 * length for cut in json.loads(result.text).values())


def test_prose_in_chinese_as_short_as_a_quote_is_shortened() -> None:
    value = "这座茶园位于山坡上，去年春天产量很好，村民们经过长时间的讨论，决定修建新的道路。" * 6
    result = shorten(json.dumps({"v": value}, ensure_ascii=False), 0.5, prose=True)
    assert len(json.loads(result.text)["v"]) < 0.7 * len(value)


ACCENTED = (
    "Não é verdade que o café fechou às três, disse José, e ninguém pôde explicar à reunião por "
    "que razão a decisão já não é válida depois de uma discussão tão longa sobre o preço 😀 do "
    "pão, a construção da estação e a educação das crianças na região, que já vai tarde há um mês."
)


@pytest.mark.parametrize("rate", [0.7, 0.5, 0.3])
def test_escaped_letters_are_read_as_letters_and_come_out_as_they_were(rate: float) -> None:
    written, escaped = json.dumps([ACCENTED], ensure_ascii=False), json.dumps([ACCENTED])
    prose = json_prose(escaped)
    assert prose is not None
    assert ACCENTED in prose.view
    result = shorten(escaped, rate, prose=True)
    assert result.text.isascii()
    assert len(json.loads(result.text)[0]) < len(ACCENTED)
    assert "".join(escaped[s.start : s.end] for s in result.kept) == result.text
    # The same words are protected, and counted, as without escapes.
    plain = json_prose(written)
    assert plain is not None
    how = Settings(rate=rate)
    assert find_protected(prose.view, how, prose) == find_protected(plain.view, how, plain)


@pytest.mark.parametrize("escape", ["\\ud83d", "\\u0007", "\\u005c", "\\u0022", "\\b"])
def test_escapes_that_no_view_can_show_leave_the_string_alone(escape: str) -> None:
    assert json_prose(f'["{PROSE} {escape} {PROSE}"]') is None


def test_words_of_escaped_json_are_explained_where_they_stand() -> None:
    with Compressor() as compressor:
        text = json.dumps([ACCENTED])
        for amount in (0.5, 1.0):
            result = compressor.compress(text, rate=amount, json_prose=True, explain=True)
            at = {(w.start, w.end) for w in result.words}
            assert all(text[s:e].strip("\\") for s, e in at)
            assert max(e for _, e in at) == len(text)
        assert "N\\u00e3o" in {
            w.of(text)
            for w in compressor.compress(text, rate=0.5, json_prose=True, explain=True).words
        }


@pytest.mark.parametrize("rate", [0.3, 0.2, 0.15])
def test_no_mark_of_a_sentence_that_is_gone_begins_a_string(rate: float) -> None:
    value = f"Delivery terms were vague. They may not come before the 3rd of May 2025. {PROSE}"
    for data in ([value], {"text": value}, [{"a": 1, "text": value}, "x"]):
        for seed in range(12):
            found = shorten(json.dumps(data), rate, seed=seed, prose=True).text
            assert '"."' not in found
            assert '". ' not in found


TEXTS = st.lists(
    st.sampled_from(["word", "не", "“x”", '"', "\n", "\t", "budget", "1,5", "a/b", ".", "“", "  "]),
    min_size=60,
    max_size=120,
).map(" ".join)


@settings(deadline=None, max_examples=80)
@given(
    st.recursive(
        TEXTS | st.integers() | st.text(max_size=20) | st.booleans() | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    st.sampled_from([0.7, 0.4, 0.1]),
    st.booleans(),
)
def test_json_stays_json_with_its_keys_and_values(
    data: object, rate: float, ascii_only: bool
) -> None:
    text = json.dumps(data, ensure_ascii=ascii_only)
    result = shorten(text, rate, prose=True)
    assert result.unchanged != "it would not stay JSON"
    assert alike(json.loads(result.text), data)


def alike(found: object, source: object) -> bool:
    """Whether two values are the same but for strings that were long."""
    if isinstance(source, dict):
        return (
            isinstance(found, dict)
            and list(found) == list(source)
            and all(alike(found[k], source[k]) for k in source)
        )
    if isinstance(source, list):
        return (
            isinstance(found, list) and len(found) == len(source) and all(map(alike, found, source))
        )
    if isinstance(source, str) and len(source) > 150:
        return isinstance(found, str)
    return found == source


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
SCALARS = LEAVES | st.datetimes() | st.decimals(allow_nan=False) | st.binary(max_size=4)
PRINTED_ROWS = st.lists(
    st.dictionaries(st.text("abc_'", min_size=1, max_size=6), SCALARS, min_size=2, max_size=4),
    min_size=1,
    max_size=3,
)


def blocks(text: str) -> list[str]:
    found = find_protected(text, Settings(rate=0.5))
    return [text[s.start : s.end] for s in found if s.kind is Kind.JSON]


@given(PRINTED_ROWS)
def test_what_python_prints_stays_as_it_is(rows: list[dict[str, object]]) -> None:
    printed = str(rows)
    assert blocks(f"The table has these rows: {printed} and no more.") == [printed]
    as_tuples = str([tuple(row.values()) for row in rows] + [("a", None)])
    assert blocks(f"The table has these rows: {as_tuples} and no more.") == [as_tuples]


@given(PRINTED_ROWS.map(lambda rows: json.dumps(rows, default=str, indent=1)), st.integers(0, 60))
def test_what_is_left_of_json_that_was_cut_off_stays(whole: str, cut: int) -> None:
    left = whole[: max(whole.index(",") + 1, len(whole) - cut)]
    assume(left.count('":') > 1)
    found = blocks(f"{left}\n... (output truncated)")
    assert len(found) == 1
    assert left.startswith(found[0])
    # All but a string, number or word that has lost its end.
    assert re.fullmatch(r'\s*(?:"[^\n]*|[\w.+-]*)', left[len(found[0]) :])


@pytest.mark.parametrize("end", ["", "']"])
def test_long_prose_in_what_python_prints_is_shortened_inside_its_quotes(end: str) -> None:
    long = PROSE.replace("\n", " ").replace("'", "")
    head = (
        f"[{{'url': 'https://a.example/b', 'ok': True, 'content': '{long}'}}, {{'ok': None, 'c': '"
    )
    for seed in range(5):
        text = shorten(f"{head}short{end}", 0.5, seed=seed).text
        assert text.startswith("[{'url': 'https://a.example/b', 'ok': True, 'content': '")
        assert "'}, {'ok': None, 'c':" in text
        assert len(text) < len(head) * 0.8


@pytest.mark.parametrize(
    "text",
    [
        "He asked [see 'A' and 'B'] for it, and ['so did she'].",
        "Return {'name': ...} with {'a'} in braces, [[Link]] or [1] too.",
        "[['[[' [(' {'a' {'b': ",
    ],
)
def test_brackets_and_quotes_in_prose_are_no_data(text: str) -> None:
    assert blocks(text) == []


def test_a_log_line_with_a_python_dict_goes_as_a_whole() -> None:
    line = "2024-05-03 12:00:00 INFO sent {'id': 1, 'ok': True}"
    assert blocks(f"{line}\n{line}\n") == []


def test_brackets_that_open_no_data_are_read_once() -> None:
    assert blocks("[(" * 8_000) == blocks("{'" * 8_000) == blocks("['a'," * 8_000) == []
