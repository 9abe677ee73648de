"""Line ends of Windows: what is protected is what would be with plain line breaks."""

import numpy as np
import pytest
from hypothesis import given

from compressor.extract import extract
from compressor.protect import find_protected
from compressor.protect.json_prose import json_prose
from compressor.tokens import load_counter
from compressor.types import ProtectedSpan, Settings
from compressor.words import split_words
from tests.compressor.mixed_texts import TEXTS

COUNTER = load_counter("o200k_base")
SETTINGS = Settings(rate=0.5)
TEXT = """Read this before you begin.

```python
if ready:
    return 1
```

The committee met on 3 May and did not agree.

| port | open |
|------|------|
| 8080 | yes  |

    let first = start(&list);
    let second = end(&list);

- keep `--dry-run`, see "the manual of
  the editors" and src/main.rs

diff --git a/x b/x
@@ -1 +1 @@
-one
+two

Which of these ports is open?
"""


def windows(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def found(text: str) -> set[tuple[str, str, bool, int]]:
    """Return what is protected, with plain line breaks, and how many letters come before it."""
    spans: list[ProtectedSpan] = find_protected(text, SETTINGS)
    return {
        (
            text[s.start : s.end].replace("\r\n", "\n"),
            s.kind.value,
            s.conditional,
            s.start - text.count("\r\n", 0, s.start),
        )
        for s in spans
    }


def test_the_same_is_protected() -> None:
    assert found(windows(TEXT)) == found(TEXT)


@given(TEXTS.filter(lambda text: "\r" not in text))
def test_the_same_is_protected_in_any_text(text: str) -> None:
    assert found(windows(text)) == found(text)


def test_no_span_ends_between_the_two_characters_of_a_line_end() -> None:
    text = windows(TEXT)
    edges = {edge for s in find_protected(text, SETTINGS) for edge in (s.start, s.end)}
    assert not any(text[edge - 1 : edge + 1] == "\r\n" for edge in edges)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_nothing_is_counted_as_lost(rate: float) -> None:
    text = windows("    fn first();\n    fn second();\n}\n\n" + TEXT)
    words = split_words(text)
    chances = np.linspace(0, 1, len(words), dtype=np.float32)
    result = extract(text, words, chances, Settings(rate=rate), COUNTER)
    assert not any(count.lost for count in result.verified.values())


def test_prose_in_json_over_several_lines() -> None:
    said = "The harbour was closed on 3 May because a storm had come over the islands. " * 6
    text = f'{{\n "id": 7,\n "body": "{said}",\n "no": null\n}}'
    spans = []
    for form in (text, windows(text)):
        prose = json_prose(form)
        assert prose is not None
        spans.append(
            [
                (s.kind, prose.view[s.start : s.end].replace("\r\n", "\n"))
                for s in find_protected(prose.view, SETTINGS, prose)
            ]
        )
    assert spans[0] == spans[1]
