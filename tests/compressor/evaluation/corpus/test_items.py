"""What has to come out whole, as the corpus' own patterns find it."""

import pytest

from compressor.evaluation.corpus.items import find_items

UUID = "550e8400-e29b-41d4-a716-446655440000"


def found(text: str, kind: str) -> list[str]:
    return [text[item.start : item.end] for item in find_items(text) if item.kind == kind]


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("url", "See https://example.com/a?b=(c)#d, please.", ["https://example.com/a?b=(c)#d"]),
        ("url", "详见https://example.com/a。", ["https://example.com/a"]),
        ("url", "Das [A](https://example.com/a_(b)/c/)-Objekt.", ["https://example.com/a_(b)/c/"]),
        ("email", "发给ops+x@example.org的信", ["ops+x@example.org"]),
        ("path", "存在src/importer/queue2.py里", ["src/importer/queue2.py"]),
        ("path", "In /var/log/app.log and ~/runs/raw.csv.", ["/var/log/app.log", "~/runs/raw.csv"]),
        ("uuid", f"标识符{UUID}出现", [UUID]),
        ("hash", "提交fe431398e7f4使", ["fe431398e7f4"]),
        ("version", "退回到v12.22.7版本, not 3.14", ["v12.22.7"]),
        ("date", "On July 15th, am 12. März 2024, le 3 août 1999, el 4 de mayo de 2001.",
         ["July 15th", "12. März 2024", "3 août 1999", "4 de mayo de 2001"]),
        ("date", "自2024年3月12日起", ["2024年3月12日"]),
        ("inline code", "ty)`. Reduce `max_shards` and `b`.", ["`max_shards`", "`b`"]),
        ("quote", '为"中原"定名', ['"中原"']),
        ("quote", "„ja“, «sí», « non », »nein«, 「はい」", ["„ja“", "«sí»", "« non »", "「はい」"]),
        ("quote", 'a 5" screen', []),
        ("table", "a | b\n--|--\n1 | 2\n\nend", ["a | b\n--|--\n1 | 2"]),
        ("log line", "2026-03-01T10:00:00Z INFO x\ntext", ["2026-03-01T10:00:00Z INFO x"]),
        ("fenced code", "so\n```\nx\n\ny\n```\nend", ["```\nx\n\ny\n```"]),
        ("indented code", "so:\n\n    x = 1\n    y = 2\n\nend", ["    x = 1\n    y = 2"]),
        ("indented code", "so:\n\n    some words\n    more words\n\nend", []),
    ],
)  # fmt: skip
def test_what_is_found(kind: str, text: str, wanted: list[str]) -> None:
    assert found(text, kind) == wanted


def test_what_stands_in_a_block_is_not_listed_again() -> None:
    kinds = {item.kind for item in find_items('```\nsee https://example.com "now"\n```')}
    assert kinds == {"fenced code"}
