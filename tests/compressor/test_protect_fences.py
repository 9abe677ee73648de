"""Fenced code is whole, also where a passage begins or ends in the middle of it."""

import pytest

from compressor.protect.blocks import block_spans

CODE = """    return retry(conn, attempts=3)

def close(conn):
    conn.shutdown()
"""
SHELL = """  -H "Content-Type: application/json" \\
  -d '{"name": "demo"}'
"""
PROSE = """The helper above does not retry on authentication errors, because the server locks it.
If you need a longer window, pass a higher number, but never more than ten of them.

## Configuration

All settings live in one file. The loader reads them once at start and does not watch it.
"""
CHINESE = "上面的函数不会在认证错误时重试，因为服务器会锁定账户。如果需要更长的时间，请调大参数。\n"


def blocks(text: str) -> list[str]:
    return [text[s.start : s.end] for s in block_spans(text)]


@pytest.mark.parametrize("prose", [PROSE, CHINESE])
@pytest.mark.parametrize("code", [CODE, SHELL])
def test_a_fence_that_closes_cut_code_opens_nothing(code: str, prose: str) -> None:
    cut = f"{code}```".rstrip()
    assert blocks(f"{cut}\n\n{prose}") == [cut]
    whole = f"```python\n{CODE}```"
    assert blocks(f"{cut}\n\n{prose}\n{whole}\n\n{prose}") == [cut, whole]
    unnamed = f"```\n{CODE}```"
    assert blocks(f"{cut}\n\n{prose}\n{unnamed}\n\n{prose}") == [cut, unnamed]
    assert blocks(f"{cut}\n\n{prose}\n```\n{CODE}") == [cut, f"```\n{CODE}".rstrip()]


def test_a_fence_with_prose_behind_it_that_nothing_closes_opens_nothing() -> None:
    assert blocks(f"{PROSE}\n```\n\n{PROSE}") == ["```"]
    assert blocks(f"```\n\n{PROSE}") == ["```"]


@pytest.mark.parametrize(
    ("text", "block"),
    [
        (f"{PROSE}\n```\n{CODE}", f"```\n{CODE}"),  # code that goes on behind the text's end
        (f"{PROSE}\n```python\n{PROSE}", f"```python\n{PROSE}"),  # it says what it is
        (f"Sum this up:\n```\n{PROSE}```\n", f"```\n{PROSE}```"),
        (f"{PROSE}\n```\n{PROSE}```\n\n{PROSE}", f"```\n{PROSE}```"),
        (f"````\n```bash\nls\n```\n{PROSE}````\n", f"````\n```bash\nls\n```\n{PROSE}````"),
        ("```\nError: cannot connect to the database server at localhost\n", ""),
    ],
)
def test_other_fences_run_to_their_end(text: str, block: str) -> None:
    assert (block or text).rstrip() in blocks(text)
