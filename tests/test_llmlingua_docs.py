"""The examples of docs/llmlingua.md run, and its table stays a table of LLMLingua's issues."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "llmlingua.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

SHOWN = [
    "Answer in one word.\n\n",
    "(",
    "Speaker 4:",
    "{'id': 7, 'name': 'Harbour news', 'body': '",
]


@pytest.mark.parametrize(
    ("example", "shown"),
    list(zip(EXAMPLES, SHOWN, strict=True)),
)
def test_examples_run(example: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example, "docs/llmlingua.md", "exec"), {})
    assert capsys.readouterr().out.startswith(shown)


def test_rows_name_an_issue_or_how_it_was_found() -> None:
    table = PAGE.split("## Where it differs")[1].split("## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    found = [row[2] for row in rows[1:] if len(row) == 3]
    assert len(found) > 25
    for issue in found:
        assert re.fullmatch(r"(?:(?:PR )?#\d+(?:, )?)+|seen|read", issue), issue
