"""What is protected, family by family, and what only looks like it."""

import pytest

from compressor.protect import find_protected
from compressor.types import Kind, Settings

UUID = "550e8400-e29b-41d4-a716-446655440000"


def found(text: str, kind: Kind, **options: object) -> list[str]:
    chosen = Settings(rate=0.5, **options)
    return [text[s.start : s.end] for s in find_protected(text, chosen) if s.kind is kind]


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        (Kind.CODE, "Now\n\n```py\nx = 1\n\ny = 2\n```\n\nAfter.", "```py\nx = 1\n\ny = 2\n```"),
        (Kind.CODE, "Unclosed:\n~~~\nx = 1\n", "~~~\nx = 1"),
        (Kind.CODE, 'Then\n\n  <h3 class="a">    \nand', '  <h3 class="a">'),
        (Kind.CODE, "Unclosed:\n```\nx = 1  \n \n", "```\nx = 1"),
        (Kind.CODE, "Call `run(a, b)` twice.", "`run(a, b)`"),
        (Kind.CODE, "Call `run(a,\n  b)` twice.", "`run(a,\n  b)`"),
        (Kind.CODE, "Dear {{ user.name | title }}, hello.", "{{ user.name | title }}"),
        (Kind.CODE, "Go to {% url 'help' lang=de %} now.", "{% url 'help' lang=de %}"),
        (Kind.CODE, "It ends with ${sender.name} then.", "${sender.name}"),
        (Kind.CODE, "It ends with %(team)s then.", "%(team)s"),
        (Kind.CODE, "Type ``git commit\n--amend`` then.", "``git commit\n--amend``"),
        (Kind.CODE, "So `a` and\nthen `b` as well.", "`b`"),
        (Kind.CODE, "A stray ` here\nand `b` there.", "`b`"),
        (Kind.JSON, 'It said {"id": 7, "ok": null} and left.', '{"id": 7, "ok": null}'),
        (Kind.TABLE, "See\n\n| a |\n|---|\n| 1 |\n\nok", "| a |\n|---|\n| 1 |"),
        (Kind.URL, "Go to https://example.com/a?b=c#d, please.", "https://example.com/a?b=c#d"),
        (Kind.URL, "Write to jo.doe+x@mail.example.org.", "jo.doe+x@mail.example.org"),
        (Kind.PATH, "Look in /etc/app/conf.d/main.cfg now.", "/etc/app/conf.d/main.cfg"),
        (Kind.PATH, "In C:\\Users\\me\\a.txt it is.", "C:\\Users\\me\\a.txt"),
        (Kind.PATH, "Edit src/app/main.py first.", "src/app/main.py"),
        (Kind.IDENTIFIER, f"id {UUID} ok", UUID),
        (Kind.IDENTIFIER, "commit 9fceb02d0ae598e9 broke it", "9fceb02d0ae598e9"),
        (Kind.IDENTIFIER, "set max_pool_size higher", "max_pool_size"),
        (Kind.IDENTIFIER, "the fooBarBaz class", "fooBarBaz"),
        (Kind.IDENTIFIER, "pass --dry-run=yes to it", "--dry-run=yes"),
        (Kind.IDENTIFIER, "ticket INC-20417 was closed", "INC-20417"),
        (Kind.IDENTIFIER, "at 10.0.0.12:8080 it hangs", "10.0.0.12:8080"),
        (Kind.IDENTIFIER, "upgrade to 3.18.2 today", "3.18.2"),
        (Kind.IDENTIFIER, "to DE89 3704 0044 0532 0130 00, please", "DE89 3704 0044 0532 0130 00"),
        (Kind.IDENTIFIER, "Nummer 0171 2345678, bitte.", "0171 2345678"),
        (Kind.IDENTIFIER, "Tel. 030 / 1234567 am Tag.", "030 / 1234567"),
        (Kind.IDENTIFIER, "Tel. 030/1234567, Fax 7.", "030/1234567"),
        (Kind.IDENTIFIER, "Open 10.0.0.0/8, please.", "10.0.0.0/8"),
        (Kind.IDENTIFIER, "Ring 020 7946 0958 or him.", "020 7946 0958"),
        (Kind.IDENTIFIER, "Ring 07700 900123 or him.", "07700 900123"),
        (Kind.IDENTIFIER, "Au 01 42 68 53 00, merci.", "01 42 68 53 00"),
        (Kind.IDENTIFIER, "Ring 0491 570 156 or him.", "0491 570 156"),
        (Kind.IDENTIFIER, "It needs flask[async]==3.0.2.", "flask[async]==3.0.2"),
        (Kind.IDENTIFIER, "Take numpy>=1.26, please.", "numpy>=1.26"),
        (Kind.CODE, "export const meta = { on: 'it' }", "export const meta = { on: 'it' }"),
        (Kind.NUMBER, "We know that 2 * 3 * 4 = 24 holds.", "2 * 3 * 4 = 24"),
        (Kind.IDENTIFIER, "from GB29 NWBK 6016 1331 9268 19.", "GB29 NWBK 6016 1331 9268 19"),
        (Kind.IDENTIFIER, "see 978-3-16-148410-0 there", "978-3-16-148410-0"),
        (Kind.IDENTIFIER, "see 3-16-148410-X there", "3-16-148410-X"),
        (Kind.IDENTIFIER, "see ISBN 0 306 40615 2 there", "ISBN 0 306 40615 2"),
        (Kind.URL, "(doi: 10.1080/16549716.2019.1597451).", "10.1080/16549716.2019.1597451"),
        (Kind.URL, "see 10.1016/S0140-6736(20)30183-5, too", "10.1016/S0140-6736(20)30183-5"),
        (Kind.URL, "見る http://例え.jp/パス か", "http://例え.jp/パス"),
        (Kind.URL, "请看 https://zh.example.org/wiki/中国 再说", "https://zh.example.org/wiki/中国"),
        (Kind.URL, "请看[说明](https://a.cn/升级/说明)。", "https://a.cn/升级/说明"),
        (Kind.URL, "请访问https://a.cn/查看详情。", "https://a.cn/"),
        (Kind.PATH, "In %APPDATA%\\Tool\\logs it is.", "%APPDATA%\\Tool\\logs"),
        (Kind.PATH, "In $HOME/.cache/tool it is.", "$HOME/.cache/tool"),
        (Kind.CODE, "After 1. e4 c5 2. Nf3 d6 3. Bb5+ it is quiet.", "1. e4 c5 2. Nf3 d6 3. Bb5+"),
        (Kind.CODE, "He played 12...Qxd3 13. O-O-O Rad8 there.", "12...Qxd3 13. O-O-O Rad8"),
        (Kind.PATH, "It is set in .env.local; see it.", ".env.local"),
        (Kind.PATH, "The (.gitignore) is new.", ".gitignore"),
        (Kind.PATH, "Copy to web:/srv/www/index.html then.", "/srv/www/index.html"),
        (Kind.PATH, "In C:/Users/me/a.txt it is.", "C:/Users/me/a.txt"),
        (Kind.PATH, "In ..\\rel\\path it is.", "..\\rel\\path"),
        (Kind.PATH, "Run .\\run.bat, please.", ".\\run.bat"),
        (Kind.PATH, "Edit src\\app\\main.py first.", "src\\app\\main.py"),
        (Kind.NUMBER, "It costs 4,250.50 euros a year.", "4,250.50 euros"),
        (Kind.NUMBER, "A rise of 12.5% in May.", "12.5%"),
        (Kind.NUMBER, "We meet on 14 March 2026 again.", "14 March 2026"),
        (Kind.NUMBER, "between 10 and 14:30 it rained", "14:30"),
        (Kind.NUMBER, "高さは3776メートル、約3万人。", "3万人"),
        (Kind.QUOTE, "She called it “quite mad” twice.", "“quite mad”"),
        (Kind.QUOTE, "Er nannte es „ganz verrückt“ und ging.", "„ganz verrückt“"),
        (Kind.QUOTE, "彼は「もう終わりだ」と言った。", "「もう終わりだ」"),
    ],
)  # fmt: skip
def test_what_is_protected(kind: Kind, text: str, wanted: str) -> None:
    around = kind is Kind.NUMBER  # what limits a number belongs to it
    assert any(wanted in span if around else wanted == span for span in found(text, kind))


@pytest.mark.parametrize(
    ("text", "negation"),
    [
        ("They did not agree.", "not"),
        ("We can't go on.", "can't"),
        ("Nobody came.", "Nobody"),
        ("Das ist nicht wahr.", "nicht"),
        ("Er hat kein Geld.", "kein"),
        ("Ce n'est pas vrai.", "pas"),
        ("Nunca llegaron a tiempo.", "Nunca"),
        ("他没有同意这个计划。", "没有同意"),
        ("明年的毛利率很难超过去年。", "很难超过"),
        ("这个结果难以解释。", "难以解释"),
    ],
)
def test_negations_in_several_languages(text: str, negation: str) -> None:
    # with the word next to it that it bears on
    assert any(negation in span for span in found(text, Kind.NEGATION))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.PATH, "Use tea and/or coffee, at 90 km/h."),
        (Kind.PATH, "In .NET, a .5 share ... of it.the rest. a:b/c :/ so"),
        (Kind.PATH, "Of 100% BY%WEIGHT, $AB or US$/kg it is."),
        (Kind.CODE, "In room 4. d4 and e5 are seats. 5. f6 is none."),
        (Kind.PATH, "From x \\to y\\infty and a line\\nbreak."),
        (Kind.IDENTIFIER, "From 1990-2-3 on, by 12-34-5-6, at 1-800-555-12."),
        (Kind.JSON, "As shown in [3], the set {a, b} is finite."),
        (Kind.CODE, "- a list item\n- another one\n"),
        (Kind.CODE, "The `so called' heads\nand `more' of them."),
        (Kind.IDENTIFIER, "Rows 001 002 003 and 010 020 030, 3/4 of 12/2024."),
        (Kind.QUOTE, "It's the boys' ball, don't you think?"),
        (Kind.NEGATION, "A notable knot of notes."),
        (Kind.TABLE, "Either a | b or c."),
    ],
)
def test_what_only_looks_like_it(kind: Kind, text: str) -> None:
    assert found(text, kind) == []


def test_forced_phrases_stand_at_word_boundaries() -> None:
    text = "The art of the state; a state of the art; artful."
    assert found(text, Kind.FORCED, force_tokens=("art", "state of the art")) == [
        "art",
        "state of the art",
        "art",
    ]


@pytest.mark.parametrize("space", [" ", "\n", "\n    ", "\u00a0", "  "])
def test_forced_phrases_are_found_over_any_white_space(space: str) -> None:
    phrase = f"Project{space}Falcon"
    for token in ("Project Falcon", " Project  Falcon "):
        assert found(f"It was {phrase}, they said.", Kind.FORCED, force_tokens=(token,)) == [phrase]


def test_what_is_forced_needs_no_protection_beside_it() -> None:
    asked = Settings(rate=0.5, protect=frozenset(), force_tokens=("two",), force_digits=True)
    assert [(s.start, s.kind) for s in find_protected("One two 3.", asked)] == [
        (4, Kind.FORCED),
        (8, Kind.FORCED),
    ]


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        "[",
        '{"a":',
        "`",
        '"',
        "<",
        "a.b",
        "a/",
        "-1,",
        "0x",
        "| a |\n",
        "'",
        "「",
        "not ",
        "AB12 ",
        "978-",
        "1-",
        "a\\",
        "..\\",
        "&a",
        "$$\n",
        "$x ",
        "Ca(",
        "(A, ",
        "+1 ",
        "123 ",
        "a  b  c\n",
        '"""\n',
        "x = 1\n# a\n",
        "<a@b.de|",
        "\n\n\tof ",
        "\tof\n",
        "中国人民学习",
        "カタカナ",
        "한국어",
        "العربية",
    ],
)
def test_long_runs_of_anything_end(piece: str) -> None:
    spans = find_protected(piece * 20_000, Settings(rate=0.5))
    assert all(s.start < s.end for s in spans)


def test_long_prose_with_numbered_lines_ends() -> None:
    text = "".join(f"{n}: we met by the sea\n" for n in range(5000))
    assert find_protected(text, Settings(rate=0.5, protect=frozenset({Kind.CODE}))) == []


@pytest.mark.parametrize("around", ["{}", "<div>\n{}\n</div>", "<ul>\n<li>Open</li>\n{}\n</ul>"])
def test_a_line_of_html_with_much_text_is_shortened_between_its_tags(around: str) -> None:
    said = (
        "Items can be returned within 30 days of delivery as long as they are unused and in their "
        "original packaging, which customers often forget to keep, and we refund the price to the "
        "card that was used for the order as soon as the parcel has arrived at our warehouse."
    )
    text = around.format(f"<p>{said}</p>")
    protected = [text[span.start : span.end] for span in find_protected(text, Settings(rate=0.5))]
    assert "<p>" in protected
    assert not any("customers often forget" in found for found in protected)
